"""One link driven by hand: the transport is a list of what was written."""

import asyncio
from collections.abc import Callable, Sequence

from carriers.link import MAX_UNWRITTEN, Arrival, Link, Settled
from carriers.results import Segment
from carriers.smpp.codec import Decoder, encode
from carriers.smpp.events import Answered, Event, Lost
from carriers.smpp.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    EnquireLink,
    Pdu,
    SubmitSmResp,
    Unbind,
)
from carriers.smpp.session import Session
from carriers.smpp.submit import SubmitEncoder, submit_template
from tests.support.upstream import channel_config, segments

CONFIG = channel_config(1, window=3)


class Wire(asyncio.Transport):
    """Keeps each write apart, to show what was batched."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = self.aborted = False
        self.reading = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.writes.append(data)

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True


class Owner:
    """Keeps what the link tells."""

    def __init__(self) -> None:
        self.bound = self.changed = 0
        self.settled: list[Settled] = []
        self.replies: list[Callable[[bool], object]] = []
        self.lost: list[Lost] = []

    def link_bound(self, link: Link) -> None:
        self.bound += 1

    def link_settled(self, link: Link, events: Sequence[Settled]) -> None:
        self.settled += events

    def link_arrived(self, link: Link, arrivals: Sequence[Arrival], reply: Callable[[bool], object]) -> None:
        self.replies.append(reply)

    def link_put_off(self, link: Link, count: int) -> None:
        raise AssertionError("nothing here is that much")

    def link_noticed(self, link: Link, event: Event) -> None:
        raise AssertionError(event)

    def link_changed(self, link: Link) -> None:
        self.changed += 1

    def link_lost(self, link: Link, lost: Lost) -> None:
        self.lost.append(lost)


def bound_link() -> tuple[Link, Wire, Owner]:
    """A link whose bind was accepted, and nothing written since."""
    owner, wire = Owner(), Wire()

    def make_session(now: float) -> Session:
        encoder = SubmitEncoder(submit_template(CONFIG))
        return Session(BindTransceiver("acme"), encoder, CONFIG.timers, now, CONFIG.window)

    link = Link(make_session, owner, linger=1.0, clock=lambda: 0.0)
    link.connection_made(wire)
    link.data_received(encode(BindTransceiverResp("carrier", sequence=1)))
    assert (owner.bound, link.sends, link.room) == (1, True, 3)
    wire.writes.clear()
    return link, wire, owner


def pdus(data: bytes) -> list[Pdu]:
    decoder, found = Decoder(), []
    decoder.receive(data)
    while (pdu := decoder.next_pdu()) is not None:
        assert isinstance(pdu, Pdu)
        found.append(pdu)
    return found


async def turn() -> None:
    """Let the event loop run what was scheduled."""
    await asyncio.sleep(0)


def refs(found: Sequence[object]) -> list[object]:
    return [segment.ref for segment in found if isinstance(segment, Segment)]


async def test_everything_of_one_turn_is_one_write() -> None:
    link, wire, _ = bound_link()
    link.submit(segments("m1"), 0.0)
    link.submit(segments("m2"), 0.0)
    link.data_received(encode(EnquireLink(sequence=5)))
    assert wire.writes == []
    await turn()
    assert [type(pdu).__name__ for pdu in pdus(wire.writes[0])] == ["SubmitSm", "SubmitSm", "EnquireLinkResp"]
    assert len(wire.writes) == 1
    link.abort("over")


async def test_t18_an_answer_is_matched_however_soon_it_comes() -> None:
    link, _, owner = bound_link()
    link.submit(segments("m1"), 0.0)
    link.data_received(encode(SubmitSmResp("id-1", sequence=2)))  # before the write even happened
    (event,) = owner.settled
    assert isinstance(event, Answered)
    assert (refs([event.ref]), event.message_id) == (["m1"], "id-1")
    link.abort("over")


async def test_while_the_peer_does_not_read_nothing_is_written_and_there_is_no_room() -> None:
    link, wire, owner = bound_link()
    link.pause_writing()
    assert link.room == 0
    link.data_received(encode(EnquireLink(sequence=5)))
    await turn()
    assert wire.writes == []
    link.resume_writing()
    assert (len(wire.writes), link.room, owner.changed) == (1, 3, 1)
    link.abort("over")


async def test_what_was_written_is_in_doubt_and_what_was_not_is_unsent() -> None:
    link, _, owner = bound_link()
    link.submit(segments("m1"), 0.0)
    await turn()
    link.pause_writing()
    link.submit(segments("m2"), 0.0)
    await turn()
    link.connection_lost(ConnectionResetError("reset"))
    (lost,) = owner.lost
    assert (refs(lost.in_doubt), refs(lost.not_sent)) == (["m1"], ["m2"])
    assert link.ended.done()
    assert "reset" in link.error


async def test_the_end_is_told_once() -> None:
    link, _, owner = bound_link()
    link.abort("stopped")
    link.connection_lost(None)
    link.abort("again")
    assert len(owner.lost) == 1
    assert link.error == "stopped"


async def test_t96_arrivals_are_answered_only_when_stored_and_in_one_write() -> None:
    link, wire, owner = bound_link()
    link.data_received(b"".join(encode(DeliverSm(sequence=number)) for number in (7, 8, 9)))
    await turn()
    assert wire.writes == []
    assert link.unstored == 3
    owner.replies[0](False)
    await turn()
    assert [(pdu.sequence, pdu.status) for pdu in pdus(wire.writes[0])] == [(7, 0x64), (8, 0x64), (9, 0x64)]  # type: ignore[attr-defined]
    assert link.unstored == 0
    link.abort("over")


async def test_t104_what_is_owed_is_written_before_the_connection_closes() -> None:
    link, wire, owner = bound_link()
    link.data_received(encode(DeliverSm(sequence=7)) + encode(Unbind(sequence=8)))
    await turn()
    assert not wire.closed  # the receipt is not stored yet
    owner.replies[0](True)
    while not wire.closed:
        await turn()
    written = [type(pdu).__name__ for pdu in pdus(b"".join(wire.writes))]
    assert written == ["DeliverSmResp", "UnbindResp"]
    link.connection_lost(None)
    assert link.error == "peer unbound"


async def test_a_reply_after_the_end_does_nothing_and_says_so() -> None:
    link, wire, owner = bound_link()
    link.data_received(encode(DeliverSm(sequence=7)))
    link.data_received(encode(DeliverSm(sequence=8)))
    assert owner.replies[1](True) is True
    await turn()
    wire.writes.clear()
    link.abort("over")
    assert owner.replies[0](True) is False
    await turn()
    assert wire.writes == []


async def test_a_peer_that_does_not_read_is_read_no_further_once_too_much_waits_for_it() -> None:
    link, wire, _ = bound_link()
    link.pause_writing()
    link.data_received(encode(EnquireLink(sequence=1)))
    await turn()
    assert wire.reading  # two peers that each wait for the other to read would wait for ever
    asked = 1
    while wire.reading:
        asked += 1
        link.data_received(encode(EnquireLink(sequence=asked)))
        await turn()
    assert wire.writes == []
    assert asked == MAX_UNWRITTEN + 1
    link.resume_writing()
    assert wire.reading
    assert len(pdus(b"".join(wire.writes))) == asked


async def test_what_is_stored_meanwhile_is_answered_once_the_peer_reads_again() -> None:
    link, wire, owner = bound_link()
    link.pause_writing()
    for sequence in range(1, MAX_UNWRITTEN + 2):
        link.data_received(encode(EnquireLink(sequence=sequence)))
    link.data_received(encode(DeliverSm(sequence=7)))
    await turn()
    assert not wire.reading
    owner.replies[0](True)
    await turn()
    assert wire.writes == []
    link.resume_writing()
    assert type(pdus(b"".join(wire.writes))[-1]).__name__ == "DeliverSmResp"
