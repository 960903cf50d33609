"""Read-only views: receipts for customers, a message's whole life for operators."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Select, Table, literal_column, select, union_all

from carriers.smpp.status import status_name
from gateway.domain.message import Message, Reason, State
from gateway.errors import NotFound
from gateway.ids import submission_id
from gateway.store import messages as stored
from gateway.store import tables
from gateway.store.changes import MESSAGE
from gateway.store.query import Given, Query

_m = tables.messages.c
_s = tables.submissions.c

_FINAL = literal_column(str(int(State.DELIVERED)), Integer)

Life = dict[str, Any]  # plain values, ready for JSON


def final_messages(
    connection: Connection, account_id: str, sessions: Sequence[str]
) -> Mapping[str, Sequence[Message]]:
    """Return the messages of `sessions` that are final, in order of id; only sessions of this account."""
    found = _sessions(connection, sessions, account_id)
    by_session: dict[str, list[Message]] = {session: [] for session in found.values()}
    for message in stored.load(connection, _FINAL_OF.rows(connection, [(id_,) for id_ in found])):
        by_session[message.submission.session_no].append(message)
    return by_session


def sent_to(
    connection: Connection, account_id: str, sessions: Sequence[str], phones: Sequence[str]
) -> Mapping[str, Sequence[int]]:
    """Return the ids of the messages of `sessions`, this account's only, that went to one of `phones`.

    No `phones`: to anybody. A number that has been blanked is nobody's.
    """
    owned = _sessions(connection, sessions, account_id)
    given = {id_: session for session in sessions if (id_ := submission_id(session)) in owned}
    wanted = select(_m.submission_id, _m.id).where(
        _s.id.in_(given), _m.id.between(_s.id + 1, _s.id + _s.messages)
    )
    if phones:
        wanted = wanted.where(_m.phone.in_(phones))
    found: dict[str, list[int]] = {session: [] for session in given.values()}
    for submission, message in connection.execute(wanted.order_by(_m.id)):
        found[given[submission]].append(message)
    return found


def message_life(connection: Connection, wanted: str) -> list[Life]:
    """Return everything known of the message with this id, or of each message of this session.

    Raises `NotFound`.
    """
    if wanted.isascii() and wanted.isdigit():
        found = stored.by_ids(connection, [int(wanted)]) if len(wanted) < 20 else []
    else:
        ids = _sessions(connection, [wanted])
        found = stored.load(connection, _ALL_OF.rows(connection, [(id_,) for id_ in ids]))
    if not found:
        raise NotFound(f"there is no message or session {wanted}")
    ids_ = [message.id for message in found]
    segments = _by_message(connection, _SEGMENTS, ids_, _SEGMENT_NAMES)
    events = _by_message(connection, _EVENTS, ids_, _EVENT_NAMES)
    ledger = _by_message(connection, _LEDGER, ids_, _LEDGER_NAMES)
    reports = _by_message(connection, _REPORTS, ids_, _REPORT_NAMES)
    return [
        _life(message, segments[message.id], events[message.id])
        | {"ledger": ledger[message.id], "callbacks": reports[message.id]}
        for message in found
    ]


def facts(message: Message) -> Life:
    """Return what a message's own row says of it."""
    submission = message.submission
    return {
        "id": message.id,
        "session_no": submission.session_no,
        "account_id": submission.account_id,
        "project_id": submission.project_id,
        "purpose": _word(message.purpose),
        "template_id": message.template_id or submission.template_id,
        "user_id": message.user_id or submission.user_id,
        "phone": message.phone,
        "phone_given": message.phone_given,
        "text": message.body(),
        "country": message.country,
        "segments": message.segments,
        "price": message.price,
        "charged": message.charged,
        "state": _word(message.state),
        "reason": _word(message.reason),
        "final": message.state.final,
        "lane": message.lane,
        "channel": message.channel,
        "attempts": message.attempts,
        "command_status": message.status,
        "command_status_name": status_name(message.status) if message.status else None,
        "receipt_code": message.receipt_code,
        "accepted_at": message.accepted_at,
        "expires_at": message.expires_at,
        "due_at": message.due_at or None,
        "sent_at": message.sent_at,
        "submitted_at": message.submitted_at,
        "final_at": message.final_at,
    }


def _life(message: Message, segments: list[Life], events: list[Life]) -> Life:
    for event in events:
        event |= {"state": _word(State(event["state"])), "reason": _word(Reason(event["reason"]))}
    told = {"parts": segments, "timeline": _timeline(message, segments, events)}
    return facts(message) | told


