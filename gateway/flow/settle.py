"""Step 3 of 4: receipts end messages. Next: `notify`.

One batch is judged at a time, while those before it are being stored and the next gathers; it waits for them
where it speaks of the same messages or must look into the store. The carrier gets its `deliver_sm_resp` after
the commit, and a temporary refusal when there was none, so that it sends the receipt again.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from carriers.message_id import canonical_id
from carriers.results import Arrivals, Inbound
from gateway.domain.message import Message
from gateway.errors import GatewayError, RowRefused
from gateway.flow.context import Context
from gateway.flow.kept import Parked
from gateway.flow.match import Arrived, Matcher
from gateway.flow.outcome import Outcomes
from gateway.flow.receipts import Judge
from gateway.flow.sent import Sent, SentIndex
from gateway.flow.unit import Unit
from gateway.ids import id_at
from gateway.store.changes import Row

log = structlog.get_logger(__name__)

_MAX_BATCH = 2_000  # receipts settled in one commit
STORE_RETRY = 0.5  # seconds until kept receipts are settled again; the others are the carriers' to repeat
_AT_ONCE = 2  # batches that are being stored: the writer has the next one when it is done with the one before


@dataclass(slots=True)
class _Judged:
    """A batch on its way into the store."""

    batch: Sequence[Arrived]
    matched: Sequence[Arrived]  # those of it that end messages, or repeat what ended them
    about: frozenset[int]  # the ids of these messages
    unit: Unit
    written: "asyncio.Future[None] | None"


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
        self._receipts = Judge(context, index, outcomes)
        self._clock = context.clock
        self._metrics = context.metrics.channels
        self.index = index
        self._matcher = matcher
        self._outcomes = outcomes
        self._inbound = inbound
        self._waiting: list[tuple[str, Arrivals]] = []
        self._matched_late: list[Arrived] = []
        self._storing: dict[
            asyncio.Task[None], frozenset[int]
        ] = {}  # oldest first; the ids of their messages
        self._wake = asyncio.Event()
        self._judging = False

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
        parked = self._matcher.parked_for(channel_id, answered_id, sent.message.phone)
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
        try:
            async with asyncio.TaskGroup() as storing:
                while True:
                    await self._wake.wait()
                    self._wake.clear()
                    self._judging = True
                    while self._waiting or self._matched_late:
                        await self._next_batch(storing)
                    self._judging = False
        finally:
            self._judging = False

    async def idle(self) -> None:
        """Return once everything that has arrived is settled."""
        while self._wake.is_set() or self._judging or self._storing:
            if self._storing:
                await asyncio.wait(self._storing)
            await asyncio.sleep(0)

    async def _next_batch(self, storing: asyncio.TaskGroup) -> None:
        while len(self._storing) >= _AT_ONCE:
            await asyncio.wait(self._storing, return_when=asyncio.FIRST_COMPLETED)
        arrivals: list[tuple[str, Arrivals]] = []
        batch, self._matched_late = self._matched_late, []
        while self._waiting and len(batch) < _MAX_BATCH:
            channel_id, one = self._waiting.pop(0)
            arrivals.append((channel_id, one))
            batch += [Arrived(channel_id, receipt) for receipt in one.receipts]
        judged = None
        try:
            judged = await self._judge(batch, arrivals)
        finally:
            if judged is None:
                self._answer_all(arrivals, stored=False)
        if judged is not None:
            task = storing.create_task(self._store_batch(judged, arrivals))
            self._storing[task] = judged.about
            task.add_done_callback(self._storing.pop)

    async def _earlier(self) -> None:
        """Return once the batches that came before are stored, or were not."""
        current = asyncio.current_task()
        for task in tuple(self._storing):
            if task is current:
                break
            await asyncio.wait((task,))

    async def _store_batch(self, judged: _Judged, arrivals: Sequence[tuple[str, Arrivals]]) -> None:
        stored_all = False
        try:
            stored_all = await self._store(judged)
        except RowRefused as error:
            log.error("receipts refused together, settling them one by one", error=str(error))
            await self._settle_apart(judged.batch, arrivals)
            arrivals = ()
        finally:
            self._answer_all(arrivals, stored=stored_all)

    def _answer_all(self, arrivals: Sequence[tuple[str, Arrivals]], *, stored: bool) -> None:
        for channel_id, one in arrivals:
            self._answer(channel_id, one, stored)

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
        judged = await self._judge(batch, arrivals)
        try:
            return judged is not None and await self._store(judged)
        except RowRefused as error:
            log.error("receipts refused by the store", error=str(error))
            return False

    # -- one batch

    async def _judge(
        self, batch: Sequence[Arrived], arrivals: Sequence[tuple[str, Arrivals]]
    ) -> _Judged | None:
        """Decide what the batch means and hand it to the journal; None: it could not be looked up."""
        unit = Unit()
        now_ms = self._clock.now_ms()
        try:
            final = [arrived for arrived in batch if arrived.receipt.state.final]
            await self._matcher.resolve(final, self._earlier)
            self._receipts.unmatched([one for one in final if one.sent is None], unit, now_ms)
            matched = [one for one in final if one.sent is not None]
            about = frozenset([one.sent.message.id for one in matched if one.sent is not None])
            if not all(about.isdisjoint(other) for other in self._storing.values()):
                await self._earlier()  # if that fails, what we say must not count as a repetition of it
            await self._receipts.apply(matched, unit, now_ms)
            for channel_id, one in arrivals:
                self._receipts.keep_inbound(channel_id, one.inbound, unit, now_ms)
            return _Judged(batch, matched, about, unit, self._journal.append(unit) if unit else None)
        except GatewayError as error:
            self._not_stored(batch, unit, error)
            return None

    async def _store(self, judged: _Judged) -> bool:
        """Return once the batch is stored; False: nothing of it was, and memory is as before."""
        unit = judged.unit
        try:
            if judged.written is not None:
                await judged.written
        except RowRefused:
            unit.failed()
            raise
        except GatewayError as error:
            self._not_stored(judged.batch, unit, error)
            return False
        for arrived in judged.matched:
            self.index.forget(arrived.channel, arrived.match_id)
            if arrived.early_id is not None:
                self.index.kept.remove(arrived.early_id)
        self._outcomes.committed(unit)
        if unit.inbound:
            self._inbound.arrived(unit.inbound)
        self._count(judged.batch)
        return True

    def _not_stored(self, batch: Sequence[Arrived], unit: Unit, error: GatewayError) -> None:
        log.warning("receipts not stored, the carriers will send them again", error=str(error))
        unit.failed()
        late = [Parked(one.early_id, one.channel, one.receipt) for one in batch if one.early_id is not None]
        if late:
            asyncio.get_running_loop().call_later(STORE_RETRY, self.resettle, late)

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
