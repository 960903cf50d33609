"""Group commit: many callers, one transaction. What `append` confirms survives power loss.

One batch is written at a time. While it is, the next one gathers; so the busier the gateway, the larger the
batches and the cheaper each row. A commit costs about 0.4 ms of CPU however little is in it, so a busy
journal also keeps `interval` between the starts of two; an idle one commits at once.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from gateway.errors import StoreUnavailable
from gateway.store.changes import Part, Parts
from gateway.store.committer import Outcome
from gateway.store.engine import Store
from gateway.store.writer import ThreadWriter, Writer

log = structlog.get_logger(__name__)

Done = Callable[[Exception | None], None]
OnCommit = Callable[[int, float], None]  # rows and seconds of one commit

KEPT_RETRY = 0.25  # seconds until units that must be written are tried again


@dataclass(slots=True)
class _Unit:
    parts: list[Part]
    rows: int
    done: Done
    must: bool


@dataclass(slots=True)
class _Batch:
    units: list[_Unit]
    rows: int


class Journal:
    """The only writer of message state; all methods are for the event loop."""

    def __init__(
        self,
        store: Store,
        max_batch: int = 4_000,
        on_commit: OnCommit | None = None,
        interval: float = 0.008,
        writer: Writer | None = None,
    ) -> None:
        """Write through `writer` (a thread on `store` by default), `max_batch` rows a commit at most (one
        unit may be larger).

        `on_commit` is called on the event loop after every batch. `interval`: seconds between the starts
        of two commits, unless a whole batch is waiting already.
        """
        self._writer = writer or ThreadWriter(store)
        self._max_batch = max_batch
        self._interval = interval
        self._on_commit = on_commit
        self._waiting: deque[_Unit] = deque()
        self._yielding: deque[_Unit] = deque()
        self._kept: list[_Unit] = []  # must be written, and were not yet
        self._writing: deque[_Batch] = deque()  # on their way, oldest first
        self._number = 0  # of the batch that was sent last
        self._timer: asyncio.Handle | None = None
        self._last_start = 0.0
        self._retry_at = 0.0  # when what is kept is due
        self._pending_rows = 0
        self._loop: asyncio.AbstractEventLoop | None = None  # once batches can be written
        self._started = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = asyncio.Event()
        self._ended = asyncio.Event()
        self._crash: BaseException | None = None
        self.failure = ""  # why the last batch was not committed; "": it was

    @property
    def pending_rows(self) -> int:
        """Rows handed over and not yet committed or refused."""
        return self._pending_rows

    async def started(self) -> None:
        """Return once the database is ours to write: what an earlier process committed is all there is."""
        await self._started.wait()

    def append(self, changes: Parts) -> "asyncio.Future[None]":
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

    def post(self, changes: Parts, on_done: Done, *, must: bool = False, yields: bool = False) -> None:
        """Do as `append` does; `on_done` is called on the event loop with None or the error.

        `must`: the changes tell what has already happened. While the store is unavailable they are kept
        and tried again, ahead of whatever was appended after them.
        `yields`: they begin something new, and let what finishes something begun go first, whenever it was
        appended; among themselves they keep their order.
        """
        if self._closing.is_set():
            raise StoreUnavailable("the journal is closed")
        parts = list(changes)
        rows = 0
        for _, of_kind in parts:
            rows += len(of_kind)
        self._pending_rows += rows
        (self._yielding if yields else self._waiting).append(_Unit(parts, rows, on_done, must))
        self._idle.clear()
        if self._timer is None or self._pending_rows >= self._max_batch:
            self._schedule()

    async def run(self) -> None:
        """Commit batches until `close`; cancelling it flushes what was appended, then ends.

        Raises what broke the writer, after which nothing more can be committed.
        """
        await self._writer.start(self._written, self._broken)
        self._loop = asyncio.get_running_loop()
        self._started.set()
        self._schedule()
        try:
            await self._closing.wait()
        finally:
            self._closing.set()
            self._schedule()
            await self._idle.wait()
            await self._writer.stop()
            self._ended.set()
        if self._crash is not None:
            raise self._crash

    async def close(self) -> None:
        """Take no more, commit what was appended, and let `run` end."""
        self._closing.set()
        if self._loop is not None:
            await self._ended.wait()

    def _schedule(self) -> None:
        """Set the start of the next commit, if one is due: soon, but what is kept waits its `KEPT_RETRY`."""
        if self._loop is None or not self._may_start():
            return
        if self._timer is not None:
            self._timer.cancel()
        now = self._loop.time()
        delay = 0.0 if self._pending_rows >= self._max_batch else self._last_start + self._interval - now
        if self._kept:
            delay = max(delay, self._retry_at - now)
        if delay <= 0 or self._closing.is_set():
            self._timer = self._loop.call_soon(self._start)
        else:
            self._timer = self._loop.call_later(delay, self._start)

    def _may_start(self) -> bool:
        """Whether a batch may be sent. With a good one waiting, the writer gets it before it is done with
        the one before, so that it need not wait for a busy event loop.
        """
        if not self._writing:
            return bool(self._kept or self._waiting or self._yielding)
        if self._kept or len(self._writing) > 1:  # what is kept must not be overtaken
            return False
        return self._pending_rows - self._writing[0].rows >= self._max_batch // 2

    def _start(self) -> None:
        """Write the next batch."""
        assert self._loop is not None
        self._timer = None
        units, self._kept = self._kept, []
        rows = sum(unit.rows for unit in units)
        most = math.inf if units else self._max_batch  # behind what is kept, all are to learn of the outage
        for queue in (self._waiting, self._yielding):
            while queue and rows < most:
                unit = queue.popleft()
                units.append(unit)
                rows += unit.rows
        if units:
            known = self._number - len(self._writing)
            self._number += 1
            self._writing.append(_Batch(units, rows))
            self._last_start = self._loop.time()
            self._writer.write([unit.parts for unit in units], self._number, known)

    def _written(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Tell the callers; what must be written and was not goes first in the next batch."""
        batch = self._writing.popleft()
        self._note(outcomes)
        keep = not self._closing.is_set()
        settled: list[tuple[_Unit, Outcome]] = []
        rows = 0
        for unit, outcome in zip(batch.units, outcomes, strict=True):
            if keep and unit.must and isinstance(outcome, StoreUnavailable):
                self._kept.append(unit)
                self._retry_at = self._last_start + KEPT_RETRY
            else:
                settled.append((unit, outcome))
                rows += unit.rows
        self._pending_rows -= rows
        self._schedule()
        if self._on_commit is not None:
            self._on_commit(rows, seconds)
        for unit, outcome in settled:
            try:
                unit.done(outcome)
            except Exception as error:  # one caller's fault must not cost the others their answer
                self._report(error)
        if not (self._kept or self._waiting or self._yielding or self._writing):
            self._idle.set()

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        """Keep whether the store commits, and say when that changes: not every caller makes a noise of it."""
        failure = next((str(one) for one in outcomes if isinstance(one, StoreUnavailable)), "")
        if failure and not self.failure:
            log.error("the store does not commit", error=failure)
        elif self.failure and not failure:
            log.warning("the store commits again")
        self.failure = failure

    def _broken(self, error: BaseException) -> None:
        self._crash = error
        self._kept.clear()
        self._waiting.clear()
        self._yielding.clear()
        self._writing.clear()
        self._closing.set()
        self._idle.set()

    def _report(self, error: Exception) -> None:
        assert self._loop is not None
        self._loop.call_exception_handler({"message": "a journal callback failed", "exception": error})
