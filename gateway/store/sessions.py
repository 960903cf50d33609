"""What stands for an operator who has proved who they are: sessions of the admin API, and API tokens.

Neither is ever stored, only its digest. What is expired, revoked or of a disabled operator is not found.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.domain.operator import Role
from gateway.errors import NotFound
from gateway.store import tables_operators as tables
from gateway.store.operators import ACTIVE, Operator, operator_of

_o, _s, _t = tables.operators.c, tables.operator_sessions.c, tables.operator_tokens.c

USE_IS_NOTED_EVERY = 60_000  # ms: the time of last use is not worth a commit a request


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts, in milliseconds."""

    idle: int  # without a request
    absolute: int  # since the log-in


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in that goes on."""

    id_hash: str
    operator: Operator
    created_at: int
    used_at: int


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, without itself."""

    id: str
    operator: str
    label: str
    role: Role
    created_at: int
    expires_at: int
    revoked_at: int | None
    used_at: int | None
    used_from: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """An API token to be stored."""

    token_hash: str
    operator: str
    label: str
    role: Role
    expires_at: int


def open_session(connection: Connection, id_hash: str, operator: str, address: str, now_ms: int) -> None:
    """Begin a session."""
    connection.execute(
        insert(tables.operator_sessions).values(
            id_hash=id_hash, operator=operator, address=address, created_at=now_ms, used_at=now_ms
        )
    )


def find_session(connection: Connection, id_hash: str, limits: Limits, now_ms: int) -> Session | None:
    """Return the session and whose it is, or None if it has ended."""
    row = connection.execute(
        select(tables.operators, _s.created_at.label("opened_at"), _s.used_at)
        .join(tables.operator_sessions, _s.operator == _o.name)
        .where(
            _s.id_hash == id_hash,
            _o.state == ACTIVE,
            _s.used_at > now_ms - limits.idle,
            _s.created_at > now_ms - limits.absolute,
        )
    ).first()
    return None if row is None else Session(id_hash, operator_of(row), row.opened_at, row.used_at)


def session_used(connection: Connection, id_hash: str, now_ms: int) -> None:
    """Note a request of the session; one that has ended stays so."""
    connection.execute(update(tables.operator_sessions).where(_s.id_hash == id_hash).values(used_at=now_ms))


def end_session(connection: Connection, id_hash: str) -> None:
    """End one session."""
    connection.execute(delete(tables.operator_sessions).where(_s.id_hash == id_hash))


def end_sessions(connection: Connection, operator: str) -> int:
    """End every session of the operator; return how many there were."""
    return connection.execute(delete(tables.operator_sessions).where(_s.operator == operator)).rowcount


def drop_ended(connection: Connection, limits: Limits, now_ms: int) -> None:
    """Forget the sessions that are over."""
    over = (_s.used_at <= now_ms - limits.idle) | (_s.created_at <= now_ms - limits.absolute)
    connection.execute(delete(tables.operator_sessions).where(over))


def add_token(connection: Connection, token: NewToken, now_ms: int) -> Token:
    """Store a token; return it under its public id."""
    id_ = f"tok-{secrets.token_hex(8)}"
    connection.execute(
        insert(tables.operator_tokens).values(
            id=id_,
            token_hash=token.token_hash,
            operator=token.operator,
            label=token.label,
            role=token.role.value,
            created_at=now_ms,
            expires_at=token.expires_at,
        )
    )
    return token_by_id(connection, id_)


def find_token(connection: Connection, token_hash: str, now_ms: int) -> tuple[Token, Operator] | None:
    """Return the token and whose it is, or None if it is worth nothing (any more)."""
    row = connection.execute(
        select(tables.operator_tokens).where(
            _t.token_hash == token_hash, _t.revoked_at.is_(None), _t.expires_at > now_ms
        )
    ).first()
    if row is None:
        return None
    owner = connection.execute(
        select(tables.operators).where(_o.name == row.operator, _o.state == ACTIVE)
    ).first()
    if owner is None:
        return None
    token, operator = _token(row), operator_of(owner)
    return (token, operator) if operator.role.covers(token.role) else None


def token_by_id(connection: Connection, id_: str) -> Token:
    """Return the token, whatever has become of it; raises `NotFound`."""
    row = connection.execute(select(tables.operator_tokens).where(_t.id == id_)).first()
    if row is None:
        raise NotFound(f"there is no token {id_}")
    return _token(row)


def list_tokens(connection: Connection, operator: str = "") -> Sequence[Token]:
    """Return the tokens of one operator, or all, newest first."""
    query = select(tables.operator_tokens).order_by(_t.created_at.desc(), _t.id)
    if operator:
        query = query.where(_t.operator == operator)
    return [_token(row) for row in connection.execute(query)]


def token_used(connection: Connection, id_: str, address: str, now_ms: int) -> None:
    """Note a request with the token."""
    connection.execute(
        update(tables.operator_tokens).where(_t.id == id_).values(used_at=now_ms, used_from=address)
    )


def revoke_token(connection: Connection, id_: str, now_ms: int) -> bool:
    """Make the token worthless from now on; False if it was already. Raises `NotFound`."""
    changed = connection.execute(
        update(tables.operator_tokens).where(_t.id == id_, _t.revoked_at.is_(None)).values(revoked_at=now_ms)
    )
    if not changed.rowcount:
        token_by_id(connection, id_)
    return bool(changed.rowcount)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        operator=row.operator,
        label=row.label,
        role=Role(row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
        used_from=row.used_from,
    )
