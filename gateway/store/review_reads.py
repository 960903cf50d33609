"""What reviewers read: the queue, and everything that is known of one item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from gateway.domain import review
from gateway.domain.message import Purpose
from gateway.domain.review import Kind, Review
from gateway.errors import NotFound
from gateway.store import audit, tables
from gateway.store.audit import By
from gateway.store.papers import Stored, find
from gateway.store.qualification_fields import FILES, PERSONAL, TEXTS
from gateway.store.reviews import TABLES, kind_of

HISTORY = 50  # rows of the audit shown with an item
LOOK = f"{Kind.QUALIFICATION}.show"  # in the audit, and no part of the item's own history
EARLIER = 10  # items of the same text

Shown = dict[str, Any]  # plain values, ready for JSON

_FILE_COLUMNS = {
    Kind.SIGNATURE: {"certificate": "file_id", "power_of_attorney": "proxy_file_id"},
    Kind.TEMPLATE: {},
    Kind.QUALIFICATION: dict(zip(FILES.values(), FILES.values(), strict=True)),
}
_TITLE = {Kind.SIGNATURE: "text", Kind.TEMPLATE: "text", Kind.QUALIFICATION: "name"}
_DETAILS: Mapping[Kind, Sequence[str]] = {
    Kind.SIGNATURE: (
        "text", "sig_type", "certificate_type", "third_party", "international", "description", "scene",
        "qualification_id",
    ),
    Kind.TEMPLATE: ("purpose", "name", "text", "unsubscribe", "international", "remark", "instruction"),
    Kind.QUALIFICATION: ("attr", *TEXTS.values(), "submitted_at"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a reviewer looks for; an empty field matches everything."""

    kinds: tuple[Kind, ...] = tuple(Kind)
    statuses: tuple[Review, ...] = (Review.IN_REVIEW,)
    account_id: str = ""


def queue(
    connection: Connection, wanted: Filter, limit: int, after: tuple[int, str] | None = None
) -> list[Shown]:
    """Return up to `limit` items, those that wait longest first.

    `after`: `updated_at` and `id` of the last one seen. What waits for the automatic checks is left out.
    """
    found: list[tuple[Kind, Row[Any]]] = []
    for kind in wanted.kinds:
        c = TABLES[kind].c
        query = _listed(kind).where(c.status.in_([int(status) for status in wanted.statuses]), ~c.to_check)
        if wanted.account_id:
            query = query.where(c.account_id == wanted.account_id)
        if after is not None:
            at, item_id = after
            query = query.where(or_(c.updated_at > at, (c.updated_at == at) & (c.id > item_id)))
        query = query.order_by(c.updated_at, c.id).limit(limit)
        found += ((kind, row) for row in connection.execute(query))
    found.sort(key=lambda one: (one[1].updated_at, one[1].id))
    return [_summary(kind, row) for kind, row in found[:limit]]


def waiting(connection: Connection) -> dict[str, int]:
    """Return how many of each kind wait for a reviewer."""
    return {
        kind.value: connection.execute(
            select(func.count()).select_from(table).where(*_in_review(table.c), ~table.c.to_check)
        ).scalar_one()
        for kind, table in TABLES.items()
    }


def item(connection: Connection, item_id: str) -> Shown:
    """Return everything known of an item, deleted ones too; raises `NotFound`."""
    kind = kind_of(item_id)
    row = connection.execute(_listed(kind, deleted=True).where(TABLES[kind].c.id == item_id)).first()
    if row is None:
        raise NotFound(f"there is no {kind} {item_id}")
    details = {name: getattr(row, name) for name in _DETAILS[kind]}
    if kind is Kind.TEMPLATE:
        details["purpose"] = Purpose(row.purpose).name.lower()
    moves = audit.Filter(subject_kind=kind, subject_id=item_id, without=LOOK)
    history = audit.page(connection, moves, HISTORY)
    return {
        **_summary(kind, row),
        **details,
        "reason": row.reason,
        "created_at": row.created_at,
        "decided_at": row.decided_at,
        "deleted_at": row.deleted_at,
        "findings": orjson.loads(row.findings),
        "files": _files(connection, kind, row),
        "earlier": _earlier(connection, kind, row),
        "history": [
            {name: getattr(entry, name) for name in ("at", "actor", "action", "reason", "before", "after")}
            for entry in history
        ],
    }


