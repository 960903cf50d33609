"""Group commit: many callers, one transaction. What `append` confirms survives power loss.

One thread writes. While it commits a batch, the next one gathers; so the busier the gateway, the larger
the batches and the cheaper each row. A commit costs about 0.4 ms of CPU however little is in it, so a busy
journal also keeps `interval` between the starts of two; an idle one commits at once.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from gateway.errors import StoreUnavailable
from gateway.store.changes import Changes
from gateway.store.committer import Committer, Outcome
from gateway.store.engine import Store

Done = Callable[[Exception | None], None]
OnCommit = Callable[[int, float], None]  # rows and seconds of one commit

KEPT_RETRY = 0.25  # seconds until units that must be written are tried again


@dataclass(slots=True)
class _Unit:
    changes: Changes
    done: Done
    must: bool


class Journal:
    """The only writer of message state; all methods are for the event loop."""

    def __init__(
        self,
        store: Store,
        max_batch: int = 4_000,
        on_commit: OnCommit | None = None,
        interval: float = 0.004,
    ) -> None:
        """Write through `store`, `max_batch` rows a commit at most (one unit may be larger).

        `on_commit` is called on the event loop after every batch. `interval`: seconds between the starts
        of two commits, unless a whole batch is waiting already.
        """
        self._committer = Committer(store)
        self._max_batch = max_batch
        self._interval = interval
        self._on_commit = on_commit
        self._queue: SimpleQueue[_Unit | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._closed = False
        self._pending_rows = 0
        self._crash: BaseException | None = None

    @property
    def pending_rows(self) -> int:
        """Rows handed over and not yet committed or refused."""
        return self._pending_rows

    def append(self, changes: Changes) -> "asyncio.Future[None]":
        """Return a future that is done once `changes` are committed, all or none, in the order appended.

        It fails with `StoreUnavailable` or `RowRefused`; then none of them happened. Giving up waiting
        takes nothing back.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: Exception | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        self.post(changes, done)
        return future

    def post(self, changes: Changes, on_done: Done, *, must: bool = False) -> None:
        """Do as `append` does; `on_done` is called on the event loop with None or the error.

        `must`: the changes tell what has already happened. While the store is unavailable they are kept
        and tried again, ahead of whatever was appended after them.
        """
        if self._closed:
            raise StoreUnavailable("the journal is closed")
        changes.rows = count_rows(changes)
        self._pending_rows += changes.rows
        self._queue.put(_Unit(changes, on_done, must))

    async def run(self) -> None:
        """Commit batches until `close`; cancelling it flushes what was appended, then ends."""
        self._loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._write, name="journal", daemon=True)
        thread.start()
        try:
            await self._ended.wait()
        finally:
            await self._stop()
            thread.join()
        if self._crash is not None:
            raise self._crash

    async def close(self) -> None:
        """Take no more, commit what was appended, and let `run` end."""
        await self._stop()

    async def _stop(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        if self._loop is not None:
            await self._ended.wait()

    def _write(self) -> None:
        """Live as the writer thread."""
        assert self._loop is not None
        try:
            self._commit_batches(self._loop)
        except BaseException as error:
            self._crash = error
        finally:
            self._committer.close()
            self._loop.call_soon_threadsafe(self._ended.set)

    def _commit_batches(self, loop: asyncio.AbstractEventLoop) -> None:
        open_, started = True, 0.0
        kept: list[_Unit] = []
        while open_:
            batch, open_ = self._gather(kept, started + self._interval)
            if not batch:
                continue
            started = time.monotonic()
            outcomes = self._committer.commit([unit.changes for unit in batch])
            seconds = time.monotonic() - started
            pairs = list(zip(batch, outcomes, strict=True))
            kept = [unit for unit, outcome in pairs if open_ and _must_wait(unit, outcome)]
            if kept:
                pairs = [pair for pair in pairs if not _must_wait(*pair)]
            loop.call_soon_threadsafe(self._confirm, pairs, seconds)

    def _gather(self, kept: Sequence[_Unit], not_before: float) -> tuple[list[_Unit], bool]:
        """Wait for a unit, take what else is there; False once there is nothing more to come.

        `kept` go first; with them nobody waits longer than until they are due again.
        """
        batch = list(kept)
        rows = sum(unit.changes.rows for unit in kept)
        try:
            unit = self._queue.get(timeout=KEPT_RETRY if kept else None)
            while unit is not None:
                batch.append(unit)
                rows += unit.changes.rows
                if rows >= self._max_batch:
                    return batch, True
                if self._queue.empty():
                    self._sleep_until(not_before)
                unit = self._queue.get_nowait()
        except Empty:
            return batch, True
        return batch, False

    def _sleep_until(self, due: float) -> None:
        """Let more gather, unless there is a whole batch or the end has come."""
        early = due - time.monotonic()
        if early > 0 and not self._closed and self._pending_rows < self._max_batch:
            time.sleep(early)

    def _confirm(self, settled: Sequence[tuple[_Unit, Outcome]], seconds: float) -> None:
        rows = 0
        for unit, _ in settled:
            rows += unit.changes.rows
        self._pending_rows -= rows
        if self._on_commit is not None:
            self._on_commit(rows, seconds)
        for unit, outcome in settled:
            try:
                unit.done(outcome)
            except Exception as error:  # one caller's fault must not cost the others their answer
                self._report(error)

    def _report(self, error: Exception) -> None:
        assert self._loop is not None
        self._loop.call_exception_handler({"message": "a journal callback failed", "exception": error})


def _must_wait(unit: _Unit, outcome: Outcome) -> bool:
    """Whether `unit` was not written and yet has to be."""
    return unit.must and isinstance(outcome, StoreUnavailable)


def count_rows(changes: Changes) -> int:
    """Return how many rows `changes` write."""
    c = changes
    return (
        len(c.submissions) + len(c.messages) + len(c.moves) + len(c.segments) + len(c.finals)
        + len(c.receipts) + len(c.early) + len(c.early_matched) + len(c.inbound) + len(c.events)
        + len(c.ledger) + len(c.outbox) + len(c.outbox_moves) + len(c.marks)
    )  # fmt: skip
