"""Handsets' messages as operators see them, and giving an unowned one to somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.domain.inbound import Fate, Flag, Forwarding, MoMessage, Ownership, Wish, words
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import audit, owned_numbers, revisions, tables
from gateway.store.audit import By
from gateway.store.inbound import Obey, grant, load
from gateway.store.tables_inbound import mo_messages

MOST = 1_000  # messages in one list

_m = mo_messages.c
_p = tables.inbound_messages.c
_o = tables.outbox.c

View = dict[str, Any]  # plain values, ready for JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are looked for."""

    unowned: bool = False
    account_id: str | None = None
    channel: str | None = None
    source: str | None = None  # the handset
    before_id: int | None = None  # only older ones


def listed(connection: Connection, wanted: Wanted, limit: int) -> list[View]:
    """Return messages, the newest first; raises `Invalid` for an impossible limit."""
    if not 1 <= limit <= MOST:
        raise Invalid(f"a list has 1 to {MOST} messages")
    query = select(mo_messages).order_by(_m.id.desc()).limit(limit)
    if wanted.unowned:
        query = query.where(_m.account_id.is_(None))
    for column, value in ((_m.account_id, wanted.account_id), (_m.channel, wanted.channel)):
        if value is not None:
            query = query.where(column == value)
    if wanted.source is not None:
        query = query.where(_m.source == wanted.source)
    if wanted.before_id is not None:
        query = query.where(_m.id < wanted.before_id)
    found = [load(row) for row in connection.execute(query)]
    outcomes = _outcomes(connection, [one.id for one in found if one.forwarding is Forwarding.QUEUED])
    return [_followed(view(one), outcomes) for one in found]


def one(connection: Connection, id_: int) -> View:
    """Return a message with its parts and its callback; raises `NotFound`."""
    message = _found(connection, id_)
    columns = (_p.id, _p.received_at, _p.fate, _p.data_coding, _p.esm_class, _p.payload_hex, _p.tlvs)
    parts = connection.execute(select(*columns).where(_p.mo_id == id_).order_by(_p.id)).mappings()
    told = (_o.created_at, _o.next_at, _o.attempts, _o.done_at, _o.outcome)
    callbacks = connection.execute(select(*told).where(_o.id == id_, _o.message_id < 0)).mappings()
    return _followed(view(message), _outcomes(connection, [id_])) | {
        "parts": [dict(part) | {"fate": Fate(part["fate"]).name.lower()} for part in parts],
        "callbacks": [dict(callback) for callback in callbacks],
    }


def assign(
    connection: Connection, id_: int, owner: tuple[str, str], obey: Mapping[Wish, Obey], by: By
) -> View:
    """Give an unowned message to `owner` (account, project; "": its default one), who is told of it.

    What it wishes is done now. Raises `NotFound`, and `Conflict` if it is somebody's already, or blanked.
    """
    message = _found(connection, id_)
    if message.source is None:
        raise Conflict(f"message {id_} is blanked: there is nothing left to forward")
    project_id = owned_numbers.project_of(connection, *owner)
    values = {
        "account_id": owner[0],
        "project_id": project_id,
        "ownership": int(Ownership.ASSIGNED),
        "forwarding": int(Forwarding.DUE),
    }
    nobodys = (_m.id == id_, _m.account_id.is_(None))
    if not connection.execute(update(mo_messages).where(*nobodys).values(values)).rowcount:
        raise Conflict(f"message {id_} belongs to account {message.account_id} already")
    given = _found(connection, id_)
    grant(connection, given, obey.get)
    after = {"account_id": owner[0], "project_id": project_id}
    entry = audit.Entry("inbound.assign", "inbound", str(id_), {"account_id": None}, after, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)
    revisions.bump(connection, revisions.INBOUND)
    return view(given)


def view(message: MoMessage) -> View:
    """Return a message as plain values: closed lists as their words."""
    values = asdict(message)
    for name in ("completion", "ownership", "wish", "forwarding"):
        values[name] = values[name].name.lower()
    values["flags"] = words(Flag(message.flags))
    values["missing"] = [int(number) for number in message.missing.split(",") if number]
    return values


def _outcomes(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Return how the callbacks of these messages ended, of those that did."""
    done = (_o.id.in_(ids), _o.message_id < 0, _o.done_at.is_not(None))
    rows = connection.execute(select(_o.id, _o.outcome).where(*done)) if ids else ()
    return {id_: (outcome or "").partition(":")[0] for id_, outcome in rows}


def _followed(view: View, outcomes: Mapping[int, str]) -> View:
    """Return a view that says how forwarding ended, once it has."""
    queued = view["forwarding"] == Forwarding.QUEUED.name.lower()
    return view | {"forwarding": outcomes[view["id"]]} if queued and view["id"] in outcomes else view


def _found(connection: Connection, id_: int) -> MoMessage:
    row = connection.execute(select(mo_messages).where(_m.id == id_)).first() if id_ < 1 << 63 else None
    if row is None:
        raise NotFound(f"there is no message {id_} of a handset")
    return load(row)
