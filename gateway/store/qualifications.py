"""Company papers: handed in by customers, kept as a draft or submitted, looked up.

Every function works inside the caller's transaction. What is somebody else's is not found. Statuses change in
`gateway.store.reviews` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, insert, select

from gateway.domain.review import Kind, Move, Mover, Review
from gateway.errors import Conflict, NotFound
from gateway.store import papers, reviews, tables
from gateway.store.applications import Owner, make_room, unused_id
from gateway.store.audit import By
from gateway.store.qualification_fields import FILES, TEXTS
from gateway.store.tables_review import qualifications

_q = qualifications.c
_BLANK = dict.fromkeys([*TEXTS.values(), *FILES.values()], "")
ORDER = {"QualificationId": _q.id, "CreateTime": _q.created_at}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page of an account's qualifications."""

    page: int  # from 0
    size: int
    order_by: str  # a key of `ORDER`
    descending: bool
    attr: int | None = None
    status: Review | None = None


def create(
    connection: Connection, owner: Owner, attr: int, content: Mapping[str, str], submit: bool, by: By
) -> str:
    """Add a qualification, `content` by the API's names, as a draft or submitted; return its id.

    Raises `Invalid`, also for files that are not the account's.
    """
    make_room(connection, owner, qualifications)
    made = unused_id(connection, qualifications, f"QUA{datetime.fromtimestamp(by.now_ms / 1000, UTC):%Y%m%d}")
    row = {
        **_BLANK,
        **_columns(connection, owner, content, by.now_ms),
        "id": made,
        "account_id": owner.account_id,
        "project_id": owner.project_id,
        "attr": attr,
        "status": int(Review.IN_REVIEW if submit else Review.PENDING),
        "created_at": by.now_ms,
        "updated_at": by.now_ms,
        "submitted_at": by.now_ms if submit else None,
        "to_check": submit,
    }
    connection.execute(insert(qualifications).values(row))
    reviews.created(connection, Kind.QUALIFICATION, made, row, by)
    return made


def change(
    connection: Connection,
    owner: Owner,
    qualification_id: str,
    content: Mapping[str, Any],
    submit: bool,
    by: By,
) -> None:
    """Replace what `content` names (`Attr` too), and keep it as a draft or submit it.

    Raises `NotFound`, `Invalid` as `create` does, and `Conflict` for one that is approved or disabled.
    """
    row = reviews.locked(connection, Kind.QUALIFICATION, qualification_id, owner.account_id)
    values: dict[str, Any] = {**_columns(connection, owner, content, by.now_ms)}
    if "Attr" in content:
        values["attr"] = content["Attr"]
    values["submitted_at"] = by.now_ms if submit else None
    move = Move.SUBMIT if submit else Move.EDIT
    reviews.step(connection, Kind.QUALIFICATION, row, Mover.CUSTOMER, move, by, **values)


def delete(connection: Connection, owner: Owner, ids: Sequence[str], by: By) -> None:
    """Delete qualifications, all or none; persons and files are forgotten with them.

    Raises `NotFound`, and `Conflict` for one under review or named by a signature.
    """
    s = tables.signatures.c
    for qualification_id in sorted(set(ids)):
        row = reviews.locked(connection, Kind.QUALIFICATION, qualification_id, owner.account_id)
        named = exists().where(s.qualification_id == qualification_id, s.deleted_at.is_(None))
        if connection.execute(select(named)).scalar_one():
            raise Conflict(f"{qualification_id}: a signature names it")
        reviews.step(connection, Kind.QUALIFICATION, row, Mover.CUSTOMER, Move.DELETE, by, **_BLANK)


def find(connection: Connection, owner: Owner, qualification_id: str) -> Row[Any]:
    """Return the qualification; raises `NotFound`."""
    query = select(qualifications).where(*_mine(owner), _q.id == qualification_id)
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("there is no such qualification")
    return found


def page(connection: Connection, owner: Owner, wanted: Wanted) -> tuple[int, Sequence[Row[Any]]]:
    """Return how many there are, and a page of them."""
    conditions = [*_mine(owner)]
    if wanted.attr is not None:
        conditions.append(_q.attr == wanted.attr)
    if wanted.status is not None:
        conditions.append(_q.status == int(wanted.status))
    total = connection.execute(
        select(func.count()).select_from(qualifications).where(*conditions)
    ).scalar_one()
    column = ORDER[wanted.order_by]
    order = (column.desc(), _q.id.desc()) if wanted.descending else (column, _q.id)
    query = select(qualifications).where(*conditions).order_by(*order)
    return total, connection.execute(query.limit(wanted.size).offset(wanted.page * wanted.size)).all()


def _columns(connection: Connection, owner: Owner, content: Mapping[str, Any], now_ms: int) -> dict[str, str]:
    papers.check_owned(connection, owner.account_id, (content.get(name) for name in FILES), now_ms)
    return {column: content[name] for name, column in {**TEXTS, **FILES}.items() if name in content}


def _mine(owner: Owner) -> tuple[ColumnElement[bool], ...]:
    return _q.account_id == owner.account_id, _q.deleted_at.is_(None)
