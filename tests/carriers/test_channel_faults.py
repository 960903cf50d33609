"""A channel against a carrier that misbehaves: nothing is lost, nothing is reported twice."""

import asyncio
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from carriers.channel import Channel
from carriers.results import Arrivals, Disposition, Fate
from carriers.simulator.faults import Fault, parse_fault
from carriers.simulator.options import SimulatorOptions
from carriers.simulator.record import Event, read_record
from carriers.simulator.server import Simulator
from carriers.smpp.codec import encode
from carriers.smpp.pdu import AlertNotification, Outbind
from tests.support.upstream import QUICK, Upstream, channel_config, running, segments


def options(*faults: str, **changes: object) -> SimulatorOptions:
    made: tuple[Fault, ...] = tuple(map(parse_fault, faults))
    return SimulatorOptions(port=0, receipt_delay="0", faults=made, **changes)  # type: ignore[arg-type]


def submits(record: Path) -> list[Event]:
    return [event for event in read_record(record) if event["event"] == "submit"]


def once(upstream: Upstream) -> bool:
    """Whether every segment was reported exactly once."""
    return set(Counter(answer.ref for answer in upstream.answers).values()) <= {1}


async def test_t28_a_bind_never_answered_ends_and_is_tried_again() -> None:
    connections = 0

    def deaf() -> asyncio.Protocol:
        nonlocal connections
        connections += 1
        return asyncio.Protocol()

    server = await asyncio.get_running_loop().create_server(deaf, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        config = channel_config(port, timers=replace(QUICK, bind=0.02))
        async with running(config, bound=False) as (channel, upstream):
            await upstream.until(lambda: connections >= 3)
            assert not channel.up
            assert channel.status().links[0].last_error == "bind not answered"


async def test_t27_refused_credentials_are_told_and_waited_out() -> None:
    async with Simulator(options(accounts={"acme": "other"})) as carrier:
        timers = replace(QUICK, backoff_credentials=3600.0)
        async with running(channel_config(carrier.port, timers=timers), bound=False) as (channel, upstream):
            await upstream.until(lambda: bool(channel.status().counters.bind_failures))
            (link,) = channel.status().links
            assert link.last_error == "bind refused: ESME_RINVPASWD (credentials)"
            assert channel.status().counters.bind_failures == {"credentials": 1}
        assert carrier.stats().binds_refused == 1


async def test_t27_an_older_session_still_there_is_waited_for() -> None:
    async with Simulator(options(max_binds=1)) as carrier, running(channel_config(carrier.port)):
        config = channel_config(carrier.port, id="acme-2")
        async with running(config, bound=False) as (second, upstream):
            await upstream.until(lambda: second.status().counters.bind_failures["already bound"] >= 2)
            carrier.drop_connections()
            await upstream.until(lambda: second.up or carrier.stats().binds >= 2)


async def test_t42_throttling_pauses_the_channel_and_keeps_the_order(tmp_path: Path) -> None:
    record = tmp_path / "record"
    async with (
        Simulator(options("throttle:count=2", record=record)) as carrier,
        running(channel_config(carrier.port, window=2)) as (channel, upstream),
    ):
        channel.submit(segments(*range(4)), time.monotonic())
        await upstream.until(lambda: channel.status().paused_for > 0)
        assert upstream.answers == []
        assert channel.room(time.monotonic()) == 0
        await upstream.until(lambda: len(upstream.answers) == 4)
        assert upstream.refs(Fate.ACCEPTED) == list(range(4))
        assert channel.status().counters.throttled == {0x58: 2}
        assert channel.status().rate > 0  # slowed, and on its way back
    taken = [event["destination"] for event in submits(record) if event["status"] == 0]
    assert taken == sorted(taken)


async def test_t42_room_is_announced_when_the_pause_ends() -> None:
    async with (
        Simulator(options("throttle:at=1")) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: upstream.refs(Fate.ACCEPTED) == ["m1"])
        before = upstream.states
        await upstream.until(lambda: channel.room(time.monotonic()) > 0)
        assert upstream.states >= before


async def test_t42_throttled_segments_come_back_unsent_if_the_channel_goes_down() -> None:
    async with (
        Simulator(options("throttle:at=1")) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        channel.submit(segments("m1"), time.monotonic())
        await carrier.until(lambda stats: stats.statuses[0x58] == 1)
        await upstream.until(lambda: channel.status().queued == 1)
        carrier.drop_connections()
        await upstream.until(lambda: bool(upstream.answers))
        assert upstream.refs(Fate.NOT_SENT) == ["m1"]


async def test_t43_the_rate_holds_over_every_second_and_all_links(tmp_path: Path) -> None:
    record = tmp_path / "record"
    async with (
        Simulator(options(record=record)) as carrier,
        running(channel_config(carrier.port, rate=40.0, links=2, window=50)) as (channel, upstream),
    ):
        assert channel.room(time.monotonic()) <= 10
        channel.submit(segments(*range(90)), time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 90)
    times = [event["at"] for event in submits(record)]
    assert len(times) == 90
    assert all(times[index + 40] - times[index] >= 0.99 for index in range(len(times) - 40))
    assert len({event["session"] for event in submits(record)}) == 2


async def test_t43_a_carriers_own_limit_is_found_and_kept() -> None:
    async with (
        Simulator(options(rate=200)) as carrier,
        running(channel_config(carrier.port, window=50)) as (channel, upstream),
    ):
        channel.submit(segments(*range(300)), time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 300)
        assert upstream.refs(Fate.ACCEPTED) == list(range(300))
        assert carrier.stats().statuses[0x58] > 0


@pytest.mark.parametrize("end", ["close:at=3", "bad-bytes:at=3,bytes=00000003"])
async def test_t55_t102_a_lost_session_leaves_what_was_in_flight_in_doubt(end: str) -> None:
    async with (
        Simulator(options(end, answer_delay="0.01")) as carrier,
        running(channel_config(carrier.port, window=3)) as (channel, upstream),
    ):
        channel.submit(segments(*range(5)), time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 5)
        assert set(upstream.refs(Fate.IN_DOUBT)) <= {0, 1, 2}
        assert upstream.refs(Fate.IN_DOUBT)
        assert set(upstream.refs(Fate.NOT_SENT)) <= {3, 4}
        assert once(upstream)
        await upstream.until(lambda: channel.up)


async def test_t55_with_another_link_up_only_what_was_sent_is_in_doubt() -> None:
    async with (
        Simulator(options("close:at=1")) as carrier,
        running(channel_config(carrier.port, window=1, links=2)) as (channel, upstream),
    ):
        channel.submit(segments(*range(10)), time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 10)
        assert upstream.refs(Fate.IN_DOUBT) == [0]
        assert sorted(map(str, upstream.refs(Fate.ACCEPTED))) == sorted(map(str, range(1, 10)))


async def test_t56_an_answer_after_its_timeout_is_still_reported() -> None:
    async with Simulator(options("slow:at=1,seconds=0.1")) as carrier:
        config = channel_config(carrier.port, timers=replace(QUICK, response=0.05))
        async with running(config) as (channel, upstream):
            channel.submit(segments("m1"), time.monotonic())
            await upstream.until(lambda: len(upstream.answers) == 2)
            reports = [(answer.fate, answer.late) for answer in upstream.answers]
            assert reports == [(Fate.IN_DOUBT, False), (Fate.ACCEPTED, True)]
            assert {answer.ref for answer in upstream.answers} == {"m1"}
            assert channel.status().counters.late == 1


async def test_t16_a_doubled_answer_counts_once() -> None:
    async with (
        Simulator(options("double-answer")) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        channel.submit(segments("m1", "m2"), time.monotonic())
        await upstream.until(lambda: channel.status().counters.faults["duplicate answer"] == 2)
        assert upstream.refs(Fate.ACCEPTED) == ["m1", "m2"]
        assert once(upstream)


async def test_t93_a_receipt_may_come_before_its_answer() -> None:
    async with (
        Simulator(options("early-receipt", answer_delay="0.02")) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: bool(upstream.receipts))
        assert upstream.answers == []
        await upstream.until(lambda: bool(upstream.answers))
        assert upstream.answers[0].message_id == upstream.receipts[0].message_id


async def test_t36_enquire_link_is_answered_while_the_window_is_full_and_the_store_is_slow() -> None:
    faults = ("silence:at=2",)
    async with (
        Simulator(options(*faults, enquire_link=0.05, response_timeout=5.0)) as carrier,
        running(channel_config(carrier.port, window=1)) as (channel, upstream),
    ):
        upstream.hold = True
        channel.submit(segments("m1", "m2", "m3"), time.monotonic())
        await upstream.until(lambda: bool(upstream.held))
        assert channel.status().in_flight == 1
        probes = carrier.stats().probes_answered
        await carrier.until(lambda stats: stats.probes_answered >= probes + 3)
        assert channel.up


async def test_t37_a_silent_peer_is_noticed_and_left() -> None:
    async with Simulator(options("freeze:at=2")) as carrier:
        config = channel_config(carrier.port, timers=replace(QUICK, enquire_link=0.05, response=0.1))
        async with running(config) as (channel, upstream):
            channel.submit(segments("m1"), time.monotonic())
            await upstream.until(lambda: upstream.refs(Fate.ACCEPTED) == ["m1"])
            channel.submit(segments("m2"), time.monotonic())
            await upstream.until(lambda: channel.status().counters.binds == 2 and channel.up)
            assert upstream.refs(Fate.IN_DOUBT) == ["m2"]
            assert channel.status().links[0].last_error == "enquire_link not answered"
            assert once(upstream)


async def test_t11_a_pdu_begun_and_not_finished_ends_the_session() -> None:
    async with Simulator(options("bad-bytes:at=1,bytes=0000002000000005")) as carrier:
        config = channel_config(carrier.port, receipts=False, timers=replace(QUICK, read=0.05))
        async with running(config) as (channel, upstream):
            channel.submit(segments("m1"), time.monotonic())
            await upstream.until(lambda: channel.status().counters.binds == 2)
            assert channel.status().links[0].last_error == "a PDU begun was not finished"


async def test_t05_t33_oddities_are_counted_and_the_session_lives() -> None:
    alert = encode(AlertNotification(source_addr="60123456789", sequence=9)).hex()
    outbind = encode(Outbind("smsc", "secret", sequence=10)).hex()
    unknown = "00000010000000990000000000000007"
    async with (
        Simulator(options(f"bad-bytes:at=1,bytes={alert}{outbind}{unknown}")) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: bool(upstream.receipts))
        counters = channel.status().counters
        assert (counters.alerts, counters.outbinds) == (1, 1)
        assert counters.faults == {"unknown command": 1}
        assert counters.binds == 1


async def test_t48_receipts_that_cannot_be_stored_come_again() -> None:
    async with (
        Simulator(options(receipt_retry=0.02)) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        upstream.hold = True
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: bool(upstream.held))
        upstream.hold = False
        upstream.held[0].reply(False)
        await upstream.until(lambda: len(upstream.receipts) == 2)
        await carrier.until(lambda stats: stats.receipts_acknowledged == 1)
        assert carrier.stats().receipts_put_off == 1
        assert carrier.stats().owed == 0


async def test_t48_a_flood_beyond_what_may_wait_is_put_off_not_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("carriers.link.MAX_UNSTORED", 50)
    async with (
        Simulator(options(receipt_retry=0.02)) as carrier,
        running(channel_config(carrier.port, window=100)) as (channel, upstream),
    ):
        upstream.hold = True
        channel.submit(segments(*range(200)), time.monotonic())
        await carrier.until(lambda stats: stats.receipts_put_off >= 100)
        assert len(upstream.receipts) <= 50
        assert channel.up
        upstream.hold = False
        for arrivals in upstream.held:
            arrivals.reply(True)
        await carrier.until(lambda stats: stats.receipts_acknowledged == 200)
        assert carrier.stats().owed == 0


async def test_t100_drain_loses_nothing_and_says_goodbye() -> None:
    async with (
        Simulator(options(answer_delay="0.03")) as carrier,
        running(channel_config(carrier.port, window=5, links=2)) as (channel, upstream),
    ):
        upstream.hold = True
        channel.submit(segments(*range(15)), time.monotonic())
        await carrier.until(lambda stats: stats.submits == 10)
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            drained = group.create_task(channel.drain())
            await upstream.until(lambda: len(upstream.receipts) == 10)
            assert channel.room(time.monotonic()) == 0
            assert not drained.done()  # receipts wait for the store
            upstream.hold = False
            for arrivals in upstream.held:
                arrivals.reply(True)
        assert sorted(map(str, upstream.refs(Fate.ACCEPTED))) == sorted(map(str, range(10)))
        assert upstream.refs(Fate.NOT_SENT) == list(range(10, 15))
        assert not upstream.refs(Fate.IN_DOUBT)
        assert carrier.stats().unbinds == 2
        assert carrier.stats().receipts_acknowledged == 10  # T104: written before the close
        assert [link.state for link in channel.status().links] == ["stopped", "stopped"]
        channel.submit(segments("late"), time.monotonic())
        await upstream.until(lambda: "late" in upstream.refs(Fate.NOT_SENT))


async def test_t100_a_throttled_segment_comes_back_when_draining() -> None:
    async with (
        Simulator(options("throttle", answer_delay="0.02")) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        channel.submit(segments("m1"), time.monotonic())
        await carrier.until(lambda stats: stats.submits == 1)
        async with asyncio.timeout(10):
            await channel.drain()
        assert upstream.refs(Fate.NOT_SENT) == ["m1"]


async def test_t101_a_carrier_that_unbinds_is_answered_and_bound_again() -> None:
    async with (
        Simulator(options("unbind:at=2")) as carrier,
        running(channel_config(carrier.port, window=1)) as (channel, upstream),
    ):
        channel.submit(segments(*range(4)), time.monotonic())
        await upstream.until(lambda: len(upstream.answers) == 4)
        assert upstream.refs(Fate.ACCEPTED) == [0, 1]
        assert upstream.refs(Fate.NOT_SENT) == [2, 3]
        await upstream.until(lambda: channel.up)
        assert carrier.stats().binds == 2
        assert channel.status().links[0].last_error == "peer unbound"


async def test_a_status_that_means_bind_makes_the_link_bind_again() -> None:
    async with (
        Simulator(options("refuse:at=1,status=RINVBNDSTS")) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: carrier.stats().binds == 2 and channel.up)
        assert [answer.disposition for answer in upstream.answers] == [Disposition.BIND]


async def test_a_reply_to_a_session_that_is_gone_does_nothing() -> None:
    async with (
        Simulator(options()) as carrier,
        running(channel_config(carrier.port)) as (channel, upstream),
    ):
        upstream.hold = True
        channel.submit(segments("m1"), time.monotonic())
        await upstream.until(lambda: bool(upstream.held))
        held: list[Arrivals] = upstream.held
        upstream.hold = False
        carrier.drop_connections()
        await upstream.until(lambda: len(upstream.receipts) == 2)  # sent again on the next session
        held[0].reply(True)
        await carrier.until(lambda stats: stats.receipts_acknowledged == 1)


async def test_every_segment_is_reported_once_whatever_the_carrier_does(tmp_path: Path) -> None:
    faults = (
        "close:chance=0.01",
        "unbind:chance=0.01",
        "bad-bytes:chance=0.02",
        "refuse:chance=0.05",
        "throttle:at=300",
        "lose:chance=0.01",
        "slow:chance=0.05,seconds=0.02",
        "duplicate-receipt:chance=0.1",
    )
    record = tmp_path / "record"
    timers = replace(QUICK, response=0.3, read=0.3, unbind=0.3)
    async with (
        Simulator(options(*faults, seed=4, record=record, receipt_retry=0.02)) as carrier,
        running(channel_config(carrier.port, links=2, window=20, timers=timers)) as (channel, upstream),
    ):
        missing = list(range(600))
        for _ in range(50):
            missing = await one_round(channel, upstream, missing)
            if not missing:
                break
        assert missing == []
        await carrier.until(lambda stats: stats.owed == 0)
    taken = [event["id"] for event in submits(record) if event["status"] == 0]
    assert {receipt.message_id for receipt in upstream.receipts} == set(taken)
    assert len(taken) == len(set(taken))


async def one_round(channel: Channel, upstream: Upstream, refs: list[int]) -> list[int]:
    """Submit `refs`; return those that must go again. Each is reported once, or twice if late."""
    await upstream.until(lambda: channel.up)
    before, late = len(upstream.answers), channel.status().counters.late
    channel.submit(segments(*refs), time.monotonic())
    await upstream.until(lambda: {answer.ref for answer in upstream.answers[before:]} >= set(refs))
    reported = Counter(answer.ref for answer in upstream.answers[before:] if answer.ref in set(refs))
    assert sum(reported.values()) - len(refs) <= channel.status().counters.late - late
    ended = set(upstream.refs(Fate.ACCEPTED)) | set(upstream.refs(Fate.REFUSED))
    return [ref for ref in refs if ref not in ended]
