"""A channel against the simulated carrier over real TCP: the everyday story."""

import time
from pathlib import Path

import pytest

from carriers.results import Disposition, Fate, ReceiptState
from carriers.simulator.faults import parse_fault
from carriers.simulator.options import SimulatorOptions
from carriers.simulator.record import read_record
from carriers.simulator.server import Simulator
from carriers.smpp.vendor import VaryingTlvs
from config.schema import BindMode, TlvConfig, TlvKind
from tests.support.upstream import channel_config, long_message, running, segments


def options(**changes: object) -> SimulatorOptions:
    return SimulatorOptions(port=0, receipt_delay="0", **changes)  # type: ignore[arg-type]


async def test_a_message_goes_out_and_its_receipt_comes_back() -> None:
    async with Simulator(options()) as carrier, running(channel_config(carrier.port)) as (channel, upstream):
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: bool(upstream.receipts))
        (answer,) = upstream.answers
        assert (answer.ref, answer.fate, answer.disposition) == ("m1", Fate.ACCEPTED, Disposition.OK)
        assert upstream.receipts[0].message_id == answer.message_id
        assert upstream.receipts[0].state is ReceiptState.DELIVERED
        await carrier.until(lambda stats: stats.receipts_acknowledged == 1)
        assert carrier.stats().owed == 0


async def test_thousands_come_back_exactly_once_and_in_order() -> None:
    async with (
        Simulator(options()) as carrier,
        running(channel_config(carrier.port, window=100)) as (channel, upstream),
    ):
        channel.submit(segments(*range(5_000)), time.monotonic())
        await upstream.until(lambda: len(upstream.receipts) == 5_000)
        assert upstream.refs(Fate.ACCEPTED) == list(range(5_000))
        assert carrier.stats().peak_unanswered <= 100


async def test_t40_the_window_bounds_what_is_in_flight() -> None:
    async with (
        Simulator(options(answer_delay="0.01")) as carrier,
        running(channel_config(carrier.port, window=7, links=2)) as (channel, upstream),
    ):
        assert (channel.window, channel.room(time.monotonic())) == (14, 14)
        channel.submit(segments(*range(60)), time.monotonic())
        assert channel.room(time.monotonic()) == 0
        await upstream.until(lambda: len(upstream.answers) == 60)
        assert carrier.stats().peak_unanswered == 7
        assert channel.room(time.monotonic()) == 14


@pytest.mark.parametrize("window", [1, 10])
async def test_t41_the_window_is_used_whole_while_answers_take_their_time(window: int) -> None:
    async with (
        Simulator(options(answer_delay="0.02")) as carrier,
        running(channel_config(carrier.port, window=window)) as (channel, upstream),
    ):
        channel.submit(segments(*range(2 * window)), time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 2 * window)
        assert upstream.refs(Fate.ACCEPTED) == list(range(2 * window))
        assert carrier.stats().peak_unanswered == window


async def test_t30_a_pair_sends_on_one_leg_and_hears_on_the_other() -> None:
    async with (
        Simulator(options()) as carrier,
        running(channel_config(carrier.port, bind=BindMode.PAIR)) as (channel, upstream),
    ):
        assert [link.name for link in channel.status().links] == ["1/tx", "1/rx"]
        assert channel.window == 10
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: bool(upstream.receipts and upstream.answers))
        assert upstream.receipts[0].message_id == upstream.answers[0].message_id


async def test_t30_only_the_lost_leg_binds_again() -> None:
    # the fault strikes the leg that submits; the receiver never notices
    close = parse_fault("close:at=1")
    async with (
        Simulator(options(faults=(close,))) as carrier,
        running(channel_config(carrier.port, bind=BindMode.PAIR)) as (channel, upstream),
    ):
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: upstream.refs(Fate.IN_DOUBT) == ["m1"] and channel.up)
        assert carrier.stats().binds == 3
        assert carrier.stats().peak_bound == 2
        assert len(upstream.receipts) == 1  # through the leg that stayed


async def test_t31_never_more_binds_than_links() -> None:
    close = parse_fault("close:every=5")
    async with (
        Simulator(options(faults=(close,))) as carrier,
        running(channel_config(carrier.port, links=3)) as (channel, upstream),
    ):
        for number in range(40):
            await upstream.until(lambda: channel.up)
            channel.submit(segments(number), time.monotonic())
            await upstream.until(lambda wanted=number + 1: len(upstream.answers) == wanted)  # type: ignore[misc]
        assert carrier.stats().binds > 3
        assert carrier.stats().peak_bound <= 3


