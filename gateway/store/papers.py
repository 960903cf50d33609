"""Rows of files: whose they are and what they are. The bytes are kept by `gateway.store.vault`."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text, union, update

from gateway.domain.paper import Paper
from gateway.errors import Invalid, NotFound
from gateway.store import tables
from gateway.store.qualification_fields import FILES
from gateway.store.tables_review import files, qualifications

MAX_SHOWN = 40  # characters of an id that is none

_f = files.c

_COUNTING = text("SELECT pg_advisory_xact_lock(hashtext('files'), hashtext(:account))")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as its row describes it."""

    id: str
    account_id: str
    sha256: str
    size: int
    type: str
    name: str


def add(connection: Connection, account_id: str, paper: Paper, sha256: str, quota: int, now_ms: int) -> str:
    """Note a file whose bytes are stored already, return its id; raises `Invalid` beyond `quota` bytes."""
    if connection.dialect.name == "postgresql":
        # until our commit nobody else counts this account's files; SQLite has one writer at a time anyway
        connection.execute(_COUNTING, {"account": account_id})
    used = select(func.coalesce(func.sum(_f.size), 0)).where(_f.account_id == account_id)
    if connection.execute(used).scalar_one() + len(paper.data) > quota:
        raise Invalid(f"the account's files would have more than {quota} bytes")
    made = f"FILE{secrets.token_hex(16).upper()}"
    connection.execute(
        insert(files).values(
            id=made,
            account_id=account_id,
            sha256=sha256,
            size=len(paper.data),
            type=paper.type,
            name=paper.name,
            touched_at=now_ms,
        )
    )
    return made


def find(connection: Connection, file_id: str, account_id: str = "") -> Stored:
    """Return a file, the account's if one is named; raises `NotFound`."""
    query = select(files).where(_f.id == file_id)
    if account_id:
        query = query.where(_f.account_id == account_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("there is no such file")
    return _stored(row)


def check_owned(connection: Connection, account_id: str, ids: Iterable[str | None], now_ms: int) -> None:
    """Raise `Invalid` unless every file named is the account's; those that are stay a while."""
    for file_id in sorted({one for one in ids if one}):  # in one order, so that two never wait for each other
        mine = (_f.id == file_id) & (_f.account_id == account_id)
        # changed, not only looked at: a deletion that waits for us looks at its condition again
        if not connection.execute(update(files).where(mine).values(touched_at=now_ms)).rowcount:
            raise Invalid(f"there is no file {file_id[:MAX_SHOWN]}")


def forget_unused(connection: Connection, before_ms: int, limit: int) -> int:
    """Delete rows of files not touched since `before_ms` that nothing refers to; return how many."""
    s, q = tables.signatures.c, qualifications.c
    used = union(
        *(
            select(column).where(s.deleted_at.is_(None), column.is_not(None))
            for column in (s.file_id, s.proxy_file_id)
        ),
        *(select(q[column]).where(q.deleted_at.is_(None)) for column in FILES.values()),
    )
    old = (_f.touched_at < before_ms) & _f.id.not_in(used)
    some = select(_f.id).where(old).limit(limit)
    return connection.execute(delete(files).where(_f.id.in_(some), _f.touched_at < before_ms)).rowcount


def known_hashes(connection: Connection, hashes: Sequence[str]) -> set[str]:
    """Return those of `hashes` that a row names."""
    return set(connection.execute(select(_f.sha256).where(_f.sha256.in_(hashes))).scalars())


def _stored(row: Row[Any]) -> Stored:
    return Stored(row.id, row.account_id, row.sha256, row.size, row.type, row.name)
