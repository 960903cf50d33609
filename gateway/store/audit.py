"""Who changed what: written in the transaction of the change itself, never altered, read by operators.

What is written is for people with the right to read the audit, so secrets have no place in it: values whose
name says they are secret are replaced before anything is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select

from gateway.domain.operator import Actor
from gateway.store import tables_operators as tables

_a = tables.audit.c

HIDDEN = "[hidden]"
SECRET_WORDS = (
    "password",
    "private_key",
    "master_key",
    "secret",
    "token_value",
    "hash",
    "csrf",
    "authorization",
)
MAX_REASON = 500

State = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something, when and why: what every audited change takes."""

    actor: Actor
    now_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: `before` None: it did not exist; `after` None: it exists no more."""

    action: str  # subject kind and verb: account.credit
    subject_kind: str
    subject_id: str
    before: State | None = None
    after: State | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the audit."""

    id: int
    at: int  # unix ms
    actor: str
    actor_kind: str
    via: str
    address: str
    action: str
    subject_kind: str
    subject_id: str
    before: Any
    after: Any
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is looked for; an empty field matches everything. `action` `account.` finds all that begin so."""

    actor: str = ""
    action: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    without: str = ""  # an action that is not looked for
    since: int | None = None  # unix ms, inclusive
    until: int | None = None  # exclusive


def record(connection: Connection, actor: Actor, entry: Entry, now_ms: int) -> int:
    """Write `entry` in the caller's transaction and return the row's id: both are committed, or neither."""
    made = connection.execute(
        insert(tables.audit).values(
            at=now_ms,
            actor=actor.name,
            actor_kind=actor.kind.value,
            via=actor.via,
            address=actor.address,
            action=entry.action,
            subject_kind=entry.subject_kind,
            subject_id=entry.subject_id,
            before=_packed(entry.before),
            after=_packed(entry.after),
            reason=entry.reason.replace("\0", "").strip()[:MAX_REASON],  # PostgreSQL stores no NUL
        )
    )
    assert made.inserted_primary_key is not None
    id_: int = made.inserted_primary_key[0]
    return id_


def page(
    connection: Connection, wanted: Filter, limit: int, before_id: int | None = None
) -> Sequence[Record]:
    """Return up to `limit` rows, newest first; those older than `before_id` if it is given."""
    query = select(tables.audit).order_by(_a.id.desc()).limit(limit)
    for name in ("actor", "subject_kind", "subject_id"):
        if value := getattr(wanted, name):
            query = query.where(_a[name] == value)
    if wanted.action.endswith("."):
        query = query.where(_a.action.startswith(wanted.action, autoescape=True))
    elif wanted.action:
        query = query.where(_a.action == wanted.action)
    if wanted.without:
        query = query.where(_a.action != wanted.without)
    if wanted.since is not None:
        query = query.where(_a.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_a.at < wanted.until)
    if before_id is not None:
        query = query.where(_a.id < before_id)
    return [_record(row) for row in connection.execute(query)]


def hide_secrets(value: Any) -> Any:
    """Return `value` with everything that its name calls secret replaced, however deep it stands."""
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if item and _is_secret(str(name)) else hide_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [hide_secrets(item) for item in value]
    return value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def _packed(state: State | None) -> str | None:
    return None if state is None else orjson.dumps(hide_secrets(state), default=str).decode()


def _record(row: Row[Any]) -> Record:
    before, after = (None if text is None else orjson.loads(text) for text in (row.before, row.after))
    return Record(**{**row._mapping, "before": before, "after": after})
