"""The session machine driven by hand: no loop, no socket, no sleep."""

import gc
import struct
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.errors import FieldError, NotBound, WindowFull
from carriers.smpp.codec import encode, frame
from carriers.smpp.events import (
    Answered,
    BindRefused,
    Bound,
    Closed,
    CloseReason,
    Expired,
    FaultKind,
    Lost,
    Replied,
    Unsendable,
)
from carriers.smpp.pdu import (
    BindReceiver,
    BindTransceiverResp,
    BindTransmitterResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Pdu,
    QuerySm,
    QuerySmResp,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
)
from carriers.smpp.states import State
from carriers.smpp.status import BindFailure
from carriers.smpp.text import encode_text
from carriers.smpp.vocabulary import CommandId, Tag
from carriers.smpp.window import LATE_KEPT
from carriers.smpp.wire import SmeAddress
from config.schema import Concatenation
from tests.support.smpp import (
    ALL_PDUS,
    RECEIPT,
    accept_bind,
    bound_session,
    faults,
    new_session,
    reason,
    segment,
    sent,
    submitted,
)

# bind


def test_it_begins_by_binding_with_sequence_1() -> None:
    session = new_session()
    (bind,) = sent(session)
    assert (bind.system_id, bind.password, bind.sequence) == ("us", "secret", 1)
    assert (session.state, session.room) == (State.BINDING, 0)


def test_an_accepted_bind_opens_the_window() -> None:
    session = new_session(window=4)
    (event,) = accept_bind(session)
    assert isinstance(event, Bound)
    assert (session.state, session.room) == (State.BOUND, 4)


def test_nothing_is_submitted_before_the_bind_is_accepted() -> None:
    session = new_session()
    sent(session)
    with pytest.raises(NotBound):
        session.submit([segment()], 0.0)
    assert session.take_output() == b""


def test_a_receiver_session_submits_nothing() -> None:
    session = bound_session(BindReceiver())
    assert session.room == 0
    with pytest.raises(NotBound, match="receiver"):
        session.submit([segment()], 0.0)


@pytest.mark.parametrize(
    ("status", "failure"),
    [(0x0E, BindFailure.CREDENTIALS), (0x05, BindFailure.ALREADY_BOUND), (0x58, BindFailure.TEMPORARY)],
)
@pytest.mark.parametrize("body", [b"", b"smsc\0"])
def test_t27_a_refused_bind_says_its_class_and_ends(status: int, failure: BindFailure, body: bytes) -> None:
    events = new_session().receive(frame(CommandId.BIND_TRANSCEIVER_RESP, status, 1, body), 0.0)
    assert events == [BindRefused(status, failure), Closed(CloseReason.BIND_REFUSED)]


def test_t27_a_bind_answered_by_generic_nack_is_refused() -> None:
    events = new_session().receive(encode(GenericNack(status=0x03, sequence=1)), 0.0)
    assert events[0] == BindRefused(0x03, BindFailure.TEMPORARY)


def test_the_answer_to_another_kind_of_bind_does_not_bind() -> None:
    session = new_session()
    events = session.receive(encode(BindTransmitterResp("smsc", sequence=1)), 0.0)
    assert faults(events) == [FaultKind.MISMATCHED_ANSWER]
    assert session.state is State.BINDING


def test_a_bind_without_answer_ends_after_the_bind_timer() -> None:
    session = new_session(now=100.0)
    assert session.tick(109.9) == []
    assert session.next_deadline() == 110.0
    assert reason(session.tick(110.0)) is CloseReason.BIND_TIMEOUT


def test_t26_a_carrier_of_an_earlier_version_gets_no_tlv() -> None:
    session = new_session(template=SubmitSm(tlvs=((0x1400, b"x"),)))
    accept_bind(session, tlvs=((int(Tag.SC_INTERFACE_VERSION), b"\x33"),))
    plain = segment("plain")
    plain.tlvs = bytes.fromhex("1401000179")
    sar = segment("sar")
    sar.part = encode_text("Tale " * 60, Concatenation.SAR)[0]
    (refused,) = session.submit([plain, sar], 0.0)
    assert isinstance(refused, Unsendable)
    assert refused.ref is sar
    (pdu,) = sent(session)
    assert pdu.tlvs == ()
    with pytest.raises(FieldError, match=r"3\.4"):
        session.request(QuerySm("m1", tlvs=((1, b""),)), 0.0)


