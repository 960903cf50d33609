"""API keys: made, replaced, switched off and on, bound to addresses, each change audited in its transaction.

A private key leaves here once, when it is made. What is changed takes effect in the running gateway with the
directory's next revision, well within a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from gateway.auth.keys import KeyPair, Keyring, new_key_pair
from gateway.domain.allowlist import BadNetwork, check_networks
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import audit, revisions, tables, tables_keys
from gateway.store.audit import By, Entry, State

MAX_KEYS = 20  # usable ones of an account
MAX_NAME = 64
MAX_OVERLAP_MS = 7 * 86_400_000

_k = tables.api_keys.c


@dataclass(frozen=True, slots=True)
class KeySummary:
    """One key as operators see it; never the private half."""

    public_key: str
    account_id: str
    name: str
    state: str  # active | retiring | disabled | replaced
    allowed: tuple[str, ...]
    created_at: int
    retires_at: int | None
    replaced_by: str | None
    used_at: int | None
    used_from: str | None


def create_key(connection: Connection, keyring: Keyring, account_id: str, name: str, by: By) -> KeyPair:
    """Add a key pair to an account; raises `NotFound`, `Invalid`, `Conflict` with 20 usable keys already."""
    name = check_key_name(name)
    _check_room(connection, account_id, by.now_ms)
    pair = new_key_pair()
    insert_key(connection, keyring, pair, account_id, by.now_ms, name=name)
    _changed(connection, by, "key.create", pair.public_key, None, {"account_id": account_id, "name": name})
    return pair


def rotate_key(connection: Connection, keyring: Keyring, public_key: str, overlap_ms: int, by: By) -> KeyPair:
    """Make a key in the place of another, with its name and its allow-list.

    The old one is refused at once, or after `overlap_ms`, and cannot be enabled again. Raises `NotFound`,
    `Invalid`, `Conflict` if it was replaced already, or if both would be more than 20 usable ones.
    """
    old = _locked(connection, public_key)
    if not 0 <= overlap_ms <= MAX_OVERLAP_MS:
        raise Invalid(f"the overlap is 0 to {MAX_OVERLAP_MS // 1000} seconds")
    if old.replaced_by is not None:
        raise Conflict(f"key {public_key} was replaced by {old.replaced_by} already")
    if overlap_ms and old.state != "active":
        raise Conflict(f"key {public_key} is disabled: it can be replaced at once, without an overlap")
    if overlap_ms or old.state != "active":  # else the new one takes the place of the old one
        _check_room(connection, old.account_id, by.now_ms)
    pair = new_key_pair()
    insert_key(connection, keyring, pair, old.account_id, by.now_ms, name=old.name, allowed=old.allowed)
    retires_at = by.now_ms + overlap_ms
    values = {"replaced_by": pair.public_key, "retires_at": retires_at}
    if not overlap_ms:
        values["state"] = "disabled"
    connection.execute(update(tables.api_keys).where(_k.public_key == public_key).values(values))
    before = {"replaced_by": None, "state": old.state}
    _changed(connection, by, "key.rotate", public_key, before, {"state": old.state} | values)
    return pair


def enable_key(connection: Connection, public_key: str, *, active: bool, by: By) -> None:
    """Switch a key on or off.

    Raises `NotFound`, `Conflict` for switching on one that was replaced, or one too many.
    """
    old = _locked(connection, public_key)
    if active and old.replaced_by is not None:
        raise Conflict(f"key {public_key} was replaced by {old.replaced_by} and stays off")
    if active and old.state != "active":
        _check_room(connection, old.account_id, by.now_ms)
    state = "active" if active else "disabled"
    connection.execute(update(tables.api_keys).where(_k.public_key == public_key).values(state=state))
    action = "key.enable" if active else "key.disable"
    _changed(connection, by, action, public_key, {"state": old.state}, {"state": state})


def allow_key(connection: Connection, public_key: str, networks: Sequence[str], by: By) -> tuple[str, ...]:
    """Let a key be used from `networks` only, none: from anywhere the account may be used.

    Returns them in their one form; raises `NotFound`, `Invalid`.
    """
    checked = checked_networks(networks)
    old = _locked(connection, public_key)
    packed = ",".join(checked)
    connection.execute(update(tables.api_keys).where(_k.public_key == public_key).values(allowed=packed))
    _changed(connection, by, "key.allow", public_key, {"allowed": old.allowed}, {"allowed": packed})
    return checked


def list_keys(connection: Connection, account_id: str, now_ms: int) -> list[KeySummary]:
    """Return every key an account ever had, oldest first; raises `NotFound`."""
    accounts, uses = tables.accounts, tables_keys.key_uses
    if connection.scalar(select(accounts.c.id).where(accounts.c.id == account_id)) is None:
        raise NotFound(f"there is no account {account_id}")
    rows = connection.execute(
        select(tables.api_keys, uses.c.used_at, uses.c.address)
        .outerjoin(uses, uses.c.public_key == _k.public_key)
        .where(_k.account_id == account_id)
        .order_by(_k.created_at, _k.public_key)
    )
    return [
        KeySummary(
            row.public_key,
            row.account_id,
            row.name,
            _state(row, now_ms),
            unpacked(row.allowed),
            row.created_at,
            row.retires_at,
            row.replaced_by,
            row.used_at,
            row.address,
        )
        for row in rows
    ]


def insert_key(
    connection: Connection,
    keyring: Keyring,
    pair: KeyPair,
    account_id: str,
    now_ms: int,
    *,
    name: str = "",
    allowed: str = "",
) -> None:
    """Store `pair`, its private half sealed."""
    connection.execute(
        insert(tables.api_keys).values(
            public_key=pair.public_key,
            account_id=account_id,
            sealed_private_key=keyring.seal(pair),
            created_at=now_ms,
            name=name,
            allowed=allowed,
        )
    )


def checked_networks(networks: Sequence[str]) -> tuple[str, ...]:
    """Return `networks` in their one form; raises `Invalid`."""
    try:
        return check_networks(networks)
    except BadNetwork as error:
        raise Invalid(str(error)) from error


def unpacked(allowed: str) -> tuple[str, ...]:
    """Return the networks of a stored list."""
    return tuple(allowed.split(",")) if allowed else ()


def check_key_name(name: str) -> str:
    """Return a key's name, which may be blank; raises `Invalid`."""
    name = name.strip()
    if len(name) > MAX_NAME or not name.isprintable():
        raise Invalid(f"a key's name has at most {MAX_NAME} printable characters")
    return name


