"""Numbers that handsets write to, and whose they are: changed here, loaded whole by the running gateway."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, insert, select

from gateway.domain.numbers import NumberTable, OwnedNumber
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import audit, revisions, tables
from gateway.store.audit import By
from gateway.store.tables_inbound import owned_numbers

MAX_NUMBER = 20  # SMPP 3.4 §5.2.9: destination_addr of a deliver_sm

_n = owned_numbers.c


class Place(NamedTuple):
    """What is owned: `number` "" is whatever comes by `channel` and is nobody else's; `channel` "": any."""

    number: str
    extend: str = ""  # only what has this right behind the number
    channel: str = ""


def add(connection: Connection, place: Place, owner: tuple[str, str], by: By) -> OwnedNumber:
    """Give a number to `owner` (account, project; "": its default one).

    Raises `NotFound`, `Invalid`, `Conflict` if it has an owner already.
    """
    number, extend, channel = place
    _check(number, extend)
    account_id, project_id = owner[0], project_of(connection, *owner)
    same = (_n.channel == channel, _n.number == number, _n.extend == extend)
    if connection.scalar(select(exists().where(*same))):
        raise Conflict("that number has an owner already; remove it first")
    values = {
        "channel": channel, "number": number, "extend": extend, "account_id": account_id,
        "project_id": project_id, "created_at": by.now_ms,
    }  # fmt: skip
    made = connection.execute(insert(owned_numbers).values(values)).inserted_primary_key
    assert made is not None
    given = OwnedNumber(made[0], channel, number, extend, account_id, project_id)
    _changed(connection, by, "number.add", given.id, None, asdict(given))
    return given


def known_channel(channel: str, known: Iterable[str]) -> None:
    """Raise `Invalid` unless `channel` is one of the network's."""
    names = sorted(known)
    if channel not in names:
        raise Invalid(
            f"there is no channel {channel!r} in the network; there are: {', '.join(names) or 'none'}"
        )


def remove(connection: Connection, id_: int, by: By) -> OwnedNumber:
    """Take a number from its owner and return it as it was; raises `NotFound`."""
    found = [one for one in everything(connection) if one.id == id_]
    if not found:
        raise NotFound(f"there is no owned number {id_}")
    connection.execute(delete(owned_numbers).where(_n.id == id_))
    _changed(connection, by, "number.remove", id_, asdict(found[0]), None)
    return found[0]


def everything(connection: Connection, account_id: str | None = None) -> list[OwnedNumber]:
    """Return every owned number, or an account's, by number."""
    columns = (_n.id, _n.channel, _n.number, _n.extend, _n.account_id, _n.project_id)
    query = select(*columns).order_by(_n.number, _n.extend, _n.channel)
    if account_id is not None:
        query = query.where(_n.account_id == account_id)
    return [OwnedNumber(*row) for row in connection.execute(query)]


def load(connection: Connection) -> NumberTable:
    """Return all of them, to look owners up in."""
    return NumberTable(everything(connection))


def project_of(connection: Connection, account_id: str, project_id: str) -> str:
    """Return the account's project, the default one for ""; raises `NotFound`."""
    projects = tables.projects.c
    named = projects.id == project_id if project_id else projects.is_default
    found = connection.scalar(select(projects.id).where(projects.account_id == account_id, named))
    if found is None:
        what = f"project {project_id} of account {account_id}" if project_id else f"account {account_id}"
        raise NotFound(f"there is no {what}")
    return str(found)


def _changed(
    connection: Connection,
    by: By,
    action: str,
    id_: int,
    before: audit.State | None,
    after: audit.State | None,
) -> None:
    entry = audit.Entry(action, "number", str(id_), before, after, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)
    revisions.bump(connection, revisions.INBOUND)


def _check(number: str, extend: str) -> None:
    digits = number + extend
    if digits and not (digits.isascii() and digits.isdigit()):
        raise Invalid("a number and its extend code are digits, as the carrier writes them, without +")
    if len(digits) > MAX_NUMBER:
        raise Invalid(f"a number and its extend code have at most {MAX_NUMBER} digits")
    if extend and not number:
        raise Invalid("an extend code stands behind a number")
