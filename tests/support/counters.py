"""The statistics' counters in tests: read, counted again, and messages to count."""

from collections.abc import Sequence
from typing import Any

from gateway.domain.message import Message, Reason, State
from gateway.domain.statistics import COUNTERS
from gateway.ids import id_at
from gateway.store import tables_stats
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.recount import recount
from tests.support.messages import NOON_MS, message, submission
from tests.support.rows import all_rows, submission_row


def counted(store: Store) -> list[dict[str, Any]]:
    """Return the counters' rows that count anything, without their zeros."""
    rows = all_rows(store, tables_stats.statistics)
    found = [{k: v for k, v in row.items() if v or k not in COUNTERS} for row in rows]
    return [row for row in found if set(row) & set(COUNTERS)]


def sums(store: Store) -> dict[str, int]:
    """Return the counters summed up, without zeros."""
    rows = all_rows(store, tables_stats.statistics)
    totals = {name: sum(row[name] for row in rows) for name in COUNTERS}
    return {name: total for name, total in totals.items() if total}


def exact(store: Store) -> bool:
    """Whether the counters say what the messages do."""
    found = store.read_now(recount)
    assert not found.differences, found
    return True


def sent(
    count: int = 1, *, at: int = NOON_MS, number: int = 0, **changes: Any
) -> tuple[Changes, list[Message]]:
    """Return a submission of `count` messages as it is accepted; `number`: of its moment's."""
    first = id_at(at) + number * 1_000
    owner = {key: changes.pop(key) for key in ("account_id", "project_id") if key in changes}
    mine = submission(id=first, created_at=at, **owner)
    fields = {"state": State.SENDING, "accepted_at": at} | changes
    made = [message(submission=mine, id=first + 1 + n, **fields) for n in range(count)]
    unit = Changes(submissions=[submission_row(mine, messages=count)], messages=[one.row() for one in made])
    return unit, made


def submitted(messages: Sequence[Message], at: int = NOON_MS) -> Changes:
    """Return the moves of messages that the carrier took whole."""
    for one in messages:
        one.state, one.submitted_at, one.sent_segments = State.SUBMITTED, at, one.segments
    return Changes(moves=[one.move_row() for one in messages])


def ended(messages: Sequence[Message], state: State, reason: Reason = Reason.RECEIPT) -> Changes:
    """Return the finals of messages whose receipts came."""
    return Changes(finals=[(one.id, int(state), int(reason), NOON_MS, state.name) for one in messages])


def moved(messages: Sequence[Message], state: State, reason: Reason) -> Changes:
    """Return the moves of messages that end without a receipt."""
    for one in messages:
        one.state, one.reason, one.final_at = state, reason, NOON_MS
    return Changes(moves=[one.move_row() for one in messages])