def _state(row: Row[Any], now_ms: int) -> str:
    if row.replaced_by is None:
        return str(row.state)
    return "retiring" if row.state == "active" and now_ms < row.retires_at else "replaced"


def _check_room(connection: Connection, account_id: str, now_ms: int) -> None:
    """Refuse a key too many; the account is held, so that two at once see each other."""
    accounts = tables.accounts.c
    query = select(accounts.id).where(accounts.id == account_id).with_for_update()
    if connection.scalar(query) is None:
        raise NotFound(f"there is no account {account_id}")
    alive = or_(_k.retires_at.is_(None), _k.retires_at > now_ms)
    usable = select(_k.public_key).where(_k.account_id == account_id, _k.state == "active", alive)
    if len(connection.scalars(usable).all()) >= MAX_KEYS:
        raise Conflict(f"account {account_id} has {MAX_KEYS} usable keys already: disable one first")


def _locked(connection: Connection, public_key: str) -> Row[Any]:
    """Return a key's row; two changes of the same key come one after the other."""
    query = select(tables.api_keys).where(_k.public_key == public_key).with_for_update()
    found = connection.execute(query).first()
    if found is None:
        raise NotFound(f"there is no key {public_key}")
    return found


def _changed(
    connection: Connection, by: By, action: str, public_key: str, before: State | None, after: State
) -> None:
    entry = Entry(action, "key", public_key, before, after, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)
    revisions.bump(connection, revisions.DIRECTORY)
