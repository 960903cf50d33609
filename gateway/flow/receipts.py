"""What a batch of receipts means: for the messages they speak of, and for those nobody has claimed yet."""

from collections.abc import Sequence
from functools import partial

import orjson

from carriers.message_id import canonical_id
from carriers.results import Inbound, ReceiptState
from gateway.domain.message import Message, Reason, State
from gateway.flow.context import Context
from gateway.flow.kept import Parked, dump_receipt
from gateway.flow.longs import LongMessages
from gateway.flow.match import Arrived
from gateway.flow.outcome import Outcomes
from gateway.flow.sent import SentIndex
from gateway.flow.unit import Unit

_STATES = {
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.UNDELIVERED: State.UNDELIVERED,
    ReceiptState.EXPIRED: State.EXPIRED,
    ReceiptState.DELETED: State.UNDELIVERED,
    ReceiptState.REJECTED: State.REJECTED,
    ReceiptState.UNKNOWN: State.UNKNOWN,
}


class Judge:
    """Decides, in memory and in a unit; what it did in memory is taken back if the unit fails."""

    def __init__(self, context: Context, index: SentIndex, outcomes: Outcomes) -> None:
        self._ids = context.ids
        self._clock = context.clock
        self._metrics = context.metrics.channels
        self._longs = LongMessages(context.store, context.journal)
        self._index = index
        self._outcomes = outcomes

    def unmatched(self, strangers: Sequence[Arrived], unit: Unit, now_ms: int) -> None:
        """Match receipts whose id tells nothing by their handset, and keep the rest."""
        self._park([one for one in strangers if not self._by_handset(one, unit)], unit, now_ms)

    async def apply(self, batch: Sequence[Arrived], unit: Unit, now_ms: int) -> None:
        """Settle receipts whose segments are known; raises `StoreUnavailable`."""
        longs: dict[int, list[Arrived]] = {}
        for arrived in batch:
            sent, receipt = arrived.sent, arrived.receipt
            assert sent is not None
            if arrived.early_id is not None:
                unit.early_matched.append((arrived.early_id,))
            if arrived.settled:
                continue
            message = sent.message
            unit.receipts.append(
                (
                    message.id,
                    sent.part,
                    arrived.match_id,
                    receipt.state.value,
                    receipt.stat,
                    receipt.error,
                    now_ms,
                )
            )
            if sent.flight is not None:
                sent.flight.receipts[sent.part] = receipt.state
            if message.segments == 1:
                self._finish(message, receipt.state, receipt.stat, unit, now_ms)
            else:
                longs.setdefault(message.id, []).append(arrived)
        for verdict in await self._longs.complete(longs) if longs else ():
            self._finish(verdict.message, verdict.state, verdict.code, unit, now_ms)

    def _finish(self, message: Message, told: ReceiptState, code: str, unit: Unit, now_ms: int) -> None:
        """End `message`, unless it has its final state: the first one stands, but for our own `unknown`."""
        state = _STATES[told]
        before = message.state
        if before.final and (before is not State.UNKNOWN or state is State.UNKNOWN):
            if before is not state:
                unit.event(message.id, now_ms, state, Reason.LATE_RECEIPT, f"ignored: {code}")
            return
        unit.restores(message)
        message.receipt_code = code
        if before is State.UNKNOWN:
            unit.event(message.id, now_ms, state, Reason.LATE_RECEIPT, code)
            message.move(state, Reason.LATE_RECEIPT)
            message.final_at = now_ms
            self._outcomes.report(message, self._ids.take(1, now_ms), unit, now_ms)
        else:
            self._outcomes.finish(message, state, Reason.RECEIPT, unit, now_ms)
        if before in (State.SUBMITTED, State.UNKNOWN):
            unit.finals.append((message.id, int(state), int(message.reason), now_ms, code))
        else:
            unit.moved[message.id] = message

    def _by_handset(self, arrived: Arrived, unit: Unit) -> bool:
        """Settle a receipt whose id tells nothing by its handset, if it can mean one message only."""
        found = self._index.meant_by(arrived.channel, arrived.receipt, arrived.early_id)
        if found is None:
            return False
        match_id, arrived.sent = found
        message = arrived.sent.message
        if message.state is State.IN_DOUBT:
            self._end_doubt(message, arrived, unit)
        else:
            arrived.match_id = match_id
        return True

    def _end_doubt(self, message: Message, arrived: Arrived, unit: Unit) -> None:
        """Write down what the answer would have brought."""
        now_ms = self._clock.now_ms()
        del self._index.doubtful[message.id]
        unit.undo.append(partial(self._doubt_again, message))
        message.sent_segments = message.segments
        unit.event(message.id, now_ms, State.SUBMITTED, Reason.WAITING_FOR_RECEIPT, "matched by handset")
        carrier_id = arrived.receipt.message_id
        arrived.match_id = canonical_id(carrier_id)
        unit.segments.append((message.id, 1, arrived.channel, carrier_id, arrived.match_id, now_ms, None))
        self._outcomes.submitted(message, unit, now_ms)

    def _doubt_again(self, message: Message) -> None:
        message.sent_segments, message.submitted_at, message.charged = 0, None, 0
        self._index.doubtful[message.id] = message

    def _park(self, strangers: Sequence[Arrived], unit: Unit, now_ms: int) -> None:
        """Keep receipts whose id no answer has named yet, and every one that names none."""
        for arrived in strangers:
            channel, receipt = arrived.channel, arrived.receipt
            if arrived.early_id is not None:  # its row is there already
                self._index.kept.add(Parked(arrived.early_id, channel, receipt))
                continue
            if self._index.kept.knows(channel, receipt):
                continue
            match_id = canonical_id(receipt.message_id)
            early_id = self._ids.take(1, now_ms)
            unit.early.append((early_id, channel, match_id, dump_receipt(receipt), now_ms, False))
            self._metrics.receipts_early.add(1, channel)
            self._index.kept.add(Parked(early_id, channel, receipt))
            unit.undo.append(partial(self._index.kept.remove, early_id))

    def keep_inbound(self, channel_id: str, inbound: Sequence[Inbound], unit: Unit, now_ms: int) -> None:
        """Store what handsets sent as it came."""
        for one in inbound:
            tlvs = orjson.dumps([[tag, value.hex()] for tag, value in one.tlvs]).decode()
            unit.inbound.append(
                (
                    self._ids.take(1, now_ms),
                    channel_id,
                    one.source,
                    one.destination,
                    one.data_coding,
                    one.esm_class,
                    one.payload.hex(),
                    tlvs,
                    now_ms,
                    one.source_ton,
                )
            )
