"""Many rows in one statement, for both databases, rendered once by SQLAlchemy from the tables.

The statement is the same everywhere, `INSERT … SELECT … FROM v` or `UPDATE … FROM v`; only `v` differs.
On SQLite it is a VALUES list of one of a few lengths, filled up with rows of NULL that match nothing:
every statement lets go of the interpreter lock, and a busy event loop gives it back a switch interval
later, so 100 rows should be one statement and not 100, nor the three that 64 + 32 + 4 would be. On
PostgreSQL it is one array per column; the statement, and its plan, are the same for any number of rows.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from operator import add
from typing import Any, Protocol

from sqlalchemy import (
    Dialect,
    Executable,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    column,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
    values,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.elements import ColumnElement

from gateway.domain.message import State
from gateway.domain.statistics import COUNTERS
from gateway.store import changes, tables, tables_inbound, tables_risk, tables_stats
from gateway.store.changes import Row

# rows in one SQLite statement; 512 × 27 parameters stay below its limit of 32,766
LENGTHS = sorted({1 << k for k in range(10)} | {3 << k for k in range(8)})

Build = Callable[["Kind", FromClause, str], Executable]


@dataclass(frozen=True)
class Kind:
    """One kind of row: where it goes and what is written."""

    field: str  # of `Changes`
    table: Table
    columns: tuple[str, ...]
    build: Build
    key: int = 0  # leading columns that name the row of an update

    def distinct(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return `rows` with one row a key, the last: an UPDATE … FROM must not meet a row twice."""
        if self.key == 0 or len(rows) == 1:
            return rows
        if self.key == 1:
            return list({row[0]: row for row in rows}.values())
        return list({row[: self.key]: row for row in rows}.values())