# requests and answers


def test_an_answer_comes_back_with_the_segment_and_its_latency() -> None:
    session = bound_session()
    given_segment = segment("mine")
    session.submit([given_segment], 5.0)
    (pdu,) = sent(session)
    events = session.receive(encode(SubmitSmResp("m1", sequence=pdu.sequence)), 5.25)
    assert events == [Answered(given_segment, 0, "m1", 0.25)]
    assert session.window.in_flight == 0


def test_t13_numbers_go_on_from_the_bind() -> None:
    assert submitted(bound_session(), "a", "b", "c") == [2, 3, 4]


@pytest.mark.parametrize("sequence", [0, 0x8000_0000, 0xFFFF_FFFF])
def test_t14_a_peers_number_is_echoed_whatever_it_is(sequence: int) -> None:
    session = bound_session()
    session.receive(encode(EnquireLink(sequence=sequence)), 0.0)
    assert sent(session) == [EnquireLinkResp(sequence=sequence)]
    (arrival,) = session.receive(encode(DeliverSm(sequence=sequence)), 0.0)
    session.respond([arrival])  # type: ignore[list-item]
    assert sent(session) == [DeliverSmResp(sequence=sequence)]


def test_t15_the_numbers_of_both_sides_do_not_mix() -> None:
    session = bound_session()
    (sequence,) = submitted(session, "ours")
    events = session.receive(
        encode(DeliverSm(sequence=sequence)) + encode(SubmitSmResp("m1", sequence=sequence)), 0.0
    )
    assert [type(event) for event in events] == [DeliverSm, Answered]


@given(order=st.permutations(range(5)))
def test_t16_answers_in_any_order_find_their_own_request(order: list[int]) -> None:
    session = bound_session()
    sequences = submitted(session, *range(5))
    wire = b"".join(encode(SubmitSmResp(f"m{n}", sequence=sequences[n])) for n in order)
    events = session.receive(wire, 0.0)
    assert [(event.ref.ref, event.message_id) for event in events] == [(n, f"m{n}") for n in order]  # type: ignore[union-attr,attr-defined]


def test_t16_a_second_answer_is_a_fault_and_no_more() -> None:
    session = bound_session()
    (sequence,) = submitted(session, "a")
    wire = encode(SubmitSmResp("m1", sequence=sequence))
    first, second = session.receive(wire + wire, 0.0)
    assert isinstance(first, Answered)
    assert faults([second]) == [FaultKind.DUPLICATE_ANSWER]


def test_t17_an_answer_of_the_wrong_kind_is_not_matched() -> None:
    session = bound_session()
    (sequence,) = submitted(session, "a")
    assert faults(session.receive(encode(DataSmResp("m", sequence=sequence)), 0.0)) == [
        FaultKind.MISMATCHED_ANSWER
    ]
    assert session.window.in_flight == 1


def test_t18_an_answer_that_comes_before_the_write_returns_is_matched() -> None:
    session = bound_session()
    session.submit([segment("a")], 0.0)
    (event,) = session.receive(encode(SubmitSmResp("m1", sequence=2)), 0.0)
    assert isinstance(event, Answered)


def test_t19_an_answer_meant_for_an_older_session_matches_nothing_here() -> None:
    old = bound_session()
    (*_, last) = submitted(old, *range(10))
    events = bound_session().receive(encode(SubmitSmResp("m1", sequence=last)), 0.0)
    assert faults(events) == [FaultKind.UNSOLICITED_ANSWER]


