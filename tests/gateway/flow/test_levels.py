"""The gauges of a moment."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from carriers.status import LinkState, LinkStatus
from gateway.domain.message import Purpose
from gateway.store import messages as stored
from tests.support.flow import Rig, channel_config, flow


def page(rig: Rig) -> set[str]:
    lines = rig.pipeline.context.metrics.render().decode().splitlines()
    return {line for line in lines if not line.startswith("#")}


async def test_queues_windows_and_links_are_told(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", window=5)) as rig:
        await rig.accept(8, purpose=Purpose.PROMOTION)
        await rig.settled()
        rig.clock.pass_(30)
        rig.pipeline.levels.set_queues(await rig.store.read(stored.lanes))
        shown = page(rig)
        assert 'scloud_queue_messages{channel="alpha",purpose="promotion"} 3.0' in shown
        assert 'scloud_queue_oldest_seconds{channel="alpha",purpose="promotion"} 30.0' in shown
        assert 'scloud_segments_in_flight{channel="alpha"} 5.0' in shown
        assert 'scloud_window{channel="alpha"} 5.0' in shown
        assert 'scloud_channel_up{channel="alpha"} 1.0' in shown


async def test_a_channel_tells_what_waits_for_it_and_since_when_it_is_up(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", window=5)) as rig:
        await rig.accept(8)
        await rig.settled()
        levels = rig.pipeline.levels
        levels.set_queues(await rig.store.read(stored.lanes))
        rig.channel().links.append(
            LinkStatus("1", LinkState.BOUND, rig.clock.monotonic() - 90, in_flight=5, window=5, last_error="")
        )
        told = levels.channels()["alpha"]
        assert (told["waiting"], told["in_flight"]) == (3, 5)
        (link,) = told["links"]
        since = datetime.fromisoformat(link["since"])
        assert since.timestamp() * 1000 == rig.clock.now_ms() - 90_000


async def test_what_a_channel_has_counted_is_counted_once(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        counters = rig.channel().counters
        counters.throttled[0x58] = 3
        counters.bind_failures["credentials"] = 1
        counters.faults["bad pdu"] = 2
        for _ in range(2):
            shown = page(rig)
        counters.throttled[0x58] = 4
        assert 'scloud_throttled_total{channel="alpha",status="ESME_RTHROTTLED"} 3.0' in shown
        assert 'scloud_throttled_total{channel="alpha",status="ESME_RTHROTTLED"} 4.0' in page(rig)
        assert 'scloud_bind_failures_total{channel="alpha",why="credentials"} 1.0' in shown
        assert 'scloud_protocol_faults_total{channel="alpha"} 2.0' in shown


@pytest.mark.parametrize(("took", "pause"), [(0.01, 5.0), (3.0, 60.0)])
async def test_the_longer_a_count_of_the_queues_takes_the_seldomer_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, took: float, pause: float
) -> None:
    pauses: list[float] = []

    async def slowly(query: Any) -> list[Any]:
        rig.clock.pass_(took)
        return []

    async def slept(seconds: float) -> None:
        pauses.append(seconds)
        raise asyncio.CancelledError

    async with flow(tmp_path / "g.db", helpers=()) as rig:
        with monkeypatch.context() as patched:
            patched.setattr(rig.store, "read", slowly)
            patched.setattr(asyncio, "sleep", slept)
            with pytest.raises(asyncio.CancelledError):
                await rig.pipeline.levels.run()
    assert pauses == [pytest.approx(pause, abs=0.01)]
