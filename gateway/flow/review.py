"""The review at work: what waits for the automatic checks is moved on, reviewers' decisions take effect."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.domain.review import Kind, Move
from gateway.errors import GatewayError
from gateway.flow.rules import RuleFile
from gateway.metrics import ReviewMetrics
from gateway.store import review_reads, reviews
from gateway.store.audit import By
from gateway.store.engine import Store
from gateway.store.reviews import Decided

T = TypeVar("T")
Work = Callable[[Connection], T]

log = structlog.get_logger(__name__)

INTERVAL = 1.0  # seconds: what the command line hands in is found by looking


class Reviews:
    """Changes what is reviewed, in short transactions on a thread of its own, beside the queue's reads."""

    def __init__(
        self,
        store: Store,
        rules: RuleFile,
        clock: Clock,
        metrics: ReviewMetrics,
        take_over: Callable[[], Awaitable[None]],
    ) -> None:
        """`take_over` brings what was committed into the memory that sends are checked against."""
        self._store = store
        self._rules = rules
        self._clock = clock
        self._metrics = metrics
        self._take_over = take_over
        self._thread = ThreadPoolExecutor(1, "reviews")
        self._handed_in = asyncio.Event()

    async def ask(self, work: Work[T]) -> T:
        """Return what `work` reads; raises `StoreUnavailable`, and what it raises."""
        return await self._store.read(work)

    async def change(self, work: Work[T]) -> T:
        """Commit what a customer's `work` changes, and have it checked soon; raises likewise.

        What was approved and is not any more cannot be sent by the customer's next request.
        """
        done = await self._run(partial(self._store.transaction, work))
        self.nudge()
        await self._take_over()
        return done

    def nudge(self) -> None:
        """Say that something was handed in."""
        self._handed_in.set()

    def decision(self, item_id: str, move: Move, by: By, version: int) -> Work[Decided]:
        """Return what makes a reviewer's move inside a transaction; `count` it once that is committed.

        It raises `NotFound`, `Invalid` and `Conflict` as `reviews.decide` does.
        """
        checks = self._rules.checks

        def work(connection: Connection) -> Decided:
            return reviews.decide(connection, checks, item_id, move, by, version=version)

        return work

    def count(self, made: Decided) -> None:
        """Count a decision that was committed."""
        self._metrics.moves.add(1, made.kind, made.after.name.lower(), "reviewer")

    async def run(self) -> None:
        """Check what waits, again and again, until cancelled."""
        while True:
            self._handed_in.clear()
            try:
                await self.look()
            except GatewayError as error:
                log.warning("could not check what was handed in", error=str(error))
            except Exception:
                # what waits is in the store, and stays there until somebody has mended this
                log.exception("could not check what was handed in")
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._handed_in.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Move on everything that waits for the automatic checks; raises `StoreUnavailable`."""
        await self._run(self._rules.refresh)
        while waiting := await self._store.read(reviews.to_check):
            for moved in await self._run(partial(self._store.transaction, partial(self._check, waiting))):
                self._metrics.moves.add(1, moved.kind, moved.after.name.lower(), "check")
        counts = await self._store.read(review_reads.waiting)
        self._metrics.waiting.replace({(kind,): count for kind, count in counts.items()})

    def close(self) -> None:
        """Wait for the transaction that is under way."""
        self._thread.shutdown()

    def _check(self, waiting: list[tuple[Kind, str]], connection: Connection) -> list[Decided]:
        now_ms, checks = self._clock.now_ms(), self._rules.checks
        made = (reviews.check(connection, checks, kind, item_id, now_ms) for kind, item_id in waiting)
        return [decided for decided in made if decided is not None]

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
