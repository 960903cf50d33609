"""What the flow asks the store about messages: always in batches, always bounded, domain values out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    select,
    union_all,
)

from gateway.domain.message import Message, Purpose, Reason, State, Submission
from gateway.ids import id_at
from gateway.store import tables
from gateway.store.changes import MESSAGE
from gateway.store.query import Given, Query, Values
from gateway.store.tables_inbound import mo_messages

_m = tables.messages.c
_g = tables.segments.c
_e = tables.early_receipts.c
_s = tables.submissions.c

_SCAN = 20_000  # segments one look of `overdue` passes over at most

_STATES = {int(state): state for state in State}
_REASONS = {int(reason): reason for reason in Reason}
_PURPOSES = {int(purpose): purpose for purpose in Purpose}


@dataclass(slots=True)
class SegmentRow:
    """One segment the carrier has taken."""

    seq: int
    message_id: int
    part: int
    channel: str
    match_id: str
    receipt_state: str | None  # value of a `ReceiptState`, once the final receipt came
    concat_ref: int | None = None  # of a part of a long message


@dataclass(slots=True)
class EarlyRow:
    """A receipt kept for an answer that had not come."""

    id: int
    channel: str
    match_id: str
    receipt: str  # as the flow wrote it


@dataclass(slots=True)
class LaneRow:
    """Messages waiting in one lane."""

    state: State  # QUEUED or HELD
    lane: str
    purpose: Purpose
    count: int
    oldest: int  # unix ms when the oldest of them was accepted


@dataclass(slots=True)
class Overdue:
    """Segments without a receipt, and how far the search has come."""

    rows: list[SegmentRow]
    messages: dict[int, Message]
    reached: int  # every segment up to this seq has been looked at


def queued_after(
    connection: Connection, lane: str, purpose: Purpose, after_id: int, limit: int
) -> list[Message]:
    """Return QUEUED messages of one lane with ids above `after_id`, oldest first."""
    rows = _QUEUED.rows(connection, lane=lane, purpose=int(purpose), after=after_id, limit=limit)
    return load(connection, rows)


def waiting_in(connection: Connection, lane: str, after_id: int, limit: int) -> list[Message]:
    """Return QUEUED and HELD messages of `lane`, of any purpose, with ids above `after_id`, oldest first."""
    return load(connection, _WAITING.rows(connection, lane=lane, after=after_id, limit=limit))


def half_sent(connection: Connection, after_id: int, limit: int) -> list[Message]:
    """Return QUEUED and HELD messages of which a carrier has parts, with ids above `after_id`, oldest first.

    It looks through all that waits: for a start that has a reason to.
    """
    return load(connection, _HALF_SENT.rows(connection, after=after_id, limit=limit))


def held_due(connection: Connection, now_ms: int, limit: int) -> list[Message]:
    """Return HELD messages whose time has come, the longest due first."""
    return load(connection, _HELD_DUE.rows(connection, now=now_ms, limit=limit))


def in_flight(connection: Connection) -> list[Message]:
    """Return every message that is SENDING or IN_DOUBT; the carriers' windows bound them."""
    return load(connection, _IN_FLIGHT.rows(connection))


def by_ids(connection: Connection, ids: Iterable[int]) -> list[Message]:
    """Return the messages with these ids that exist, in order of id."""
    return load(connection, _BY_IDS.rows(connection, [(id_,) for id_ in ids]))


def lanes(connection: Connection) -> list[LaneRow]:
    """Return every lane in which messages wait, by state and purpose."""
    return [
        LaneRow(_STATES[state], lane, _PURPOSES[purpose], count, oldest)
        for state, lane, purpose, count, oldest in _LANES.rows(connection)
    ]


def match_segments(connection: Connection, keys: Sequence[tuple[str, str]]) -> list[SegmentRow]:
    """Return the segments with these (channel, match id), oldest first; ids come round again."""
    return [SegmentRow(*row) for row in _MATCH.rows(connection, keys)]