class FinalKind(Kind):
    """Final states: the first one wins, and only our own `unknown` gives way."""

    def distinct(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return one row a message: what applying `rows` one after the other would leave."""
        kept: dict[int, Row] = {}
        for row in rows:
            known = kept.get(row[0])
            if known is None or (known[1] == State.UNKNOWN and row[1] != State.UNKNOWN):
                kept[row[0]] = row
        return list(kept.values())


class CountKind(Kind):
    """Numbers that are added to what is there; the columns that are no key."""

    def distinct(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return one row a key, with the sums of its rows."""
        sums: dict[Row, Row] = {}
        for row in rows:
            key, given = row[: self.key], row[self.key :]
            before = sums.get(key)
            sums[key] = given if before is None else tuple(map(add, before, given))
        return [key + total for key, total in sorted(sums.items())]


def _insert(kind: Kind, v: FromClause, _dialect: str) -> Executable:
    return insert(kind.table).from_select(kind.columns, _given(kind, v))


def _update(kind: Kind, v: FromClause, _dialect: str) -> Executable:
    return (
        update(kind.table)
        .values({name: v.c[name] for name in kind.columns[kind.key :]})
        .where(_same(kind, v))
    )


def _finish(kind: Kind, v: FromClause, dialect: str) -> Executable:
    """Update a message's outcome, if it has none yet or only `unknown`."""
    state = kind.table.c.state
    statement = update(kind.table).values({name: v.c[name] for name in kind.columns[kind.key :]})
    undecided = and_(state == _literal(State.UNKNOWN), v.c.state != _literal(State.UNKNOWN))
    return statement.where(_same(kind, v), or_(state == _literal(State.SUBMITTED), undecided))


def _mark_matched(kind: Kind, v: FromClause, _dialect: str) -> Executable:
    return update(kind.table).values(matched=true()).where(_same(kind, v))


def _add(kind: Kind, v: FromClause, dialect: str) -> Executable:
    """Insert, or add to what is there."""
    make: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = make(kind.table).from_select(kind.columns, _given(kind, v))
    key, rest = kind.columns[: kind.key], kind.columns[kind.key :]
    added = {name: kind.table.c[name] + statement.excluded[name] for name in rest}
    return statement.on_conflict_do_update(index_elements=list(key), set_=added)  # type: ignore[no-any-return]


def _raise(kind: Kind, v: FromClause, dialect: str) -> Executable:
    """Insert, or replace the values that are there."""
    return _upsert(kind, _given(kind, v), dialect)


def _tell(kind: Kind, v: FromClause, dialect: str) -> Executable:
    """Do as `_raise` does, for messages that are there still."""
    message = tables.messages.c.id == v.c[kind.columns[0]]
    return _upsert(kind, _given(kind, v).where(exists().where(message)), dialect)


def _upsert(kind: Kind, given: Select[Any], dialect: str) -> Executable:
    make: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = make(kind.table).from_select(kind.columns, given)
    key, rest = kind.columns[: kind.key], kind.columns[kind.key :]
    set_ = {name: statement.excluded[name] for name in rest}
    return statement.on_conflict_do_update(index_elements=list(key), set_=set_)  # type: ignore[no-any-return]


def _given(kind: Kind, v: FromClause) -> Select[Any]:
    """Select what is not filling; the first column of every kind is never NULL.

    An upsert needs some WHERE here in any case: SQLite tells by it ON CONFLICT from a join's ON.
    """
    return select(*v.c).where(v.c[kind.columns[0]].is_not(None))


def _same(kind: Kind, v: FromClause) -> ColumnElement[bool]:
    return and_(*(kind.table.c[name] == v.c[name] for name in kind.columns[: kind.key]))


def _literal(state: State) -> ColumnElement[Any]:
    return literal_column(str(int(state)))


# in the order they are applied: within one unit an insert precedes the update of the same row
KINDS: tuple[Kind, ...] = (
    Kind("submissions", tables.submissions, changes.SUBMISSION, _insert),
    Kind("messages", tables.messages, changes.MESSAGE, _insert),
    Kind("moves", tables.messages, changes.MOVE, _update, key=1),
    Kind("segments", tables.segments, changes.SEGMENT, _insert),
    FinalKind("finals", tables.messages, changes.FINAL, _finish, key=1),
    Kind("receipts", tables.segments, changes.RECEIPT, _update, key=3),
    Kind("early", tables.early_receipts, changes.EARLY, _insert),
    Kind("early_matched", tables.early_receipts, changes.EARLY_MATCHED, _mark_matched, key=1),
    Kind("inbound", tables.inbound_messages, changes.INBOUND, _insert),
    Kind("contacts", tables_inbound.contacts, changes.CONTACT, _raise, key=3),
    Kind("events", tables.events, changes.EVENT, _insert),
    Kind("ledger", tables.ledger, changes.LEDGER, _insert),
    Kind("outbox", tables.outbox, changes.OUTBOX, _insert),
    Kind("outbox_moves", tables.outbox, changes.OUTBOX_MOVE, _update, key=1),
    Kind("marks", tables.marks, changes.MARK, _raise, key=1),
    Kind("pulls", tables_stats.pull_reports, changes.PULL, _insert),
    Kind("conversions", tables_stats.conversions, changes.CONVERSION, _tell, key=1),
    CountKind("risk_counts", tables_risk.risk_counts, changes.RISK_COUNT, _add, key=4),
    Kind("risk_samples", tables_risk.risk_samples, changes.RISK_SAMPLE, _insert),
)
BALANCES = Kind("balances", tables.balances, ("account_id", "available", "reserved", "captured"), _add, key=1)
COUNTED = (
    "account_id", "day", "project_id", "country", "purpose", "template_id",
)  # fmt: skip
STATISTICS = Kind("statistics", tables_stats.statistics, (*COUNTED, *COUNTERS), _add, key=len(COUNTED))


class Statement:
    """One kind rendered for one database."""

    def __init__(self, kind: Kind, dialect: Dialect) -> None:
        """Render nothing yet."""
        self._kind = kind
        self._dialect = dialect
        self._chunks: dict[int, str] = {}
        self._texts = {c.name for c in kind.table.c if isinstance(c.type, Text)}

    @cached_property
    def _text(self) -> str:
        source = _arrays if self._dialect.name == "postgresql" else _values
        statement = self._kind.build(self._kind, source(self._kind), self._dialect.name)
        return str(statement.compile(dialect=self._dialect))  # type: ignore[attr-defined]

    def execute(self, cursor: DBAPICursor, rows: Sequence[Row]) -> None:
        """Write `rows`, which have the kind's columns in the kind's order."""
        for _ in self._each(cursor, rows):
            pass

    def fetch(self, cursor: DBAPICursor, rows: Sequence[Row]) -> list[Row]:
        """Return what the statement selects or returns for `rows`."""
        return [found for _ in self._each(cursor, rows) for found in cursor.fetchall()]

    def _each(self, cursor: DBAPICursor, rows: Sequence[Row]) -> Iterator[None]:
        """Execute for `rows`, as many at a time as the database takes."""
        if None in [row[0] for row in rows]:  # it would pass for filling
            raise ValueError(f"{self._kind.field}: a row without {self._kind.columns[0]}")
        if self._dialect.name == "postgresql":
            cursor.execute(self._text, self._arrays(rows))
            yield
            return
        longest = LENGTHS[-1]
        for start in range(0, len(rows), longest):
            part = rows[start : start + longest] if len(rows) > longest else rows
            length = LENGTHS[bisect_left(LENGTHS, len(part))]
            filling = repeat(None, (length - len(part)) * len(self._kind.columns))
            cursor.execute(self._of_length(length), tuple(chain(chain.from_iterable(part), filling)))
            yield

    def _arrays(self, rows: Sequence[Row]) -> dict[str, str]:
        """Return a PostgreSQL array literal for each column; psycopg's lists take seven times as long."""
        columns = zip(*rows, strict=True)
        return {
            name: _text_array(column) if name in self._texts else _array(column)
            for name, column in zip(self._kind.columns, columns, strict=True)
        }

    def _of_length(self, length: int) -> str:
        text = self._chunks.get(length)
        if text is None:
            row = f"({', '.join('?' * len(self._kind.columns))})"
            text = self._chunks[length] = self._text.replace(row, ", ".join([row] * length))
        return text


def _array(values: Iterable[Any]) -> str:
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _text_array(values: Iterable[str | None]) -> str:
    quoted = [
        "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for value in values
    ]
    return "{" + ",".join(quoted) + "}"


class Follower(Protocol):
    """Writes what follows from other rows, in their transaction."""

    def begin(self) -> None:
        """Forget what an earlier transaction left undone."""

    def before(self, field: str, cursor: DBAPICursor, rows: Sequence[Row]) -> None:
        """Look at rows of a kind that are about to be written."""

    def end(self, cursor: DBAPICursor) -> None:
        """Write what follows; all the rows are written."""


class Bulk:
    """Writes whole units: every kind in its order, then what follows from them: balances, counters."""

    def __init__(self, dialect: Dialect, follower: Follower) -> None:
        """Prepare nothing yet: a statement is rendered when first needed."""
        self._follower = follower
        self._kinds = [(kind, Statement(kind, dialect)) for kind in KINDS]
        self._balances = Statement(BALANCES, dialect)

    def write(self, cursor: DBAPICursor, units: Iterable[changes.Parts]) -> None:
        """Write `units` merged by kind, inside the caller's transaction.

        The driver's own cursor: SQLAlchemy's execution costs 20 µs a statement, as much as 8 rows.
        """
        merged: list[list[Sequence[Row]]] = [[] for _ in KINDS]
        for unit in units:
            for number, rows in unit:
                merged[number].append(rows)
        follower = self._follower
        follower.begin()
        for (kind, statement), found in zip(self._kinds, merged, strict=True):
            if not found:
                continue
            rows = found[0] if len(found) == 1 else list(chain.from_iterable(found))
            distinct = kind.distinct(rows)
            follower.before(kind.field, cursor, distinct)
            statement.execute(cursor, distinct)
            if kind.field == "ledger":
                self._balances.execute(cursor, balance_changes(rows))
        follower.end(cursor)


def balance_changes(rows: Iterable[Row]) -> list[Row]:
    """Return what `LEDGER` rows add to each account's available, reserved and captured money.

    Accounts come in order, so that two writers never wait for each other in a circle.
    """
    sums: dict[str, list[int]] = {}
    for account_id, kind, amount, reserved, *_ in rows:
        entry = sums.get(account_id)
        if entry is None:
            entry = sums[account_id] = [0, 0, 0]
        entry[0] += amount
        entry[1] += reserved
        if kind == "capture":
            entry[2] -= amount + reserved  # what left the reserve and did not come back
    return [(account_id, *entry) for account_id, entry in sorted(sums.items())]


def _values(kind: Kind) -> FromClause:
    typed = [(name, kind.table.c[name].type) for name in kind.columns]
    row = tuple(bindparam(name, type_=type_) for name, type_ in typed)
    return values(*(column(name, type_) for name, type_ in typed), name="v").data([row]).cte("v")


def _arrays(kind: Kind) -> FromClause:
    typed = [(name, kind.table.c[name].type) for name in kind.columns]
    arrays = (bindparam(name, type_=postgresql.ARRAY(type_)) for name, type_ in typed)
    made = func.unnest(*arrays).table_valued(*(column(name, type_) for name, type_ in typed), name="v")
    return made.render_derived()