def test_a_full_window_takes_nothing_of_a_batch() -> None:
    session = bound_session(window=2)
    with pytest.raises(WindowFull):
        session.submit([segment(), segment(), segment()], 0.0)
    assert (session.take_output(), session.room) == (b"", 2)
    submitted(session, "a", "b")
    assert session.room == 0
    with pytest.raises(WindowFull):
        session.request(QuerySm("m1"), 0.0)


def test_t64_a_segment_that_fits_no_wire_harms_only_itself() -> None:
    session = bound_session()
    bad = segment("bad")
    bad.destination = "1" * 21
    (event,) = session.submit([segment("a"), bad, segment("b")], 0.0)
    assert isinstance(event, Unsendable)
    assert event.ref is bad
    assert len(sent(session)) == 2
    assert session.window.in_flight == 2


@pytest.mark.parametrize("message_id", ["", "0e999f21", "9" * 64])
def test_t52_the_carriers_id_is_handed_on_as_it_came(message_id: str) -> None:
    session = bound_session()
    (sequence,) = submitted(session, "a")
    (event,) = session.receive(encode(SubmitSmResp(message_id, sequence=sequence)), 0.0)
    assert isinstance(event, Answered)
    assert (event.status, event.message_id) == (0, message_id)


@pytest.mark.parametrize("status", [0x58, 0x400, 0x4FF, 0x101, 0xFFFF_FFFF])
@pytest.mark.parametrize("body", [b"", b"\0"])
def test_t53_any_status_is_an_answer_and_the_session_stays(status: int, body: bytes) -> None:
    session = bound_session()
    (sequence,) = submitted(session, "a")
    (event,) = session.receive(frame(CommandId.SUBMIT_SM_RESP, status, sequence, body), 0.0)
    assert isinstance(event, Answered)
    assert event.status == status
    assert session.state is State.BOUND


def test_other_requests_are_replied_to_with_the_whole_pdu() -> None:
    session = bound_session()
    sequence = session.request(QuerySm("m1"), 1.0, ref="who")
    (pdu,) = sent(session)
    assert (pdu.message_id, pdu.sequence) == ("m1", sequence)
    answer = QuerySmResp("m1", "", 2, 0, sequence=sequence)
    assert session.receive(encode(answer), 1.5) == [Replied("who", answer, 0.5)]


def test_an_esme_does_not_ask_what_only_a_carrier_asks() -> None:
    with pytest.raises(FieldError, match="Outbind"):
        bound_session().request(Outbind(), 0.0)


# expired and lost requests


def test_t56_an_answer_after_its_time_is_still_matched() -> None:
    session = bound_session(now=0.0, window=1)
    given_segment = segment("a")
    session.submit([given_segment], 0.0)
    (pdu,) = sent(session)
    assert session.tick(10.0) == [Expired(given_segment)]
    assert session.room == 1
    wire = encode(SubmitSmResp("m1", sequence=pdu.sequence))
    assert session.receive(wire, 15.0) == [Answered(given_segment, 0, "m1", 15.0, late=True)]
    assert faults(session.receive(wire, 15.0)) == [FaultKind.DUPLICATE_ANSWER]


def test_t55_a_lost_session_hands_back_each_unanswered_request_once() -> None:
    session = bound_session()
    session.submit([segment(n) for n in range(3)], 0.0)
    session.take_output()
    session.receive(encode(SubmitSmResp("m1", sequence=3)), 0.0)
    assert reason(session.receive(b"", 1.0)) is CloseReason.PEER_CLOSED
    lost = session.terminate()
    assert [each.ref for each in lost.in_doubt] == [0, 2]  # type: ignore[attr-defined]
    assert session.terminate() == Lost([], [])
    assert session.receive(encode(SubmitSmResp("m2", sequence=2)), 2.0) == []


def test_t55_what_never_left_our_output_is_not_in_doubt() -> None:
    session = bound_session()
    session.submit([segment("gone")], 0.0)
    session.take_output()
    session.submit([segment("kept"), segment("kept too")], 0.0)
    lost = session.terminate()
    assert [each.ref for each in lost.in_doubt] == ["gone"]  # type: ignore[attr-defined]
    assert [each.ref for each in lost.not_sent] == ["kept", "kept too"]  # type: ignore[attr-defined]


