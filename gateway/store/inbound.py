"""What the flow reads and writes of handsets' messages.

A finished message, its parts' fate, its callback and what it wishes are one transaction, beside the journal:
a wish changes lists that are not the journal's to write.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from gateway.domain.inbound import Completion, Fate, Flag, Forwarding, MoMessage, Ownership, Wish
from gateway.domain.numbers import NumberTable
from gateway.domain.reassembly import Repeat
from gateway.store import owned_numbers, revisions, tables
from gateway.store.changes import INBOUND, OUTBOX
from gateway.store.changes import Row as Values
from gateway.store.query import Given, Query
from gateway.store.tables_inbound import contacts, mo_messages

_p = tables.inbound_messages.c
_c = contacts.c
_m = tables.messages.c
_s = tables.submissions.c

# account, project, handset, unix ms; whether it changed anything
Obey = Callable[[Connection, str, str, str, int], bool]


@dataclass(frozen=True, slots=True)
class Contact:
    """The last message of one account to a handset by one channel."""

    phone: str
    channel: str
    account_id: str
    message_id: int
    sent_at: int  # unix ms
    project_id: str | None  # None: the message is forgotten
    user_id: str | None
    phone_given: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known to tell whose messages are."""

    contacts: dict[str, list[Contact]]  # by handset, the newest first
    version: int  # of the numbers
    numbers: NumberTable | None  # None: as they were


@dataclass(frozen=True, slots=True)
class Finished:
    """One message, with what is written beside it."""

    message: MoMessage
    parts: Sequence[int]  # rows of its parts
    duplicates: Sequence[int]  # rows of parts that came again
    outbox: Values | None


def facts(connection: Connection, phones: Iterable[str], known_version: int) -> Facts:
    """Return who wrote to these handsets, and the owned numbers if they are newer than `known_version`."""
    found: dict[str, list[Contact]] = {}
    for row in _CONTACTS.rows(connection, [(phone,) for phone in set(phones)]):
        phone, channel, account_id, message_id, sent_at, project_id, own_user, common_user, given = row
        contact = Contact(
            phone, channel, account_id, message_id, sent_at, project_id, own_user or common_user, given
        )
        found.setdefault(phone, []).append(contact)
    for one in found.values():
        one.sort(key=lambda contact: (contact.sent_at, contact.message_id), reverse=True)
    version = revisions.current(connection).get(revisions.INBOUND, 0)
    numbers = None if version == known_version else owned_numbers.load(connection)
    return Facts(found, version, numbers)


def finish(
    connection: Connection,
    finished: Sequence[Finished],
    repeats: Sequence[Repeat],
    obey: Callable[[Wish], Obey | None],
) -> int:
    """Write finished messages and all that follows from them; return how many wishes changed something."""
    changed = 0
    known = _written(connection, finished)  # by a commit whose outcome was lost
    finished = [one for one in finished if one.message.id not in known]
    if finished:
        connection.execute(insert(mo_messages), [asdict(one.message) for one in finished])
        callbacks = [dict(zip(OUTBOX, one.outbox, strict=True)) for one in finished if one.outbox]
        if callbacks:
            connection.execute(insert(tables.outbox), callbacks)
        for one in finished:
            changed += grant(connection, one.message, obey)
    fates = [_fate(id_, one.message.id, Fate.PART) for one in finished for id_ in one.parts]
    fates += [_fate(id_, one.message.id, Fate.DUPLICATE) for one in finished for id_ in one.duplicates]
    fates += [_fate(repeat.part_id, repeat.message_id, Fate.DUPLICATE) for repeat in repeats]
    if fates:
        connection.execute(_SET_FATE, fates)
    return changed


def _written(connection: Connection, finished: Sequence[Finished]) -> set[int]:
    ids = [one.message.id for one in finished]
    return (
        set(connection.scalars(select(mo_messages.c.id).where(mo_messages.c.id.in_(ids)))) if ids else set()
    )


def grant(connection: Connection, message: MoMessage, obey: Callable[[Wish], Obey | None]) -> bool:
    """Do what a message wishes, if it is known of whom; whether that changed anything.

    It is meant for whom it was sent to, and for the project whose message it may be the reply to.
    """
    wanted = obey(message.wish)
    phone, account_id = message.source or "", message.account_id
    if wanted is None or not account_id or not message.project_id or not is_phone(phone):
        return False
    projects = {message.project_id: None, _project_of(connection, message.message_id): None}
    done = [
        wanted(connection, account_id, project, phone, message.received_at) for project in projects if project
    ]
    return any(done)


