"""The one place that makes tasks. A helper that dies is logged and takes its group down, never in silence."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

import structlog

from gateway.errors import GatewayError

log = structlog.get_logger(__name__)


class HelperStopped(Exception):
    """A helper that was to run until cancelled returned; the process cannot do its work without it."""


class Tasks:
    """A supervised group: when one task fails, all are cancelled and the failure comes out of `async with`.

    Leaving the block waits for the jobs; helpers never end by themselves, so call `stop` first.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._helpers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Open the group."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for every task; raises an ExceptionGroup of what failed."""
        if error is not None:
            self.stop()
        await self._group.__aexit__(kind, error, trace)

    def helper(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` until `stop` or its own cancellation; if it returns before, the group fails."""
        task = self._start(name, work, self._endless(name, work))
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)
        return task

    def job(
        self, name: str, work: Coroutine[Any, Any, None], told: tuple[type[Exception], ...] = ()
    ) -> asyncio.Task[None]:
        """Run `work` once to its end; whoever opened the group says of failures of the kinds `told`."""
        return self._start(name, work, self._watched(name, work, told))

    def stop(self) -> None:
        """Cancel every helper; jobs run to their end."""
        for task in tuple(self._helpers):
            task.cancel()

    def _start(
        self, name: str, work: Coroutine[Any, Any, None], around: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        task = self._group.create_task(around, name=name)
        task.add_done_callback(lambda _: work.close())  # cancelled before its first step: never begun
        return task

    async def _endless(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        await self._watched(name, work)
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # it took the cancellation as its cue to finish
            return
        log.error("helper stopped by itself", task=name)
        raise HelperStopped(name)

    async def _watched(
        self, name: str, work: Coroutine[Any, Any, None], told: tuple[type[Exception], ...] = ()
    ) -> None:
        try:
            await work
        except told:
            raise
        except GatewayError as error:  # it says all there is to say
            log.error("task failed", task=name, error=str(error))
            raise
        except Exception:
            log.exception("task failed", task=name)
            raise