def test_t55_nor_is_what_stands_behind_an_enquire_link_that_never_left() -> None:
    session = bound_session()
    session.take_output()
    session.tick(30.0)
    session.submit([segment("kept")], 30.0)
    assert [each.ref for each in session.terminate().not_sent] == ["kept"]  # type: ignore[attr-defined]


def test_t55_what_expired_is_not_lost_a_second_time() -> None:
    session = bound_session()
    submitted(session, "a")
    session.tick(10.0)
    assert session.terminate() == Lost([], [])


def test_it_says_how_it_stands() -> None:
    session = bound_session(window=3)
    submitted(session, "a")
    session.receive(encode(RECEIPT), 0.0)
    assert repr(session) == "<Session bound, <Window 1 of 3 in flight, 0 late>, 1 to answer>"


def test_an_early_answer_to_nothing_does_not_bind() -> None:
    session = new_session()
    assert faults(session.receive(encode(BindTransceiverResp("smsc", sequence=7)), 0.0)) == [
        FaultKind.UNSOLICITED_ANSWER
    ]


# hostile peers


def _mutated(random: Random, wire: bytes) -> bytes:
    """Break a PDU in one of the ways broken peers do; its length is mostly right, so its body is read."""
    octets = bytearray(wire)
    for _ in range(random.randrange(4)):
        octets[random.randrange(len(octets))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    if random.random() < 0.3:
        del octets[16 + random.randrange(max(1, len(octets) - 16)) :]
    if random.random() < 0.2:
        octets += random.randbytes(random.randrange(12))
    if random.random() < 0.97:
        octets[:4] = struct.pack(">I", len(octets))
    return bytes(octets)


def _samples() -> list[Pdu]:
    samples = [kind() for kind in ALL_PDUS if kind is not SubmitMulti]
    answers = [SubmitSmResp("m", sequence=sequence) for sequence in range(9)]
    return [*samples, SubmitMulti(destinations=(SmeAddress(1, 1, "6"),)), RECEIPT, *answers]


def _harass(pdus: int, seed: int) -> tuple[int, Counter[str]]:
    """Let a peer send `pdus` broken PDUs; return how many sessions that took, and what they reported."""
    random, seen, sessions = Random(seed), Counter[str](), 1
    corpus = [encode(each) for each in _samples()]
    session, now = bound_session(), 0.0
    for _ in range(pdus):
        now += random.random()
        wire = random.randbytes(random.randrange(1, 40)) if random.random() < 0.01 else random.choice(corpus)
        events = session.receive(_mutated(random, wire), now) + session.tick(now)
        session.respond([event for event in events if isinstance(event, DeliverSm | DataSm)])
        if session.room:
            session.submit([segment()], now)
        session.take_output()
        seen.update(type(event).__name__ for event in events)
        assert session.window.in_flight <= 10
        assert len(session.window.late) <= LATE_KEPT
        if session.closed:
            session.terminate()
            session, sessions = bound_session(now=now), sessions + 1
    return sessions, seen


def test_t12_broken_pdus_never_raise() -> None:
    sessions, seen = _harass(20_000, seed=1)
    assert sessions > 1
    assert {"Fault", "Closed", "Answered", "DeliverSm", "AlertNotification", "UnbindReceived"} <= seen.keys()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_t12_a_hundred_thousand_broken_pdus_never_raise_and_leave_nothing_behind(seed: int) -> None:
    _harass(1_000, seed)
    gc.collect()
    before = len(gc.get_objects())
    _harass(100_000, seed)
    gc.collect()
    assert len(gc.get_objects()) - before < 500


@given(data=st.lists(st.binary(min_size=1, max_size=60), max_size=8))
def test_t12_no_octets_from_the_peer_make_us_raise(data: list[bytes]) -> None:
    session = bound_session()
    for each in data:
        session.receive(each, 0.1)
    session.terminate()