def _timeline(message: Message, segments: list[Life], events: list[Life]) -> list[Life]:
    """Put the row's own times and the events into one story."""
    story = [_step(message.accepted_at, "accepted", "accepted", "")]
    if message.sent_at is not None:
        story.append(_step(message.sent_at, "sending", "", message.channel or ""))
    for part in segments:
        story.append(
            _step(part["submitted_at"], "submitted", "", f"part {part['part']} is {part['carrier_id']}")
        )
        if part["receipt_at"] is not None:
            told = f"part {part['part']}: {part['receipt_state']} {part['receipt_code'] or ''}".rstrip()
            story.append(_step(part["receipt_at"], "receipt", "", told))
    story += [_step(event["at"], event["state"], event["reason"], event["detail"]) for event in events]
    story.sort(key=lambda step: step["at"])
    if message.final_at is not None:
        code = message.receipt_code or (status_name(message.status) if message.status else "")
        story.append(_step(message.final_at, _word(message.state), _word(message.reason), code))
    return story


def _step(at: int, state: str, reason: str, detail: str) -> Life:
    return {"at": at, "state": state, "reason": reason, "detail": detail}


def _word(member: State | Reason | Any) -> str:
    name: str = member.name
    return name.lower()


def _sessions(
    connection: Connection, sessions: Sequence[str], account_id: str | None = None
) -> dict[int, str]:
    """Return the sessions that exist, by submission id; the number is compared whole, its id is no secret."""
    wanted = {id_: session for session in sessions if (id_ := submission_id(session)) is not None}
    return {
        id_: session_no
        for id_, session_no, owner in _SESSIONS.rows(connection, [(id_,) for id_ in wanted])
        if session_no == wanted[id_].lower() and account_id in (None, owner)
    }


def _by_message(
    connection: Connection, query: Query, ids: Sequence[int], names: Sequence[str]
) -> dict[int, list[Life]]:
    found: dict[int, list[Life]] = {id_: [] for id_ in ids}
    for message_id, *row in query.rows(connection, [(id_,) for id_ in ids]):
        found[message_id].append(dict(zip(names, row, strict=True)))
    return found


# -- the statements


def _session_rows(given: Given) -> Select[Any]:
    return select(_s.id, _s.session_no, _s.account_id).where(_s.id.in_(select(given("id").c.id)))


def _members(given: Given) -> Select[Any]:
    """Select a submission's messages: their ids follow its own."""
    wanted = given("id")
    first, last = _s.id + 1, _s.id + _s.messages
    joined = (
        select(*(_m[name] for name in MESSAGE))
        .join_from(wanted, tables.submissions, _s.id == wanted.c.id)
        .join(tables.messages, _m.id.between(first, last))
    )
    return joined.order_by(_m.id)


_SESSIONS = Query(_session_rows)
_ALL_OF = Query(_members)
_FINAL_OF = Query(lambda given: _members(given).where(_m.state >= _FINAL))

_SEGMENT_NAMES = (
    "part", "channel", "carrier_id", "submitted_at", "receipt_state", "receipt_code", "receipt_error",
    "receipt_at",
)  # fmt: skip
_EVENT_NAMES = ("at", "state", "reason", "detail")
_LEDGER_NAMES = ("kind", "amount", "reserved", "at", "note")
_REPORT_NAMES = ("created_at", "next_at", "attempts", "done_at", "outcome")


def _of_messages(table: Table, names: Sequence[str]) -> Query:
    def build(given: Given) -> Select[Any]:
        c = table.c
        rows = select(c.message_id, *(c[name] for name in names))
        return rows.where(c.message_id.in_(select(given("id").c.id))).order_by(c.seq)

    return Query(build)


def _reports(given: Given) -> Select[Any]:
    """Select status reports: the first has its message's id, a late one an id of its own."""
    wanted, c = given("id"), tables.outbox.c
    columns = (c.message_id, *(c[name] for name in _REPORT_NAMES), c.id)
    first = select(*columns).where(c.id.in_(select(wanted.c.id)))
    late = select(*columns).where(c.message_id.in_(select(wanted.c.id)), c.message_id != c.id)
    both = union_all(first, late).subquery("reports").c
    return select(both.message_id, *(both[name] for name in _REPORT_NAMES)).order_by(both.id)


_SEGMENTS = _of_messages(tables.segments, _SEGMENT_NAMES)
_EVENTS = _of_messages(tables.events, _EVENT_NAMES)
_LEDGER = _of_messages(tables.ledger, _LEDGER_NAMES)
_REPORTS = Query(_reports)
