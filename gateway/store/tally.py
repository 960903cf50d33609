"""The counters of the statistics, kept by the commits that change what they count.

What a batch adds is worked out from its rows and from what they replace, inside its transaction: whatever
becomes of the process, the counters say what a recount of the messages would. Balances are kept likewise.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Executable, FromClause, select
from sqlalchemy.engine.interfaces import DBAPICursor

from gateway.domain.message import State
from gateway.domain.statistics import COUNTERS, UNUSED, USED, Calendar, Standing, cost, standing
from gateway.store import tables, tables_stats
from gateway.store.bulk import STATISTICS, Kind, Statement
from gateway.store.changes import MESSAGE, MOVE, SUBMISSION, Row

KNOWN = 10_000  # submissions remembered, so that answers and receipts need not look them up

_m = tables.messages.c
_s = tables.submissions.c
_OWNER = ("id", "account_id", "project_id", "template_id", "created_at")
_SHAPE = ("submission_id", "purpose", "template_id", "country", "segments")  # what a message brings
_owner = itemgetter(*(SUBMISSION.index(name) for name in _OWNER))
_new = itemgetter(*(MESSAGE.index(name) for name in ("state", "submitted_at", "sent_segments", *_SHAPE)))
_moved = itemgetter(*(MOVE.index(name) for name in ("id", "state", "submitted_at", "sent_segments")))
_first_two = itemgetter(0, 1)  # of a FINAL: message, state; of a CONVERSION: message, used
_STATE = MOVE.index("state")

Owner = tuple[str, str, str, str]  # account, project, the submission's template, day
Mark = tuple[Standing, int]  # how a message stands, and its segments


def _before_final(kind: Kind, v: FromClause, _dialect: str) -> Executable:
    """Select what messages are that are about to end: new state first."""
    return select(v.c.state, *_present()).join_from(v, tables.messages, _m.id == v.c.id)


def _before_move(kind: Kind, v: FromClause, _dialect: str) -> Executable:
    after = (v.c.state, v.c.submitted_at.is_not(None), v.c.sent_segments)
    return select(*after, *_present()).join_from(v, tables.messages, _m.id == v.c.id)


def _present() -> tuple[Any, ...]:
    return (_m.state, _m.submitted_at.is_not(None), _m.sent_segments, *(_m[name] for name in _SHAPE))


def _before_told(kind: Kind, v: FromClause, _dialect: str) -> Executable:
    """Select what was told before, NULL for nothing."""
    c = tables_stats.conversions.c
    rows = select(v.c.used, c.used, *(_m[name] for name in _SHAPE))
    joined = rows.join_from(v, tables.messages, _m.id == v.c.message_id)
    return joined.outerjoin(tables_stats.conversions, c.message_id == _m.id)


def _owners(kind: Kind, v: FromClause, _dialect: str) -> Executable:
    return select(*(_s[name] for name in _OWNER)).join_from(v, tables.submissions, _s.id == v.c.id)


_FINALS = Kind("finals", tables.messages, ("id", "state"), _before_final)
_MOVES = Kind("moves", tables.messages, ("id", "state", "submitted_at", "sent_segments"), _before_move)
_TOLD = Kind("conversions", tables_stats.conversions, ("message_id", "used"), _before_told)
_OWNERS = Kind("owners", tables.submissions, ("id",), _owners)
_ZONES = "SELECT since, zone FROM statistics_zones"


class Tally:
    """Follows the rows of a batch and adds what they change to the counters."""

    def __init__(self, dialect: Dialect) -> None:
        self._finals = Statement(_FINALS, dialect)
        self._moves = Statement(_MOVES, dialect)
        self._told = Statement(_TOLD, dialect)
        self._owners = Statement(_OWNERS, dialect)
        self._statistics = Statement(STATISTICS, dialect)
        self._calendar: Calendar | None = None
        self._known: dict[int, Owner] = {}  # by submission
        self._sums: dict[Row, list[int]] = {}  # by counter
        self._looks = {
            "submissions": self._on_submissions,
            "messages": self._on_messages,
            "moves": self._on_moves,
            "finals": self._on_finals,
            "conversions": self._on_told,
        }

    def begin(self) -> None:
        """Forget what an earlier transaction left undone."""
        self._sums.clear()
        if len(self._known) > KNOWN:
            self._known.clear()

    def before(self, field: str, cursor: DBAPICursor, rows: Sequence[Row]) -> None:
        """Count what `rows`, about to be written, change."""
        look = self._looks.get(field)
        if look is not None:
            look(cursor, rows)

    def end(self, cursor: DBAPICursor) -> None:
        """Add what was counted, in order of the keys: two writers never wait for each other in a circle."""
        rows = [(*key, *changes) for key, changes in sorted(self._sums.items()) if any(changes)]
        if rows:
            self._statistics.execute(cursor, rows)

    def _on_submissions(self, cursor: DBAPICursor, rows: Sequence[Row]) -> None:
        self._remember(cursor, map(_owner, rows))

    def _on_messages(self, cursor: DBAPICursor, rows: Sequence[Row]) -> None:
        for row, count in self._owned(cursor, map(_new, rows)).items():
            state, submitted_at, sent, *shape, segments = row
            after = _mark(state, submitted_at is not None, segments, sent)
            self._add(shape, None, after, count)

    def _on_moves(self, cursor: DBAPICursor, rows: Sequence[Row]) -> None:
        # no move leads out of a final state (`TRANSITIONS`): those to one are all that count
        ending = [_moved(row) for row in rows if row[_STATE] >= State.DELIVERED]
        if not ending:
            return
        for row, count in self._owned(cursor, self._moves.fetch(cursor, ending)).items():
            after, submitted, sent, before, was_submitted, was_sent, *shape, segments = row
            old = _mark(before, bool(was_submitted), segments, was_sent)
            self._add(shape, old, _mark(after, bool(submitted), segments, sent), count)

    def _on_finals(self, cursor: DBAPICursor, rows: Sequence[Row]) -> None:
        found = self._finals.fetch(cursor, list(map(_first_two, rows)))
        for row, count in self._owned(cursor, found).items():
            after, before, submitted, sent, *shape, segments = row
            # as the UPDATE decides it: the first outcome stands, but for our own `unknown`
            if before == State.SUBMITTED or (before == State.UNKNOWN and after != State.UNKNOWN):
                old = _mark(before, bool(submitted), segments, sent)
                self._add(shape, old, _mark(after, bool(submitted), segments, sent), count)

    def _on_told(self, cursor: DBAPICursor, rows: Sequence[Row]) -> None:
        found = self._told.fetch(cursor, list(map(_first_two, rows)))
        for (used, before, *shape, _), count in self._owned(cursor, found).items():
            changes = self._changes(shape)
            if before is not None:
                changes[USED if before else UNUSED] -= count
            changes[USED if used else UNUSED] += count

    def _owned(self, cursor: DBAPICursor, rows: Iterable[Row]) -> dict[Row, int]:
        """Count equal rows, whose last columns are `_SHAPE`, with the submission's owner in its place.

        Without a submission a message is nobody's.
        """
        counted = Counter(rows)  # of a large submission few are left already
        known = self._known
        unknown = {row[-5] for row in counted} - known.keys()
        if unknown:
            self._remember(cursor, self._owners.fetch(cursor, [(id_,) for id_ in unknown]))
        found: dict[Row, int] = {}
        for row, count in counted.items():
            owner = known.get(row[-5])
            if owner is not None:
                key = (*row[:-5], owner, *row[-4:])
                found[key] = found.get(key, 0) + count
        return found

    def _add(self, shape: Sequence[Any], before: Mark | None, after: Mark, count: int) -> None:
        changes = self._changes(shape)
        if before is None:
            changes[0] += count
        else:
            changes[1] -= count * before[1]
            _count(changes, before, -count)
        changes[1] += count * after[1]
        _count(changes, after, count)

    def _changes(self, shape: Sequence[Any]) -> list[int]:
        (account, project, first_template, day), purpose, template, country = shape
        key = (account, day, project, country, purpose, template or first_template)
        changes = self._sums.get(key)
        if changes is None:
            changes = self._sums[key] = [0] * len(COUNTERS)
        return changes

    def _remember(self, cursor: DBAPICursor, owners: Iterable[Row]) -> None:
        day = self._days(cursor).day
        for id_, account, project, template, created_at in owners:
            self._known[id_] = (account, project, template, day(created_at))

    def _days(self, cursor: DBAPICursor) -> Calendar:
        if self._calendar is None:
            cursor.execute(_ZONES)
            self._calendar = Calendar((since, zone) for since, zone in cursor.fetchall())
        return self._calendar


def _mark(state: int, submitted: bool, segments: int, sent: int) -> Mark:
    return standing(state, submitted), cost(state, segments, sent)


def _count(changes: list[int], mark: Mark, count: int) -> None:
    if mark[0] is not Standing.OPEN:
        changes[2 * mark[0]] += count
        changes[2 * mark[0] + 1] += count * mark[1]