def matched(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> tuple[list[SegmentRow], dict[int, Message]]:
    """Return what `match_segments` does, and the segments' messages by id."""
    rows = match_segments(connection, keys)
    return rows, _owners(connection, rows)


def segments_of(connection: Connection, message_ids: Iterable[int]) -> list[SegmentRow]:
    """Return the segments of these messages, oldest first."""
    return [SegmentRow(*row) for row in _SEGMENTS_OF.rows(connection, [(id_,) for id_ in message_ids])]


def overdue(connection: Connection, channel: str, after_seq: int, before_ms: int, limit: int) -> Overdue:
    """Return `channel`'s segments submitted before `before_ms` and still without a final receipt.

    It looks on from `after_seq` in order of seq, at a bounded number of segments of all channels; the next
    look goes on from `reached`, so each segment is passed once.
    """
    [(end, not_due)] = _REACH.rows(connection, after=after_seq, before=before_ms, scan=_SCAN)
    reached = end if not_due is None else not_due - 1
    if reached is None or reached <= after_seq:
        return Overdue([], {}, after_seq)
    found = _OVERDUE.rows(connection, channel=channel, after=after_seq, reached=reached, limit=limit)
    rows = [SegmentRow(*row) for row in found]
    if len(rows) == limit:
        reached = rows[-1].seq
    return Overdue(rows, _owners(connection, rows), reached)


def early_unmatched(connection: Connection, limit: int) -> list[EarlyRow]:
    """Return the kept receipts that no answer has claimed, the newest `limit`, newest first."""
    return [EarlyRow(*row) for row in _EARLY.rows(connection, limit=limit)]


def early_answered(connection: Connection, after_id: int, limit: int) -> list[EarlyRow]:
    """Return unclaimed kept receipts for whose (channel, match id) there is a segment, oldest first."""
    return [EarlyRow(*row) for row in _EARLY_ANSWERED.rows(connection, after=after_id, limit=limit)]


def channels_used(connection: Connection) -> list[str]:
    """Return every channel that has taken a segment, also those that are configured no more."""
    found: list[str] = []
    while (channel := connection.scalar(_NEXT_CHANNEL, {"after": found[-1] if found else ""})) is not None:
        found.append(channel)
    return found


def marks(connection: Connection) -> dict[str, int]:
    """Return how far each sweep had come (`Changes.marks`)."""
    return {name: value for name, value in _MARKS.rows(connection)}


def highest_id(connection: Connection) -> int:
    """Return the highest id ever given out that left a row, 0 in an empty store."""
    inbound = (tables.inbound_messages.c.id, mo_messages.c.id)
    columns = (_s.id, _m.id, _e.id, *inbound, tables.outbox.c.id)
    return max(connection.scalar(select(func.max(column))) or 0 for column in columns)


def recent_requests(connection: Connection, since_ms: int) -> list[tuple[str, str, int]]:
    """Return (request key, answer, unix ms) of the submissions since then, oldest first."""
    rows = _RECENT.rows(connection, since_id=id_at(since_ms))
    return [(key, answer, created_at) for key, answer, created_at in rows]


# -- from rows to messages


def load(connection: Connection, rows: Sequence[Values]) -> list[Message]:
    """Return the messages whose `MESSAGE` rows these are, with what belongs to them."""
    if not rows:
        return []
    ids = [(id_,) for id_ in {row[1] for row in rows}]
    submissions = {row[0]: _submission(row) for row in _SUBMISSIONS.rows(connection, ids)}
    found = [_message(row, submissions[row[1]]) for row in rows]
    _add_parts(connection, found)
    return found


def _submission(row: Values) -> Submission:
    id_, session_no, account_id, project_id, purpose, template_id, user_id, text, created_at = row
    return Submission(
        id_, session_no, account_id, project_id, _PURPOSES[purpose], template_id, user_id, text, created_at
    )


def _message(row: Values, submission: Submission) -> Message:
    (
        id_, _, _, purpose, phone, phone_given, user_id, template_id, text, country, segments, price,
        accepted_at, expires_at, state, reason, lane, channel, due_at, attempts, status, sent_at,
        submitted_at, final_at, charged, sent_segments, receipt_code,
    ) = row  # fmt: skip
    return Message(
        id_, submission, _PURPOSES[purpose], phone or "", phone_given or "", user_id, template_id, text,
        country, segments, price, accepted_at, expires_at, _STATES[state], _REASONS[reason], lane, channel,
        due_at, attempts, status, sent_at, submitted_at, final_at, charged, sent_segments, receipt_code,
    )  # fmt: skip


def _add_parts(connection: Connection, found: Sequence[Message]) -> None:
    """Say of long messages that are half sent which parts the carrier has."""
    halves = {m.id: m for m in found if m.segments > 1 and m.sent_segments and not m.state.final}
    if not halves:
        return
    for row in segments_of(connection, halves):
        message = halves[row.message_id]
        message.concat_ref = row.concat_ref
        if row.part not in message.parts_done:
            message.parts_done = (*message.parts_done, row.part)


def _owners(connection: Connection, rows: Sequence[SegmentRow]) -> dict[int, Message]:
    return {message.id: message for message in by_ids(connection, {row.message_id for row in rows})}


# -- the statements

_MESSAGE = tuple(_m[name] for name in MESSAGE)
_SEGMENT = (_g.seq, _g.message_id, _g.part, _g.channel, _g.match_id, _g.receipt_state, _g.concat_ref)
_KEPT = (_e.id, _e.channel, _e.match_id, _e.receipt)
_LIMIT = bindparam("limit", type_=Integer)


def _in_state(*states: State) -> ColumnElement[bool]:
    """Say it with literals, as the partial indexes do: a parameter would hide them from the planner."""
    if len(states) == 1:
        return and_(_OPEN, _m.state == _literal(states[0]))
    return and_(_OPEN, _m.state.in_([_literal(state) for state in states]))


def _literal(state: State) -> ColumnElement[int]:
    return literal_column(str(int(state)), Integer)


_OPEN = _m.state <= _literal(State.IN_DOUBT)


def _queued(given: Given) -> Select[Any]:
    lane = (_m.lane == bindparam("lane"), _m.purpose == bindparam("purpose"))
    queued = select(*_MESSAGE).where(_in_state(State.QUEUED), *lane, _m.id > bindparam("after"))
    return queued.order_by(_m.id).limit(_LIMIT)


def _waiting(given: Given) -> Select[Any]:
    """Merge the heads of the lane's queues: each is a range of the index, all of them are not."""
    heads = []
    for state in (State.QUEUED, State.HELD):
        for purpose in Purpose:
            here = (_m.lane == bindparam("lane"), _m.purpose == literal_column(str(int(purpose)), Integer))
            ids = select(_m.id).where(_in_state(state), *here, _m.id > bindparam("after"))
            heads.append(select(ids.order_by(_m.id).limit(_LIMIT).subquery().c.id))
    merged = union_all(*heads).subquery("heads")
    rows = select(*_MESSAGE).join_from(merged, tables.messages, _m.id == merged.c.id)
    return rows.order_by(_m.id).limit(_LIMIT)


def _half_sent(given: Given) -> Select[Any]:
    half = (_in_state(State.QUEUED, State.HELD), _m.sent_segments > 0, _m.id > bindparam("after"))
    return select(*_MESSAGE).where(*half).order_by(_m.id).limit(_LIMIT)


def _held_due(given: Given) -> Select[Any]:
    due = select(*_MESSAGE).where(_m.state == _literal(State.HELD), _m.due_at <= bindparam("now"))
    return due.order_by(_m.due_at).limit(_LIMIT)


def _in_flight(given: Given) -> Select[Any]:
    return select(*_MESSAGE).where(_in_state(State.SENDING, State.IN_DOUBT)).order_by(_m.id)


def _by_ids(given: Given) -> Select[Any]:
    return select(*_MESSAGE).where(_m.id.in_(select(given("id").c.id))).order_by(_m.id)


def _submissions(given: Given) -> Select[Any]:
    columns = (
        _s.id, _s.session_no, _s.account_id, _s.project_id, _s.purpose, _s.template_id, _s.user_id, _s.text,
        _s.created_at,
    )  # fmt: skip
    return select(*columns).where(_s.id.in_(select(given("id").c.id)))


def _lanes(given: Given) -> Select[Any]:
    groups = (
        select(_m.state, _m.lane, _m.purpose, func.count().label("waiting"), func.min(_m.id).label("first"))
        .where(_in_state(State.QUEUED, State.HELD))
        .group_by(_m.state, _m.lane, _m.purpose)
        .subquery("lanes")
    )
    g, first = groups.c, tables.messages.alias("oldest")
    columns = (g.state, g.lane, g.purpose, g.waiting, first.c.accepted_at)
    return select(*columns).join_from(groups, first, first.c.id == g.first).order_by(g.first)


def _match(given: Given) -> Select[Any]:
    wanted = given("channel", "match_id")
    same = and_(_g.channel == wanted.c.channel, _g.match_id == wanted.c.match_id)
    return select(*_SEGMENT).join_from(wanted, tables.segments, same).order_by(_g.seq)


def _segments_of(given: Given) -> Select[Any]:
    return select(*_SEGMENT).where(_g.message_id.in_(select(given("id").c.id))).order_by(_g.seq)


def _reach(given: Given) -> Select[Any]:
    after, before = _g.seq > bindparam("after"), bindparam("before", type_=BigInteger)
    oldest = select(_g.submitted_at).where(after).order_by(_g.seq).limit(1).scalar_subquery()
    next_ones = select(_g.seq, _g.submitted_at).where(after, oldest < before)
    window = next_ones.order_by(_g.seq).limit(bindparam("scan")).subquery("next_ones").c
    not_due = func.min(case((window.submitted_at >= before, window.seq)))
    return select(func.max(window.seq).label("end"), not_due.label("not_due"))


def _overdue(given: Given) -> Select[Any]:
    unanswered = and_(_g.channel == bindparam("channel"), _g.receipt_state.is_(None))
    between = and_(_g.seq > bindparam("after"), _g.seq <= bindparam("reached"))
    return select(*_SEGMENT).where(unanswered, between).order_by(_g.seq).limit(_LIMIT)


def _early(given: Given) -> Select[Any]:
    return select(*_KEPT).where(_e.matched == false()).order_by(_e.id.desc()).limit(_LIMIT)


def _early_answered(given: Given) -> Select[Any]:
    answered = exists().where(_g.channel == _e.channel, _g.match_id == _e.match_id)
    named = _e.match_id != ""  # answers without an id name no receipt
    later = _e.id > bindparam("after")
    return select(*_KEPT).where(_e.matched == false(), named, later, answered).order_by(_e.id).limit(_LIMIT)


def _recent(given: Given) -> Select[Any]:
    recent = select(_s.request_key, _s.answer, _s.created_at).where(_s.id >= bindparam("since_id"))
    return recent.order_by(_s.id)


_QUEUED = Query(_queued)
_WAITING = Query(_waiting)
_HALF_SENT = Query(_half_sent)
_HELD_DUE = Query(_held_due)
_IN_FLIGHT = Query(_in_flight)
_BY_IDS = Query(_by_ids)
_SUBMISSIONS = Query(_submissions)
_LANES = Query(_lanes)
_MATCH = Query(_match)
_SEGMENTS_OF = Query(_segments_of)
_REACH = Query(_reach)
_OVERDUE = Query(_overdue)
_EARLY = Query(_early)
_EARLY_ANSWERED = Query(_early_answered)
_NEXT_CHANNEL = select(func.min(_g.channel)).where(_g.channel > bindparam("after"))  # one look at the index
_MARKS = Query(lambda given: select(tables.marks.c.name, tables.marks.c.value))
_RECENT = Query(_recent)
