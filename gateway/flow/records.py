"""What customers read and tell about messages they have sent: statistics, reports to pull, use."""

from collections.abc import Iterator, Sequence
from functools import partial

from gateway.domain.statistics import Calendar
from gateway.flow.context import Context
from gateway.store import pulls, reads, statistics
from gateway.store.changes import Changes, Row
from gateway.store.statistics import Page, Wanted

AT_ONCE = 1_000  # rows of one unit: the journal's other users wait for it


class Records:
    """Answers from the store; what it writes goes through the journal or a short transaction of its own."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._journal = context.journal
        self._clock = context.clock
        self._days = Calendar([(0, context.settings.api.time_zone)])
        self._window_ms = int(context.settings.api.dedup_window * 1000)

    def today(self) -> str:
        """Return the day that is not over yet, YYYY-MM-DD."""
        return self._days.day(self._clock.now_ms())

    async def statistics(
        self, wanted: Wanted, by: Sequence[str], *, descending: bool, offset: int, limit: int
    ) -> Page:
        """Return some of the counters, summed by the columns `by`; raises `StoreUnavailable`."""
        return await self._store.read(
            partial(statistics.page, wanted=wanted, by=by, descending=descending, offset=offset, limit=limit)
        )

    async def pull(self, account_id: str, limit: int, repeatable: str | None) -> list[str]:
        """Return the oldest reports of an account as JSON items; nobody gets them again.

        `repeatable` names a request that can be told from every other: within the duplicate window it gets
        the same ones again, also after a restart. Raises `StoreUnavailable`, and they wait as before.
        """
        if repeatable is None:
            return await self._store.write(partial(pulls.take, account_id=account_id, limit=limit))
        now_ms = self._clock.now_ms()
        return await self._store.write(
            partial(
                pulls.take_again,
                account_id=account_id,
                limit=limit,
                now_ms=now_ms,
                request_key=repeatable,
                since_ms=now_ms - self._window_ms,
            )
        )

    async def tell(
        self,
        account_id: str,
        sessions: Sequence[str],
        phones: Sequence[str],
        *,
        used: bool,
        used_at: int | None = None,
    ) -> list[str]:
        """Write down whether the account's messages of `sessions` were used; return which were found.

        `phones`: only those to these numbers; empty: all. Raises `StoreUnavailable`; telling it again does
        no harm.
        """
        find = partial(reads.sent_to, account_id=account_id, sessions=sessions, phones=phones)
        found = await self._store.read(find)
        told_at = self._clock.now_ms()
        rows = [(id_, int(used), used_at, told_at) for ids in found.values() for id_ in ids]
        for some in _some(rows):
            await self._journal.append(Changes(conversions=some))
        return [session for session in sessions if found.get(session)]


def _some(rows: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
