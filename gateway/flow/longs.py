"""Long messages end when every part has its receipt, by the gravest of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carriers.receipt import aggregate
from carriers.results import ReceiptState
from gateway.domain.message import Message, State
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
            if flight is None or (len(flight.receipts) < flight.total and flight.sent_before):
                unsure.append(message_id)
            elif len(flight.receipts) == flight.total:
                verdicts.append(_verdict(sent.message, flight.receipts, parts))
        if unsure:
            verdicts += await self._by_store(longs, unsure)
        return verdicts

    async def _by_store(self, longs: Mapping[int, Sequence[Arrived]], unsure: Sequence[int]) -> list[Verdict]:
        await self._journal.append(Changes())  # what the answers wrote is in the store after this
        rows = await self._store.read(lambda connection: stored.segments_of(connection, unsure))
        states: dict[int, dict[int, ReceiptState | None]] = {message_id: {} for message_id in unsure}
        for row in rows:
            parts = states[row.message_id]
            if row.receipt_state is not None or row.part not in parts:
                parts[row.part] = ReceiptState(row.receipt_state) if row.receipt_state else None
        verdicts: list[Verdict] = []
        for message_id in unsure:
            arrived = longs[message_id]
            for one in arrived:
                assert one.sent is not None
                states[message_id][one.sent.part] = one.receipt.state
            known = {part: state for part, state in states[message_id].items() if state is not None}
            assert arrived[-1].sent is not None
            message = arrived[-1].sent.message
            if len(known) == len(states[message_id]) and message.state is not State.SENDING:
                verdicts.append(_verdict(message, known, arrived))
        return verdicts


def _verdict(message: Message, states: Mapping[int, ReceiptState], parts: Sequence[Arrived]) -> Verdict:
    state = aggregate(states.values())
    code = next((a.receipt.stat for a in parts if a.receipt.state is state), parts[-1].receipt.stat)
    return Verdict(message, state, code)
