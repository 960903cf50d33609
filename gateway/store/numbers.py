"""Blacklist, opt-outs and allow-list: changed here, loaded and followed by the running gateway.

Every function works inside the caller's transaction. What it changes bears the revision it raised, so the
gateway finds exactly what is new since it last looked.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.domain.lists import ANY_PURPOSE, ListChange, Listing, ListKind, Source
from gateway.errors import Invalid, NotFound
from gateway.store import revisions, tables
from gateway.store.query import Given, Query, Values
from gateway.store.tables_risk import listed_numbers

CHUNK = 5_000  # numbers one transaction may list: the journal waits for it
_PAGE = 4 * CHUNK  # rows in one read; more than bear one revision
_STATEMENT = 500  # rows in one statement

_n = listed_numbers.c
_KEY = ("account_id", "project_id", "phone", "kind", "purpose")


@dataclass(frozen=True, slots=True)
class Listed:
    """A number on a list, as operators see it."""

    id: int
    account_id: str
    project_id: str
    kind: ListKind
    phone: int
    purpose: int
    source: Source
    remark: str
    by: str
    at: int  # unix ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which numbers are looked for."""

    account_id: str
    kinds: Sequence[ListKind]
    project_id: str | None = None  # None: any; "": those of the whole account
    phone: int | None = None


def list_numbers(connection: Connection, listings: Sequence[Listing], now_ms: int) -> int:
    """Put numbers on their lists and return how many were not there as they are now.

    At most `CHUNK`. A number listed before keeps the time it was listed; its remark may change, but not by a
    reply: what somebody else wrote down stays as it is.
    """
    assert len(listings) <= CHUNK
    version = _next_version(connection)
    rows = [_row(listing, now_ms, version) for listing in _distinct(listings)]
    for start in range(0, len(rows), _STATEMENT):
        connection.execute(_upsert(connection), rows[start : start + _STATEMENT])
    return connection.scalar(select(func.count()).where(_n.version == version)) or 0


def unlist_numbers(connection: Connection, listings: Sequence[Listing], now_ms: int) -> int:
    """Take numbers off the lists named; return how many were on them. `by` and `remark` say who and why.

    At most `CHUNK`. A reply takes off only what a reply put on.
    """
    assert len(listings) <= CHUNK
    version = _next_version(connection)
    removed = 0
    for listing in _distinct(listings):
        here = and_(*(_n[name] == getattr(listing, name) for name in _KEY), _n.removed_at.is_(None))
        if listing.source is Source.REPLY:
            here = and_(here, _n.source == int(Source.REPLY))
        values: dict[str, Any] = {"removed_at": now_ms, "by": listing.by, "version": version}
        if listing.remark:
            values["remark"] = listing.remark
        removed += connection.execute(update(listed_numbers).where(here).values(values)).rowcount
    return removed


def opt_out(connection: Connection, account_id: str, project_id: str, phone: str, now_ms: int) -> bool:
    """Note that a number's owner wants no more promotion of a project; whether that was new."""
    return list_numbers(connection, [_reply(account_id, project_id, phone)], now_ms) > 0


def opt_in(connection: Connection, account_id: str, project_id: str, phone: str, now_ms: int) -> bool:
    """Note that a number's owner wants promotion of a project again; whether it had refused it."""
    return unlist_numbers(connection, [_reply(account_id, project_id, phone)], now_ms) > 0


def _reply(account_id: str, project_id: str, phone: str) -> Listing:
    promotion = 3
    return Listing(
        account_id, project_id, ListKind.OPTED_OUT, int(phone), promotion, Source.REPLY, by="recipient"
    )


def check_scope(connection: Connection, account_id: str, project_id: str) -> None:
    """Raise `NotFound` unless there is the account, and the project in it if one is named."""
    accounts, projects = tables.accounts.c, tables.projects.c
    if connection.execute(select(accounts.id).where(accounts.id == account_id)).first() is None:
        raise NotFound(f"there is no account {account_id}")
    mine = select(projects.id).where(projects.id == project_id, projects.account_id == account_id)
    if project_id and connection.execute(mine).first() is None:
        raise NotFound(f"there is no project {project_id} of account {account_id}")


