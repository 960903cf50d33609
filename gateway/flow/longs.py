"""Long messages end when every part has its receipt, by the gravest of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from carriers.receipt import aggregate
from carriers.results import ReceiptState
from gateway.domain.message import Message, Reason, State
from gateway.flow.match import Arrived
from gateway.store import messages as stored
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.journal import Journal


@dataclass(slots=True)
class Verdict:
    """What the receipts of all parts say together."""

    message: Message
    state: ReceiptState
    code: str


class LongMessages:
    """Decides which long messages are complete: by memory where it knows all parts, else by the store."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    async def complete(self, longs: Mapping[int, Sequence[Arrived]]) -> list[Verdict]:
        """Return the verdicts on those of `longs` (by message id) that miss no receipt now.

        Raises `StoreUnavailable`.
        """
        verdicts: list[Verdict] = []
        unsure: list[int] = []
        for message_id, parts in longs.items():
            sent = parts[-1].sent
            assert sent is not None
            flight = sent.flight
            if flight is not None and len(flight.receipts) == flight.total:
                verdicts.append(_verdict(sent.message, flight.receipts, parts))
            elif flight is None or flight.sent_before or flight.worst is not None:
                unsure.append(message_id)  # it is not this flight alone that brings the parts
        if unsure:
            verdicts += await self._by_store(longs, unsure)
        return verdicts

    async def _by_store(self, longs: Mapping[int, Sequence[Arrived]], unsure: Sequence[int]) -> list[Verdict]:
        await self._journal.append(Changes())  # what the answers wrote is in the store after this
        rows, known = await self._store.read(partial(_segments_and_messages, message_ids=unsure))
        states: dict[int, dict[int, ReceiptState | None]] = {message_id: {} for message_id in unsure}
        for row in rows:
            parts = states[row.message_id]
            if row.receipt_state is not None or row.part not in parts:
                parts[row.part] = ReceiptState(row.receipt_state) if row.receipt_state else None
        return [
            verdict
            for message in known
            if message.state >= State.SUBMITTED  # else parts are still to be sent
            and (verdict := _if_complete(message, states[message.id], longs[message.id])) is not None
        ]


def _if_complete(
    stored_as: Message, states: dict[int, ReceiptState | None], arrived: Sequence[Arrived]
) -> Verdict | None:
    """Return the verdict if `arrived` are the last receipts that the stored `states` miss."""
    message = stored_as
    for one in arrived:
        assert one.sent is not None
        states[one.sent.part] = one.receipt.state
        if one.sent.message.state >= State.SUBMITTED:
            message = one.sent.message  # the object that the other steps hold, if they do
    known = {part: state for part, state in states.items() if state is not None}
    if len(known) < len(states):
        return None
    verdict = _verdict(message, known, arrived)
    # a part nobody answered may be lost, and of a long message without it a handset shows nothing
    in_part = message.reason is Reason.IN_DOUBT_GIVEN_UP and len(known) < message.segments
    return None if in_part and verdict.state is ReceiptState.DELIVERED else verdict


def _segments_and_messages(
    connection: Connection, message_ids: Sequence[int]
) -> tuple[list[stored.SegmentRow], list[Message]]:
    return stored.segments_of(connection, message_ids), stored.by_ids(connection, message_ids)


def _verdict(message: Message, states: Mapping[int, ReceiptState], parts: Sequence[Arrived]) -> Verdict:
    state = aggregate(states.values())
    code = next((a.receipt.stat for a in parts if a.receipt.state is state), parts[-1].receipt.stat)
    return Verdict(message, state, code)
