"""Step 3 of 4: receipts end messages. Next: `notify`.

One batch at a time: while one is being stored the next gathers. The carrier gets its `deliver_sm_resp`
after the commit, and a temporary refusal when there was none, so that it sends the receipt again.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import orjson
import structlog

from carriers.message_id import canonical_id
from carriers.results import Arrivals, Inbound, Receipt, ReceiptState
from gateway.domain.message import Message, Reason, State
from gateway.errors import GatewayError, RowRefused
from gateway.flow.context import Context
from gateway.flow.kept import Parked
from gateway.flow.longs import LongMessages
from gateway.flow.match import Arrived, Matcher
from gateway.flow.outcome import Outcomes
from gateway.flow.sent import Sent, SentIndex
from gateway.flow.unit import Unit
from gateway.ids import id_at
from gateway.store.changes import Row

log = structlog.get_logger(__name__)

_MAX_BATCH = 2_000  # receipts settled in one commit
_STATES = {
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.UNDELIVERED: State.UNDELIVERED,
    ReceiptState.EXPIRED: State.EXPIRED,
    ReceiptState.DELETED: State.UNDELIVERED,
    ReceiptState.REJECTED: State.REJECTED,
    ReceiptState.UNKNOWN: State.UNKNOWN,
}


class InboundSink(Protocol):
    """Who puts handsets' messages together; `flow.inbound` in the running gateway."""

    @property
    def full(self) -> bool:
        """Whether it can take no more now."""

    def arrived(self, rows: Sequence[Row]) -> None:
        """Take `INBOUND` rows that are committed."""

    def unanswered(self, channel_id: str, inbound: Sequence[Inbound]) -> None:
        """Note that the carrier does not know that these, of the last rows, are stored."""


