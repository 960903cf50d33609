"""Blacklist, opt-outs and allow-list as the running gateway has them: loaded whole, then followed."""

import asyncio
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from gateway.domain.lists import Listing, NumberLists
from gateway.flow.context import Context
from gateway.store import numbers

_TURN = 1_000  # changes applied in one turn of the event loop: a few milliseconds


class LiveLists:
    """Keeps `index` as the store has it."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._clock = context.clock
        self._metrics = context.metrics.risk
        self._version = 0
        self._refreshing = asyncio.Lock()
        self.index = NumberLists()

    async def load(self) -> None:
        """Read every list; raises `StoreUnavailable`."""
        self.index, self._version = await self._store.read(_load)
        self._metrics.numbers.set(len(self.index))

    async def refresh(self) -> None:
        """Take over what was changed in the store since the last look; raises `StoreUnavailable`.

        Whoever committed a change calls this: when it returns, the change is in effect.
        """
        async with self._refreshing:
            while True:
                look = partial(numbers.changes_after, after=self._version)
                changes, reached = await self._store.read(look)
                for start in range(0, len(changes), _TURN):
                    self.index.apply(changes[start : start + _TURN])
                    await asyncio.sleep(0)
                moved, self._version = reached > self._version, reached
                if not (moved and changes):
                    break
            self._metrics.numbers.set(len(self.index))

    async def list_numbers(self, listings: Sequence[Listing]) -> None:
        """Put numbers on their lists: when it returns, that is stored and in effect."""
        now_ms = self._clock.now_ms()
        await self._store.write(partial(numbers.list_numbers, listings=listings, now_ms=now_ms))
        await self.refresh()


def _load(connection: Connection) -> tuple[NumberLists, int]:
    reached = numbers.version(connection)
    index = NumberLists()
    for page in numbers.all_listed(connection):
        index.apply(page)
    return index, reached