async def test_t82_the_parts_of_a_message_follow_each_other_on_one_link(tmp_path: Path) -> None:
    record = tmp_path / "record"
    async with (
        Simulator(options(record=record, answer_delay="0-0.01", seed=1)) as carrier,
        running(channel_config(carrier.port, links=3, window=5)) as (channel, upstream),
    ):
        for number in range(30):
            message = long_message(str(number), 1 + number % 4 if number % 4 else 2, f"60{number:09d}")
            channel.submit(message, time.monotonic())
        await upstream.until(lambda: not channel.status().queued and not channel.status().in_flight)
    sessions: dict[str, set[int]] = {}
    parts: dict[str, list[int]] = {}
    for event in read_record(record):
        if event["event"] == "submit":
            sessions.setdefault(event["destination"], set()).add(event["session"])
            parts.setdefault(event["destination"], []).append(bytes.fromhex(event["text"])[5])
    assert len(parts) == 30
    assert all(len(used) == 1 for used in sessions.values())
    assert all(numbers == sorted(numbers) for numbers in parts.values())
    assert len({min(used) for used in sessions.values()}) == 3  # and all links had work


async def test_a_refusal_says_what_it_means() -> None:
    refuse = parse_fault("refuse:status=RINVDSTADR,at=1")
    nack = parse_fault("nack:status=RSYSERR,at=2")
    async with (
        Simulator(options(faults=(refuse, nack))) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        channel.submit(segments("m1", "m2"), time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 2)
        assert [answer.disposition for answer in upstream.answers] == [
            Disposition.PERMANENT,
            Disposition.TEMPORARY,
        ]
        assert [answer.status for answer in upstream.answers] == [0x0B, 0x08]


async def test_what_no_wire_can_carry_is_refused_and_harms_no_other() -> None:
    async with Simulator(options()) as carrier, running(channel_config(carrier.port)) as (channel, upstream):
        batch = segments("m1", "too long", "m3")
        batch[1].destination = "6" * 30
        channel.submit(batch, time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 3)
        assert sorted(map(str, upstream.refs(Fate.ACCEPTED))) == ["m1", "m3"]
        (refused,) = [answer for answer in upstream.answers if answer.fate is Fate.REFUSED]
        assert (refused.ref, refused.disposition) == ("too long", Disposition.ROUTE)


async def test_what_cannot_be_sent_comes_back_unsent() -> None:
    async with running(channel_config(1), bound=False) as (channel, upstream):
        assert not channel.up
        assert channel.room(time.monotonic()) == 0
        channel.submit(segments("m1", "m2"), time.monotonic())
        assert upstream.answers == []  # never from within submit
        await upstream.until(lambda: upstream.refs(Fate.NOT_SENT) == ["m1", "m2"])


async def test_cancelling_reports_what_was_in_flight_and_what_never_left() -> None:
    silence = parse_fault("silence")
    async with Simulator(options(faults=(silence,))) as carrier:
        async with running(channel_config(carrier.port, window=2)) as (channel, upstream):
            channel.submit(segments("m1", "m2", "m3"), time.monotonic())
            await carrier.until(lambda stats: stats.submits == 2)
        assert upstream.refs(Fate.IN_DOUBT) == ["m1", "m2"]
        assert upstream.refs(Fate.NOT_SENT) == ["m3"]
        assert not channel.up


async def test_the_status_is_plain_values() -> None:
    async with Simulator(options()) as carrier, running(channel_config(carrier.port)) as (channel, _):
        status = channel.status().as_dict()
        assert status["up"] is True
        assert status["links"][0]["state"] == "bound"  # type: ignore[index]


async def test_t74_the_carrier_gets_the_channels_tlvs_and_the_segments_own(tmp_path: Path) -> None:
    entity = TlvConfig(tag=0x1400, kind=TlvKind.CSTRING, value="1101")
    template = TlvConfig(tag=0x1401, kind=TlvKind.CSTRING, templates={"UTA1": "1107"})
    record = tmp_path / "record"
    async with (
        Simulator(options(record=record)) as carrier,
        running(channel_config(carrier.port, tlv=(entity, template))) as (channel, upstream),
    ):
        own, plain = segments("m1", "m2")
        own.tlvs = VaryingTlvs((entity, template)).octets("UTA1", "acc-a")
        channel.submit([own, plain], time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 2)
    told = [event["tlvs"] for event in read_record(record) if event["event"] == "submit"]
    assert told == [[[0x1400, b"1101\0".hex()], [0x1401, b"1107\0".hex()]], [[0x1400, b"1101\0".hex()]]]
