"""Reports that wait to be pulled: given out once, and to nobody twice."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from gateway.store import tables_stats

KEPT_MS = 72 * 3_600_000  # a report nobody pulls is forgotten after three days
REPEATED_MS = 3_600_000  # one that was pulled by a request that may be repeated, after an hour

_p = tables_stats.pull_reports.c


def take(connection: Connection, account_id: str, limit: int) -> list[str]:
    """Return the account's oldest reports and delete them; what others are taking now is not waited for."""
    rows = _waiting(connection, account_id, limit)
    _delete(connection, [seq for seq, _ in rows])
    return [payload for _, payload in rows]


def take_again(
    connection: Connection, account_id: str, limit: int, now_ms: int, *, request_key: str, since_ms: int
) -> list[str]:
    """Do as `take` does, or return what the same request took since then: it is repeated."""
    again = (_p.request_key == request_key, _p.pulled_at >= since_ms, _p.account_id == account_id)
    given = connection.execute(select(_p.payload).where(*again).order_by(_p.seq)).scalars().all()
    if given:
        return list(given)
    rows = _waiting(connection, account_id, limit)
    if rows:
        taken = update(tables_stats.pull_reports).where(_p.seq.in_([seq for seq, _ in rows]))
        connection.execute(taken.values(pulled_at=now_ms, request_key=request_key))
    return [payload for _, payload in rows]


def forget(connection: Connection, now_ms: int, keep_ms: int, limit: int) -> int | None:
    """Delete some reports that are too old, or were pulled long enough ago; None: there are no more.

    A report that nobody pulls is kept for three days, or `keep_ms` if that is less.
    """
    for old in (_p.created_at < now_ms - min(KEPT_MS, keep_ms), _p.pulled_at < now_ms - REPEATED_MS):
        found = connection.execute(select(_p.seq).where(old).limit(limit)).scalars().all()
        if found:
            _delete(connection, found)
            return len(found)
    return None


def _waiting(connection: Connection, account_id: str, limit: int) -> Sequence[tuple[int, str]]:
    mine = (_p.account_id == account_id, _p.pulled_at.is_(None))
    asked = select(_p.seq, _p.payload).where(*mine).order_by(_p.seq).limit(limit)
    return [(seq, payload) for seq, payload in connection.execute(asked.with_for_update(skip_locked=True))]


def _delete(connection: Connection, numbers: Sequence[int]) -> None:
    connection.execute(delete(tables_stats.pull_reports).where(_p.seq.in_(numbers)))
