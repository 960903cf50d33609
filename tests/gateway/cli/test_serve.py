"""The gateway's event loop."""

import asyncio

import structlog

from gateway.cli.serve import run_loop


def test_what_a_callback_of_the_loop_raises_is_in_the_log() -> None:
    async def work() -> int:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return 7

    with structlog.testing.capture_logs() as lines:
        assert run_loop(work()) == 7
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("callback failed", "error")
    assert isinstance(line["exc_info"], ZeroDivisionError)
