"""Supervised tasks: nothing dies in silence."""

import asyncio

import pytest
import structlog

from gateway.errors import StoreUnavailable
from gateway.tasks import HelperStopped, Tasks


async def test_a_failing_helper_cancels_the_others_and_comes_out() -> None:
    cancelled: list[str] = []

    async def lives() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("lives")
            raise

    async def dies() -> None:
        raise OSError("disk on fire")

    async def both() -> None:
        async with Tasks() as tasks:
            tasks.helper("lives", lives())
            tasks.helper("dies", dies())

    with pytest.raises(ExceptionGroup) as caught:
        await both()
    assert caught.group_contains(OSError, match="disk on fire")
    assert cancelled == ["lives"]


async def test_a_helper_that_returns_is_a_failure() -> None:
    async def returns() -> None:
        return

    with pytest.raises(ExceptionGroup) as caught:
        async with Tasks() as tasks:
            tasks.helper("returns", returns())
    assert caught.group_contains(HelperStopped, match="returns")


async def test_stop_ends_helpers_quietly_and_lets_jobs_finish() -> None:
    done: list[str] = []
    gate = asyncio.Event()

    async def finishes_on_cancel() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            done.append("helper")

    async def job() -> None:
        await gate.wait()
        done.append("job")

    async with Tasks() as tasks:
        tasks.helper("helper", finishes_on_cancel())
        tasks.job("job", job())
        await asyncio.sleep(0)
        tasks.stop()
        await asyncio.sleep(0)
        gate.set()
    assert done == ["helper", "job"]


async def test_an_error_inside_the_block_stops_the_helpers() -> None:
    async def start() -> None:
        async with Tasks() as tasks:
            tasks.helper("waits", _wait_forever())
            raise ValueError("start-up failed")

    with pytest.raises(ExceptionGroup) as caught:
        await start()
    assert caught.group_contains(ValueError)


async def _wait_forever() -> None:
    await asyncio.Event().wait()


async def test_a_failure_that_somebody_else_tells_is_not_told_twice() -> None:
    async def dies() -> None:
        raise StoreUnavailable("another gateway")

    for told, lines in (((), ["task failed"]), ((StoreUnavailable,), [])):
        with structlog.testing.capture_logs() as logged, pytest.raises(ExceptionGroup) as caught:
            async with Tasks() as tasks:
                tasks.job("journal", dies(), told=told)
        assert [line["event"] for line in logged] == lines
        assert caught.group_contains(StoreUnavailable)