def _project_of(connection: Connection, message_id: int | None) -> str | None:
    """Return the project of a message we sent; None: there is none, or it is forgotten."""
    if message_id is None:
        return None
    sent = select(_s.project_id).join_from(tables.messages, tables.submissions, _s.id == _m.submission_id)
    return connection.scalar(sent.where(_m.id == message_id))


def is_phone(text: str) -> bool:
    """Whether `text` can be a number messages are sent to: E.164, which no zero begins."""
    return text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= 15


def waiting_parts(connection: Connection, after_id: int, limit: int) -> list[Values]:
    """Return `INBOUND` rows that belong to no message yet, with ids above `after_id`, oldest first."""
    return [tuple(row) for row in _WAITING.rows(connection, after=after_id, limit=limit)]


def newest_parts(connection: Connection, limit: int) -> list[tuple[Values, int]]:
    """Return the newest `limit` parts of messages: their `INBOUND` rows and messages, oldest first."""
    rows = _NEWEST.rows(connection, limit=limit)
    return [(tuple(row[:-1]), row[-1]) for row in reversed(rows)]


def assigned(connection: Connection, limit: int) -> list[MoMessage]:
    """Return messages that an operator has given to somebody and that are still to be forwarded."""
    due = select(mo_messages).where(mo_messages.c.forwarding == _DUE).order_by(mo_messages.c.id).limit(limit)
    return [load(row) for row in connection.execute(due)]


def forward(connection: Connection, moved: Sequence[tuple[MoMessage, Values | None]]) -> None:
    """Queue the callbacks of assigned messages; without one the owner has no URL."""
    for message, row in moved:
        state = Forwarding.NO_URL if row is None else Forwarding.QUEUED
        still_due = (mo_messages.c.id == message.id, mo_messages.c.forwarding == _DUE)
        done = connection.execute(update(mo_messages).where(*still_due).values(forwarding=int(state)))
        if row is not None and done.rowcount:
            connection.execute(insert(tables.outbox), [dict(zip(OUTBOX, row, strict=True))])


def load(row: Row[Any]) -> MoMessage:
    """Return the message in a row of `mo_messages`."""
    values = row._asdict()
    lists = {"completion": Completion, "flags": Flag, "ownership": Ownership, "wish": Wish}
    for name, kind in (lists | {"forwarding": Forwarding}).items():
        values[name] = kind(values[name])
    return MoMessage(**values)


def _fate(part_id: int, message_id: int, fate: Fate) -> dict[str, int]:
    return {"part": part_id, "of": message_id, "became": int(fate)}


_DUE = int(Forwarding.DUE)
_SET_FATE = (
    update(tables.inbound_messages)
    .where(_p.id == bindparam("part"))
    .values(mo_id=bindparam("of"), fate=bindparam("became"))
)
_PART = tuple(_p[name] for name in INBOUND)


def _contacts_of(given: Given) -> Select[Any]:
    wanted = given("phone")
    columns = (
        _c.phone, _c.channel, _c.account_id, _c.message_id, _c.sent_at, _s.project_id,
        _m.user_id.label("own_user"), _s.user_id.label("common_user"), _m.phone_given,
    )  # fmt: skip
    joined = select(*columns).join_from(wanted, contacts, _c.phone == wanted.c.phone)
    joined = joined.outerjoin(tables.messages, _m.id == _c.message_id)
    return joined.outerjoin(tables.submissions, _s.id == _m.submission_id)


def _waiting(given: Given) -> Select[Any]:
    rows = select(*_PART).where(_p.mo_id.is_(None), _p.id > bindparam("after"))
    return rows.order_by(_p.id).limit(bindparam("limit"))


def _newest(given: Given) -> Select[Any]:
    done = select(*_PART, _p.mo_id).where(_p.mo_id > 0, _p.payload_hex.is_not(None))
    return done.order_by(_p.id.desc()).limit(bindparam("limit"))


_CONTACTS = Query(_contacts_of)
_WAITING = Query(_waiting)
_NEWEST = Query(_newest)
