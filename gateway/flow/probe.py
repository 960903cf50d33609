"""Asks the store whether it commits again, so that a gateway nobody sends to any more finds out."""

import asyncio
import contextlib

from gateway.clock import Clock
from gateway.errors import StoreUnavailable
from gateway.store.changes import Changes
from gateway.store.journal import Journal

INTERVAL = 1.0  # seconds
_MARK = "probe"


async def probe(journal: Journal, clock: Clock) -> None:
    """Write a row that says nothing; raises `StoreUnavailable`."""
    await journal.append(Changes(marks=[(_MARK, clock.now_ms())]))


class Probe:
    """Tries once a second for as long as the journal fails."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.look()

    async def look(self) -> None:
        """Try, if the last commit failed."""
        if self._journal.failure:
            with contextlib.suppress(StoreUnavailable):
                await probe(self._journal, self._clock)