def listed(connection: Connection, wanted: Wanted, limit: int, after_id: int = 0) -> list[Listed]:
    """Return up to `limit` numbers on lists, in the order they were listed, after `after_id`."""
    if limit < 1:
        raise Invalid("the limit must be 1 or more")
    query = select(*(_n[name] for name in Listed.__dataclass_fields__)).where(
        _n.account_id == wanted.account_id,
        _n.kind.in_([int(kind) for kind in wanted.kinds]),
        _n.removed_at.is_(None),
        _n.id > after_id,
    )
    if wanted.project_id is not None:
        query = query.where(_n.project_id == wanted.project_id)
    if wanted.phone is not None:
        query = query.where(_n.phone == wanted.phone)
    return [_listed(row) for row in connection.execute(query.order_by(_n.id).limit(limit))]


def all_listed(connection: Connection) -> Iterator[list[ListChange]]:
    """Yield every number on a list, in pages."""
    after = 0
    while rows := _ALL.rows(connection, after=after, limit=_PAGE):
        after = rows[-1][0]
        yield [_change(row, listed=True) for row in rows]


def version(connection: Connection) -> int:
    """Return the revision that all changes up to now bear."""
    return revisions.current(connection).get(revisions.NUMBERS, 0)


def changes_after(connection: Connection, after: int) -> tuple[list[ListChange], int]:
    """Return what changed after revision `after`, in order, and the revision that has been reached.

    Bounded: `(…, reached)` may be older than `version`; ask again. Whole revisions only.
    """
    newest = version(connection)
    rows = _CHANGED.rows(connection, after=after, limit=_PAGE)
    if len(rows) == _PAGE:
        newest = rows[-1][0] - 1  # the last revision may go on after the page
        rows = [row for row in rows if row[0] <= newest]
    return [_change(row, listed=bool(row[6])) for row in rows], newest


def purge_removed(connection: Connection, before_ms: int) -> int | None:
    """Delete a chunk of numbers taken off before then; None: there are no more."""
    chosen = select(_n.id).where(_n.removed_at < before_ms).limit(_STATEMENT)
    return connection.execute(delete(listed_numbers).where(_n.id.in_(chosen))).rowcount or None


def _next_version(connection: Connection) -> int:
    """Raise the scope's revision; whoever comes next waits for this transaction, so order is theirs too."""
    revisions.bump(connection, revisions.NUMBERS)
    return version(connection)


def _distinct(listings: Sequence[Listing]) -> Iterable[Listing]:
    """Return each number of a list once; the allow-list knows no purposes."""
    listings = [
        listing._replace(purpose=ANY_PURPOSE) if listing.kind is ListKind.ALLOWED else listing
        for listing in listings
    ]
    return {tuple(getattr(listing, name) for name in _KEY): listing for listing in listings}.values()


def _row(listing: Listing, now_ms: int, version: int) -> dict[str, Any]:
    return listing._asdict() | {
        "kind": int(listing.kind),
        "source": int(listing.source),
        "at": now_ms,
        "removed_at": None,
        "version": version,
    }


def _upsert(connection: Connection) -> Any:
    make: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(listed_numbers)
    new = statement.excluded
    renewed = {name: new[name] for name in ("source", "remark", "by", "version")}
    at = case((_n.removed_at.is_(None), _n.at), else_=new.at)
    other_words = and_(_n.remark != new.remark, new.source != literal_column(str(int(Source.REPLY))))
    different = or_(_n.removed_at.is_not(None), other_words)
    return statement.on_conflict_do_update(
        index_elements=list(_KEY), set_=renewed | {"at": at, "removed_at": None}, where=different
    )


def _listed(row: Any) -> Listed:
    values = dict(row._mapping)
    return Listed(**values | {"kind": ListKind(row.kind), "source": Source(row.source)})


def _change(row: Values, *, listed: bool) -> ListChange:
    _, account_id, project_id, kind, phone, purpose = row[:6]
    return ListChange(account_id, project_id, kind, phone, purpose, listed)


_COLUMNS = (_n.account_id, _n.project_id, _n.kind, _n.phone, _n.purpose)


def _all(given: Given) -> Select[Any]:
    rows = select(_n.id, *_COLUMNS).where(_n.id > bindparam("after"), _n.removed_at.is_(None))
    return rows.order_by(_n.id).limit(bindparam("limit", type_=BigInteger))


def _changed(given: Given) -> Select[Any]:
    on_list = case((_n.removed_at.is_(None), literal_column("1")), else_=literal_column("0"))
    rows = select(_n.version, *_COLUMNS, on_list.label("listed")).where(_n.version > bindparam("after"))
    return rows.order_by(_n.version, _n.id).limit(bindparam("limit", type_=BigInteger))


_ALL = Query(_all)
_CHANGED = Query(_changed)
