"""Messages found by whom they went to, whose they are, or what became of them; the newest first.

What an index finds is looked through in pieces of a bounded size, so that no search holds up other reads: a
page may have fewer messages than were asked for, or none, and still not be the last one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, func, literal_column, select

from gateway.domain.message import Message, State
from gateway.errors import Invalid
from gateway.ids import id_at
from gateway.logs import mask_number
from gateway.store import tables
from gateway.store.changes import MESSAGE
from gateway.store.messages import load
from gateway.store.query import Values
from routing.number import NumberReader

SCAN = 20_000  # messages looked through for one page
PIECE = 500  # of them read at once
SUBMISSIONS = 2_000  # submissions of an account looked through for one page
_SLACK = 86_400_000  # ms that ids may be ahead of the clock, once it was put back
_TOP = 1 << 62

_m = tables.messages.c
_s = tables.submissions.c

WORDS = {state.name.lower(): state for state in State}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are looked for; what is empty matches everything."""

    phones: Sequence[str] = ()  # E.164 digits, any of them
    account_id: str = ""
    user_id: str = ""  # the customer's own id
    states: Sequence[State] = ()
    since: int | None = None  # unix ms of the accept, inclusive
    until: int | None = None  # exclusive


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the messages."""

    messages: Sequence[Message]
    next: int | None  # the search goes on before this id; None: that was all


def states_of(text: str) -> tuple[State, ...]:
    """Return the states meant by words with commas between them; raises `Invalid`."""
    words = [word.strip().lower().replace("-", "_") for word in text.split(",") if word.strip()]
    for word in words:
        if word not in WORDS:
            raise Invalid(f"{word!r} is no state: {', '.join(WORDS)}")
    return tuple(WORDS[word] for word in words)


def phones_of(reader: NumberReader, given: str) -> tuple[str, ...]:
    """Return the numbers that somebody may mean, () for ""; raises `Invalid` if that is no number."""
    found = reader.meant(given) if given.strip() else ()
    if given.strip() and not found:
        raise Invalid("that is no telephone number: write +60123456789")
    return found


def looked(wanted: Wanted, found: Sequence[Message], numbers: bool, text: bool) -> dict[str, object]:
    """Return what the audit says of a search; more people read that than may see numbers."""
    asked = {
        "phone": [mask_number(phone) for phone in wanted.phones],
        "account_id": wanted.account_id,
        "user_id": wanted.user_id,
        "state": [state.name.lower() for state in wanted.states],
    }
    given = {name: value for name, value in asked.items() if value}
    return {**given, "messages": len(found), "numbers": numbers, "text": text}


def page(connection: Connection, wanted: Wanted, limit: int, before_id: int | None = None) -> Page:
    """Return up to `limit` messages with ids below `before_id`, the newest first."""
    bounds = _bounds(wanted, before_id)
    by_account = wanted.account_id and not wanted.phones
    ids, reached = _owned(connection, wanted, bounds) if by_account else _found(connection, wanted, bounds)
    rows: list[Values] = []
    for start in range(0, len(ids), PIECE):
        query = _matching(wanted, ids[start : start + PIECE]).limit(limit + 1 - len(rows))
        rows += [tuple(row) for row in connection.execute(query)]
        if len(rows) > limit:
            reached = rows[limit - 1][0]
            break
    return Page(load(connection, rows[:limit]), reached)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Ids that are looked at: `first` ≤ id < `end`."""

    first: int
    end: int

    def of(self, column: ColumnElement[int]) -> tuple[ColumnElement[bool], ...]:
        return column >= self.first, column < self.end


def _bounds(wanted: Wanted, before_id: int | None) -> _Bounds:
    """Return the ids that may fit: they are never behind the clock, and may be ahead of it."""
    first = 0 if wanted.since is None else id_at(wanted.since)
    end = _TOP if wanted.until is None else id_at(wanted.until + _SLACK)
    end = end if before_id is None else min(end, before_id)
    return _Bounds(min(max(first, 0), _TOP), min(max(end, 0), _TOP))


def _found(connection: Connection, wanted: Wanted, bounds: _Bounds) -> tuple[list[int], int | None]:
    """Return the newest ids by number or state, and the id they reach down to if there are more."""
    query = select(_m.id).where(*bounds.of(_m.id))
    if wanted.phones:
        # one number is a range of the index in order of id, several are not
        one = len(wanted.phones) == 1
        query = query.where(_m.phone == wanted.phones[0] if one else _m.phone.in_(wanted.phones))
    elif wanted.states and all(state <= State.IN_DOUBT for state in wanted.states):
        open_ = [_literal(state) for state in wanted.states]
        query = query.where(_m.state <= _literal(State.IN_DOUBT), _m.state.in_(open_))
    ids = list(connection.scalars(query.order_by(_m.id.desc()).limit(SCAN)))
    return ids, ids[-1] if len(ids) >= SCAN else None


def _owned(connection: Connection, wanted: Wanted, bounds: _Bounds) -> tuple[list[int], int | None]:
    """Return what `_found` does, by account: a submission's messages have the ids that follow its own.

    So the ids need not be read. A join by their ranges would leave it to the planner to read all messages.
    """
    query = select(_s.id, _s.messages).where(_s.account_id == wanted.account_id, *bounds.of(_s.id))
    owned = connection.execute(query.order_by(_s.id.desc()).limit(SUBMISSIONS)).all()
    ids: list[int] = []
    for first, messages in owned:
        ids += range(min(first + messages, bounds.end - 1), first, -1)
        if len(ids) >= SCAN:
            return ids[:SCAN], ids[SCAN - 1]
    return ids, owned[-1][0] if len(owned) >= SUBMISSIONS else None


def _matching(wanted: Wanted, ids: Sequence[int]) -> Select[Any]:
    query = select(*(_m[name] for name in MESSAGE)).where(_m.id.in_(ids))
    if wanted.account_id:
        query = query.where(_m.account_id == wanted.account_id)
    if wanted.user_id:
        query = query.join(tables.submissions, _s.id == _m.submission_id)
        query = query.where(func.coalesce(_m.user_id, _s.user_id) == wanted.user_id)
    if wanted.states:
        query = query.where(_m.state.in_([int(state) for state in wanted.states]))
    if wanted.since is not None:
        query = query.where(_m.accepted_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_m.accepted_at < wanted.until)
    return query.order_by(_m.id.desc())


def _literal(state: State) -> ColumnElement[int]:
    return literal_column(str(int(state)), Integer)
