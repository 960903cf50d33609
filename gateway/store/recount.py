"""Counting the messages again: what the counters must say, and putting them right if they do not.

A recount reads one snapshot, range of ids by range of ids, so the writer goes on meanwhile. What it finds
wrong it corrects by the difference; whatever was counted in between is added to the same row and stays right.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.domain.statistics import (
    COUNTERS,
    QUARTER_MS,
    UNUSED,
    USED,
    Calendar,
    Standing,
    cost,
    standing,
)
from gateway.errors import Conflict, Invalid
from gateway.ids import id_at
from gateway.store import statistics, tables, tables_stats
from gateway.store.bulk import COUNTED, STATISTICS, Statement

CHUNK = 50_000  # messages in one range
PURGED = "statistics/purged"  # mark: when the youngest message that was deleted had been accepted, unix ms
RECOUNTED = "statistics/recounted"  # mark: how many corrections there were

_m = tables.messages.c
_s = tables.submissions.c
_c = tables_stats.conversions.c
_marks = tables.marks.c
_t = tables_stats.statistics.c

Key = tuple[Any, ...]  # the values of `COUNTED`
Progress = Callable[[int], None]  # messages counted so far


@dataclass(frozen=True, slots=True)
class Recount:
    """What the messages say and what the counters said, at one moment."""

    messages: int
    since: str | None  # the first day that can be recounted: of those before, messages are deleted
    differences: dict[Key, Sequence[int]]  # to be added, in the order of `COUNTERS`
    corrections: int  # there had been before


def recount(connection: Connection, day: date | None = None, progress: Progress | None = None) -> Recount:
    """Count the messages of `day`, or of every day none is deleted of, and compare; changes nothing.

    Raises `Invalid` for a day of which messages are deleted already.
    """
    calendar = statistics.calendar(connection)
    since = _first_whole_day(connection, calendar)
    if day is not None and since is not None and day.isoformat() < since:
        raise Invalid(f"messages of {day} are deleted already: its counters cannot be checked")
    found, messages = _count(connection, calendar, _Days(day, since), progress)
    said = _said(connection, day, since)
    differences = {
        key: difference
        for key in found.keys() | said.keys()
        if any(
            difference := [a - b for a, b in zip(found.get(key, _ZERO), said.get(key, _ZERO), strict=True)]
        )
    }
    return Recount(messages, since, dict(sorted(differences.items())), _mark(connection, RECOUNTED))


def correct(connection: Connection, found: Recount) -> None:
    """Add the differences to the counters; raises `Conflict` if somebody else corrected them meanwhile."""
    dialect = connection.dialect
    make: Any = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    statement = make(tables.marks).values(name=RECOUNTED, value=found.corrections + 1)
    marked = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"value": statement.excluded.value},
            where=_marks.value == found.corrections,
        ).returning(statement.table.c.name)
    ).first()
    if marked is None:
        raise Conflict("the counters were corrected by somebody else meanwhile: count again")
    rows = [(*key, *difference) for key, difference in found.differences.items()]
    if rows:
        Statement(STATISTICS, dialect).execute(connection.connection.cursor(), rows)


def begin(connection: Connection, zone: str, now_ms: int) -> None:
    """Let days be those of `zone` from now on; the first time, count whatever is stored already.

    For the start of the gateway, before anything is written: the writer learns the zones at its first commit.
    """
    if statistics.use_zone(connection, zone, now_ms):
        correct(connection, recount(connection))


def purged(connection: Connection, accepted_at: Iterable[int]) -> None:
    """Remember that messages accepted at these times are deleted: their days can be recounted no more."""
    youngest = max(accepted_at)
    dialect = connection.dialect.name
    make: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = make(tables.marks).values(name=PURGED, value=youngest)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"value": statement.excluded.value},
            where=_marks.value < youngest,
        )
    )


_ZERO = (0,) * len(COUNTERS)


@dataclass(frozen=True, slots=True)
class _Days:
    """One day, or every one from `since` on."""

    day: date | None
    since: str | None

    def __contains__(self, day: str) -> bool:
        if self.day is not None:
            return day == self.day.isoformat()
        return self.since is None or day >= self.since

    def span(self, calendar: Calendar) -> tuple[int, int]:
        """Return from when to when messages of these days may have been accepted."""
        if self.day is not None:
            return calendar.span(self.day)
        return (calendar.span(date.fromisoformat(self.since))[0] if self.since else 0), 1 << 62


def _first_whole_day(connection: Connection, calendar: Calendar) -> str | None:
    youngest = _mark(connection, PURGED)
    if not youngest:
        return None
    return date.fromordinal(date.fromisoformat(calendar.day(youngest)).toordinal() + 1).isoformat()


def _mark(connection: Connection, name: str) -> int:
    return connection.execute(select(_marks.value).where(_marks.name == name)).scalar() or 0


def _count(
    connection: Connection, calendar: Calendar, days: _Days, progress: Progress | None
) -> tuple[dict[Key, list[int]], int]:
    """Count range by range. Ids are never behind the clock but may be ahead of it: no range is the last."""
    found: dict[Key, list[int]] = {}
    messages = 0
    begin, end = days.span(calendar)
    after = max(0, id_at(begin) - 1)
    while (last := connection.execute(_LAST, {"after": after, "chunk": CHUNK}).scalar()) is not None:
        here = {"after": after, "last": last, "begin": begin, "end": end}
        for row in connection.execute(_RANGE, here):
            account, project, template, country, purpose, quarter, *rest = row
            day = calendar.day_of_quarter(quarter)
            if day in days:
                messages += rest[-1]
                key = (account, day, project, country, purpose, template)
                _add(found.setdefault(key, [0] * len(COUNTERS)), rest)
        after = last
        if progress is not None:
            progress(messages)
    return found, messages


def _add(counts: list[int], rest: Sequence[Any]) -> None:
    state, submitted, segments, sent, used, count = rest
    each = cost(state, segments, sent)
    slots = {Standing.OPEN, standing(state, bool(submitted))}  # the first pair counts every message
    for slot in slots:
        counts[2 * slot] += count
        counts[2 * slot + 1] += count * each
    if used is not None:
        counts[USED if used else UNUSED] += count


def _said(connection: Connection, day: date | None, since: str | None) -> dict[Key, Sequence[int]]:
    said = select(*(_t[name] for name in (*COUNTED, *COUNTERS)))
    if day is not None:
        said = said.where(_t.day == day.isoformat())
    elif since is not None:
        said = said.where(_t.day >= since)
    return {tuple(row[: len(COUNTED)]): row[len(COUNTED) :] for row in connection.execute(said)}


def _last_of_range() -> Select[Any]:
    after, chunk = bindparam("after", type_=BigInteger), bindparam("chunk", type_=BigInteger)
    ids = select(_m.id).where(_m.id > after).order_by(_m.id).limit(chunk)
    return select(func.max(ids.subquery().c.id))


def _range() -> Select[Any]:
    """Group the messages of a range; plain columns outside, for PostgreSQL takes no two parameters as one."""
    messages = select(
        _s.account_id,
        _s.project_id,
        func.coalesce(_m.template_id, _s.template_id).label("template_id"),
        _m.country,
        _m.purpose,
        (_s.created_at // literal_column(str(QUARTER_MS), BigInteger)).label("quarter"),
        _m.state,
        _m.submitted_at.is_not(None).label("submitted"),
        _m.segments,
        _m.sent_segments,
        _c.used,
    ).join_from(tables.messages, tables.submissions, _s.id == _m.submission_id)
    messages = messages.outerjoin(tables_stats.conversions, _c.message_id == _m.id)
    after, last, begin, end = (
        bindparam(name, type_=BigInteger) for name in ("after", "last", "begin", "end")
    )
    here = (_m.id > after, _m.id <= last, _s.created_at >= begin, _s.created_at < end)
    found = messages.where(*here).subquery("found")
    return select(*found.c, func.count()).group_by(*found.c)


_LAST = _last_of_range()
_RANGE = _range()