def without_persons(content: Mapping[str, Any]) -> Shown:
    """Return `content` as those see it who do not decide: without names and numbers of persons."""
    return {name: audit.HIDDEN if name in PERSONAL and value else value for name, value in content.items()}


def note_look(connection: Connection, qualification_id: str, persons: bool, by: By) -> None:
    """Note in the audit that somebody looks at a qualification; `persons`: and sees its persons."""
    entry = audit.Entry(LOOK, Kind.QUALIFICATION, qualification_id, None, {"persons": persons}, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)


def hand_out(connection: Connection, item_id: str, file_id: str, by: By) -> None:
    """Note in the audit that somebody was given a file of this item: papers are of persons."""
    kind = kind_of(item_id)
    entry = audit.Entry(f"{kind}.file", kind, item_id, None, {"file": file_id}, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)


def file_of(connection: Connection, item_id: str, file_id: str) -> Stored:
    """Return a file that this item names; raises `NotFound`."""
    kind = kind_of(item_id)
    row = connection.execute(select(TABLES[kind]).where(TABLES[kind].c.id == item_id)).first()
    if row is None or file_id not in [getattr(row, column) for column in _FILE_COLUMNS[kind].values()]:
        raise NotFound(f"{item_id} has no file {file_id}")
    return find(connection, file_id)


def _listed(kind: Kind, *, deleted: bool = False) -> Select[Any]:
    table, accounts = TABLES[kind], tables.accounts
    query = select(table, accounts.c.name.label("account_name")).join_from(
        table, accounts, accounts.c.id == table.c.account_id
    )
    return query if deleted else query.where(table.c.deleted_at.is_(None))


def _in_review(c: Any) -> tuple[ColumnElement[bool], ...]:
    return c.status == int(Review.IN_REVIEW), c.deleted_at.is_(None)


def _summary(kind: Kind, row: Row[Any]) -> Shown:
    status = Review(row.status)
    return {
        "id": row.id,
        "kind": kind.value,
        "account_id": row.account_id,
        "account": row.account_name,
        "project_id": row.project_id,
        "title": getattr(row, _TITLE[kind]),
        "status": review.word(kind, status),
        "flags": [finding["rule"] for finding in orjson.loads(row.findings)],
        "version": row.version,
        "updated_at": row.updated_at,
    }


def _files(connection: Connection, kind: Kind, row: Row[Any]) -> list[Shown]:
    shown = []
    for what, column in _FILE_COLUMNS[kind].items():
        file_id = getattr(row, column)
        if not file_id:
            continue
        try:
            stored = find(connection, file_id)
        except NotFound:  # forgotten with what was deleted
            shown.append({"what": what, "id": file_id, "name": None, "type": None, "size": None})
            continue
        shown.append(
            {"what": what, "id": file_id, "name": stored.name, "type": stored.type, "size": stored.size}
        )
    return shown


def _earlier(connection: Connection, kind: Kind, row: Row[Any]) -> list[Shown]:
    """Return what the account handed in before with the same text, and what became of it."""
    c, title = TABLES[kind].c, _TITLE[kind]
    same = (c[title] == getattr(row, title)) & (c.account_id == row.account_id) & (c.id != row.id)
    query = select(c.id, c.status, c.reason, c.deleted_at).where(same)
    found = connection.execute(query.order_by(c.created_at.desc()).limit(EARLIER))
    return [
        {
            "id": one.id,
            "status": review.word(kind, Review(one.status)),
            "reason": one.reason,
            "deleted": one.deleted_at is not None,
        }
        for one in found
    ]
