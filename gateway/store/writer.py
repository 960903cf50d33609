"""Who commits the journal's batches: a thread of this process, or a process of its own.

The process is for the running gateway. A thread shares the interpreter lock with the event loop, and a commit
of a dozen statements takes the lock two dozen times: under load each time costs a switch interval and a
wake-up, so that most of a commit is waiting. Another process shares nothing but the rows.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Protocol

from gateway.errors import StoreUnavailable
from gateway.store.changes import Parts
from gateway.store.committer import Committer, Outcome
from gateway.store.engine import Store

Written = Callable[[Sequence[Outcome], float], None]  # an outcome for each unit, seconds of the commit
Crashed = Callable[[BaseException], None]


class Writer(Protocol):
    """Commits batch after batch; every method and callback is for the event loop."""

    async def start(self, written: Written, crashed: Crashed) -> None:
        """Return once batches can be written; `crashed` is called if ever they no longer can."""

    def write(self, units: Sequence[Parts], number: int, known: int) -> None:
        """Commit `units`; `written` is called when it is known what became of them, batch by batch in order.

        Batches are numbered from 1; `known` is the last one whose outcome the caller knew by now.
        """

    async def stop(self) -> None:
        """Let go of the database; no batch may be on its way."""


class InOrder:
    """Keeps a batch from being written after one before it was not, unless the caller knows of that."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._failed = 0

    def commit(self, units: Sequence[Parts], number: int, known: int) -> Sequence[Outcome]:
        """Do as `Committer.commit` does, or fail like the batch before."""
        if self._failed > known:
            return [StoreUnavailable("the batch before was not written")] * len(units)
        outcomes = self._committer.commit(units)
        if any(isinstance(outcome, StoreUnavailable) for outcome in outcomes):
            self._failed = number
        return outcomes

    def close(self) -> None:
        """Give the connection back."""
        self._committer.close()


class ThreadWriter:
    """A thread with a connection of its own."""

    def __init__(self, store: Store) -> None:
        self._committer = InOrder(Committer(store))
        self._batches: SimpleQueue[tuple[Sequence[Parts], int, int] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def start(self, written: Written, crashed: Crashed) -> None:
        """Start the thread."""
        arguments = (asyncio.get_running_loop(), written, crashed)
        self._thread = threading.Thread(target=self._run, args=arguments, name="journal", daemon=True)
        self._thread.start()

    def write(self, units: Sequence[Parts], number: int, known: int) -> None:
        """Hand `units` to the thread."""
        self._batches.put((units, number, known))

    async def stop(self) -> None:
        """End the thread."""
        self._batches.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self, loop: asyncio.AbstractEventLoop, written: Written, crashed: Crashed) -> None:
        try:
            while (batch := self._batches.get()) is not None:
                started = time.monotonic()
                outcomes = self._committer.commit(*batch)
                loop.call_soon_threadsafe(written, outcomes, time.monotonic() - started)
        except BaseException as error:
            loop.call_soon_threadsafe(crashed, error)
        finally:
            self._committer.close()