class Settler:
    """Matches receipts with messages and stores what they say."""

    def __init__(
        self, context: Context, index: SentIndex, matcher: Matcher, outcomes: Outcomes, inbound: InboundSink
    ) -> None:
        self._journal = context.journal
        self._ids = context.ids
        self._clock = context.clock
        self._metrics = context.metrics.channels
        self._longs = LongMessages(context.store, context.journal)
        self.index = index
        self._matcher = matcher
        self._outcomes = outcomes
        self._inbound = inbound
        self._waiting: list[tuple[str, Arrivals]] = []
        self._matched_late: list[Arrived] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    # -- what the channels and the answers bring

    def arrived(self, channel_id: str, arrivals: Arrivals) -> None:
        """Take what one read of a link brought; its `reply` is called once it is stored or refused."""
        if arrivals.inbound and self._inbound.full:
            arrivals.reply(False)
            return
        self._waiting.append((channel_id, arrivals))
        self._wake.set()

    def sent(self, channel_id: str, answered_id: str, sent: Sent) -> None:
        """Remember a segment the carrier took; its receipt may be here already."""
        self.index.add(channel_id, canonical_id(answered_id), sent)
        if not self.index.kept:
            return
        parked = self._matcher.parked_for(channel_id, answered_id)
        if parked is not None:
            self.resettle([parked])
        else:
            self.resettle(self._nameless_for(channel_id, sent.message))

    def _nameless_for(self, channel_id: str, message: Message) -> list[Parked]:
        """Return the kept receipts without an id that may speak of a message that was just answered."""
        since = id_at(message.sent_at or 0)
        kept = self.index.kept.of_handset(channel_id, message.phone, since)
        return [parked for parked in kept if not canonical_id(parked.receipt.message_id)]

    def resettle(self, parked: Sequence[Parked]) -> None:
        """Settle receipts that were kept and whose answers have come."""
        if not parked:
            return
        self._matched_late += [Arrived(one.channel, one.receipt, one.id) for one in parked]
        self._wake.set()

    async def run(self) -> None:
        """Settle batch after batch until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._idle.clear()
            while self._waiting or self._matched_late:
                await self._next_batch()
            self._idle.set()

    async def idle(self) -> None:
        """Return once everything that has arrived is settled."""
        while self._wake.is_set() or not self._idle.is_set():
            await self._idle.wait()
            await asyncio.sleep(0)

    async def _next_batch(self) -> None:
        arrivals: list[tuple[str, Arrivals]] = []
        batch, self._matched_late = self._matched_late, []
        while self._waiting and len(batch) < _MAX_BATCH:
            channel_id, one = self._waiting.pop(0)
            arrivals.append((channel_id, one))
            batch += [Arrived(channel_id, receipt) for receipt in one.receipts]
        stored_all = False
        try:
            stored_all = await self._settle(batch, arrivals)
        except RowRefused as error:
            log.error("receipts refused together, settling them one by one", error=str(error))
            await self._settle_apart(batch, arrivals)
            arrivals = []
        finally:
            for channel_id, one in arrivals:
                self._answer(channel_id, one, stored_all)

    async def _settle_apart(self, batch: Sequence[Arrived], arrivals: Sequence[tuple[str, Arrivals]]) -> None:
        """Settle read by read what was refused together: one bad row must not cost the others theirs."""
        for arrived in batch:
            if arrived.early_id is not None:
                await self._settle_alone([arrived], [])
        for channel_id, one in arrivals:
            receipts = [Arrived(channel_id, receipt) for receipt in one.receipts]
            self._answer(channel_id, one, await self._settle_alone(receipts, [(channel_id, one)]))

    def _answer(self, channel_id: str, arrivals: Arrivals, stored: bool) -> None:
        if arrivals.reply(stored) is False and stored and arrivals.inbound:
            self._inbound.unanswered(channel_id, arrivals.inbound)

    async def _settle_alone(self, batch: Sequence[Arrived], arrivals: Sequence[tuple[str, Arrivals]]) -> bool:
        try:
            return await self._settle(batch, arrivals)
        except RowRefused as error:
            log.error("receipts refused by the store", error=str(error))
            return False

    # -- one batch

    async def _settle(self, batch: Sequence[Arrived], arrivals: Sequence[tuple[str, Arrivals]]) -> bool:
        """Store the batch; False: nothing of it was stored, and memory is as before."""
        unit = Unit()
        now_ms = self._clock.now_ms()
        try:
            final = [arrived for arrived in batch if arrived.receipt.state.final]
            await self._matcher.resolve(final)
            self._park([a for a in final if a.sent is None and not self._by_handset(a, unit)], unit, now_ms)
            await self._apply([a for a in final if a.sent is not None], unit, now_ms)
            for channel_id, one in arrivals:
                self._keep_inbound(channel_id, one.inbound, unit, now_ms)
            if unit:
                await self._journal.append(unit)
        except RowRefused:
            unit.failed()
            raise
        except GatewayError as error:
            log.warning("receipts not stored, the carriers will send them again", error=str(error))
            unit.failed()
            return False
        for arrived in final:
            if arrived.sent is not None:
                self.index.forget(arrived.channel, arrived.match_id)
                if arrived.early_id is not None:
                    self.index.kept.remove(arrived.early_id)
        self._outcomes.committed(unit)
        if unit.inbound:
            self._inbound.arrived(unit.inbound)
        self._count(batch)
        return True

    async def _apply(self, batch: Sequence[Arrived], unit: Unit, now_ms: int) -> None:
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
        found = self.index.meant_by(arrived.channel, arrived.receipt, arrived.early_id)
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
        del self.index.doubtful[message.id]
        unit.undo.append(partial(self._doubt_again, message))
        message.sent_segments = message.segments
        unit.event(message.id, now_ms, State.SUBMITTED, Reason.WAITING_FOR_RECEIPT, "matched by handset")
        carrier_id = arrived.receipt.message_id
        arrived.match_id = canonical_id(carrier_id)
        unit.segments.append((message.id, 1, arrived.channel, carrier_id, arrived.match_id, now_ms, None))
        self._outcomes.submitted(message, unit, now_ms)

    def _doubt_again(self, message: Message) -> None:
        message.sent_segments, message.submitted_at, message.charged = 0, None, 0
        self.index.doubtful[message.id] = message

    def _park(self, strangers: Sequence[Arrived], unit: Unit, now_ms: int) -> None:
        """Keep receipts whose id no answer has named yet, and every one that names none."""
        for arrived in strangers:
            if arrived.early_id is not None:
                continue  # kept already
            channel, receipt = arrived.channel, arrived.receipt
            match_id = canonical_id(receipt.message_id)
            if self.index.kept.knows(channel, match_id):
                continue
            early_id = self._ids.take(1, now_ms)
            unit.early.append((early_id, channel, match_id, dump_receipt(receipt), now_ms, False))
            self._metrics.receipts_early.add(1, channel)
            self.index.kept.add(Parked(early_id, channel, receipt))
            unit.undo.append(partial(self.index.kept.remove, early_id))

    def _keep_inbound(self, channel_id: str, inbound: Sequence[Inbound], unit: Unit, now_ms: int) -> None:
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
                )
            )

    def _count(self, batch: Sequence[Arrived]) -> None:
        counts = Counter((arrived.channel, arrived.receipt.state.value) for arrived in batch)
        for (channel_id, state), count in counts.items():
            self._metrics.receipts.add(count, channel_id, state)
        now_ms = self._clock.now_ms()
        latencies: dict[str, list[float]] = {}
        for arrived in batch:
            if arrived.sent is not None and arrived.sent.message.submitted_at is not None:
                latencies.setdefault(arrived.channel, []).append(
                    (now_ms - arrived.sent.message.submitted_at) / 1000
                )
        for channel_id, values in latencies.items():
            self._metrics.receipt_seconds.observe_many(values, channel_id)


def dump_receipt(receipt: Receipt) -> str:
    """Return `receipt` as the JSON kept in `early_receipts`."""
    return orjson.dumps(
        {
            "message_id": receipt.message_id,
            "state": receipt.state.value,
            "stat": receipt.stat,
            "error": receipt.error,
            "source": receipt.source,
            "done_at": receipt.done_at,
        }
    ).decode()


def load_receipt(text: str) -> Receipt:
    """Return the receipt that `dump_receipt` wrote."""
    fields = orjson.loads(text)
    return Receipt(
        message_id=fields["message_id"],
        state=ReceiptState(fields["state"]),
        stat=fields["stat"],
        error=fields["error"],
        source=fields["source"],
        done_at=fields["done_at"],
    )
