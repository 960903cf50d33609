"""Operators as they are stored. Everything works in the caller's transaction; nothing writes the audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update

from gateway.domain.operator import Role
from gateway.errors import Conflict, NotFound
from gateway.store import tables_operators as tables

_o = tables.operators.c

ACTIVE, DISABLED = "active", "disabled"


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may act, and how far."""

    name: str
    role: Role
    active: bool
    one_time_until: int | None  # unix ms; not None: the password must be changed before anything else
    created_at: int
    created_by: str
    password_changed_at: int
    last_login_at: int | None


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password to be stored; `one_time_until` None: the operator chose it."""

    hash: str
    one_time_until: int | None = None


def add(
    connection: Connection, name: str, role: Role, password: NewPassword, now_ms: int, *, created_by: str
) -> None:
    """Add an active operator; raises `Conflict` if the name was ever taken."""
    if connection.scalar(select(exists().where(_o.name == name))):
        raise Conflict(f"there is an operator {name} already")
    connection.execute(
        insert(tables.operators).values(
            name=name,
            role=role.value,
            state=ACTIVE,
            password_hash=password.hash,
            one_time_until=password.one_time_until,
            created_at=now_ms,
            created_by=created_by,
            password_changed_at=now_ms,
        )
    )


def find(connection: Connection, name: str) -> Operator:
    """Return the operator; raises `NotFound`."""
    row = connection.execute(select(tables.operators).where(_o.name == name)).first()
    if row is None:
        raise NotFound(f"there is no operator {name}")
    return operator_of(row)


def page(connection: Connection, limit: int, after: str = "") -> Sequence[Operator]:
    """Return up to `limit` operators whose name comes after `after`, by name."""
    rows = select(tables.operators).where(_o.name > after).order_by(_o.name).limit(limit)
    return [operator_of(row) for row in connection.execute(rows)]


def any_exists(connection: Connection) -> bool:
    """Whether there is an operator at all."""
    return bool(connection.scalar(select(exists().select_from(tables.operators))))


def password_hash(connection: Connection, name: str, *, lock: bool = False) -> str | None:
    """Return the hash to check a password against; None if nobody of this name can log in.

    `lock`: neither it nor the operator changes before the caller's transaction ends.
    """
    query = select(_o.password_hash).where(_o.name == name, _o.state == ACTIVE)
    found: str | None = connection.scalar(query.with_for_update() if lock else query)
    return found


def set_password(connection: Connection, name: str, password: NewPassword, now_ms: int) -> None:
    """Replace the password; raises `NotFound`."""
    values = {"password_hash": password.hash, "one_time_until": password.one_time_until}
    _update(connection, name, **values, password_changed_at=now_ms)


def rehash(connection: Connection, name: str, old: str, new: str) -> None:
    """Put `new`, made of the same password at today's cost, where `old` still stands."""
    connection.execute(
        update(tables.operators).where(_o.name == name, _o.password_hash == old).values(password_hash=new)
    )


def set_role(connection: Connection, name: str, role: Role) -> None:
    """Give the operator another role; raises `NotFound`, `Conflict` for the last active admin."""
    if role is not Role.ADMIN:
        _keep_an_admin(connection, name)
    _update(connection, name, role=role.value)


def set_active(connection: Connection, name: str, active: bool) -> None:
    """Let the operator in, or not; raises `NotFound`, `Conflict` for the last active admin."""
    if not active:
        _keep_an_admin(connection, name)
    _update(connection, name, state=ACTIVE if active else DISABLED)


def logged_in(connection: Connection, name: str, now_ms: int) -> None:
    """Note a log-in."""
    _update(connection, name, last_login_at=now_ms)


def operator_of(row: Row[Any]) -> Operator:
    """Return the operator in a row of the table."""
    return Operator(
        name=row.name,
        role=Role(row.role),
        active=row.state == ACTIVE,
        one_time_until=row.one_time_until,
        created_at=row.created_at,
        created_by=row.created_by,
        password_changed_at=row.password_changed_at,
        last_login_at=row.last_login_at,
    )


def _update(connection: Connection, name: str, **values: Any) -> None:
    changed = connection.execute(update(tables.operators).where(_o.name == name).values(**values))
    if not changed.rowcount:
        raise NotFound(f"there is no operator {name}")


def _keep_an_admin(connection: Connection, name: str) -> None:
    """Refuse what would leave nobody who can make operators; the lock makes two at once see each other."""
    admins = select(_o.name).where(_o.role == Role.ADMIN.value, _o.state == ACTIVE).with_for_update()
    if list(connection.scalars(admins)) == [name]:
        raise Conflict(f"{name} is the last active admin")
