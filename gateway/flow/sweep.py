"""What time brings about: retries fall due, validity ends, receipts stay away or find their answer."""

import asyncio
from functools import partial

import structlog

from carriers.results import ReceiptState
from gateway.domain.message import Message, Reason, State
from gateway.errors import GatewayError
from gateway.flow.context import Context
from gateway.flow.dispatch import Dispatcher
from gateway.flow.kept import Parked, load_receipt
from gateway.flow.outcome import Outcomes
from gateway.flow.settle import Settler
from gateway.flow.unit import Unit
from gateway.ids import id_at
from gateway.store import messages as stored
from gateway.store.messages import SegmentRow

log = structlog.get_logger(__name__)

INTERVAL = 0.5  # seconds between two looks
_LIMIT = 1_000  # messages moved by one look, each kind
_SELDOM = 10  # looks between two of what is never urgent


class Sweeper:
    """Looks for what is due and moves it; every look is bounded."""

    def __init__(
        self,
        context: Context,
        dispatcher: Dispatcher,
        settler: Settler,
        outcomes: Outcomes,
    ) -> None:
        self._store = context.store
        self._clock = context.clock
        self._dispatcher = dispatcher
        self._settler = settler
        self._outcomes = outcomes
        self._default = default = context.settings.delivery.receipt_deadline
        channels = context.channels
        self._deadlines = {c.id: c.receipt_deadline or default for c in channels.values() if c.receipts}
        self._overdue_after: dict[str, int] = {}
        self._kept_after = 0

    async def run(self) -> None:
        """Look again and again until cancelled."""
        looks = 0
        await self.resume()
        while True:
            try:
                await self.look(seldom=looks % _SELDOM == 0)
            except GatewayError as error:
                log.warning("sweep put off", error=str(error))
            looks += 1
            await asyncio.sleep(INTERVAL)

    async def resume(self) -> None:
        """Go on where the last run's looks ended, and watch over what other channels took in earlier runs."""
        marks = await self._store.read(stored.marks)
        for channel_id in await self._store.read(stored.channels_used):
            self._deadlines.setdefault(channel_id, self._default)
        self._overdue_after = {id_: marks.get(_mark(id_), 0) for id_ in self._deadlines}

    async def look(self, *, seldom: bool) -> None:
        """Move what is due now; raises `StoreUnavailable`."""
        now_ms = self._clock.now_ms()
        await self._retries(now_ms)
        self._dispatcher.expire(now_ms)
        self._kept_for_doubts()
        await self._doubts(now_ms)
        for channel_id, deadline in self._deadlines.items():
            await self._receipts(channel_id, now_ms - int(deadline * 1000), now_ms)
        if seldom:
            await self._kept_receipts()

    async def _retries(self, now_ms: int) -> None:
        due = await self._store.read(lambda connection: stored.held_due(connection, now_ms, _LIMIT))
        if not due:
            return
        unit = Unit()
        queued: list[Message] = []
        for loaded in due:
            message = self._settler.index.doubtful.get(loaded.id, loaded)
            if message.state is not State.HELD:
                continue  # a late answer was quicker
            unit.moved[message.id] = message
            if not self._dispatcher.kept_back(message, unit, now_ms):
                held_for_hours = message.reason is Reason.OUTSIDE_HOURS
                message.move(State.QUEUED, Reason.HOURS_BEGAN if held_for_hours else Reason.RETRY_DUE)
                queued.append(message)
        written = self._dispatcher.record(unit)
        self._dispatcher.enqueue(queued)
        await written  # the next look must not find them HELD again

    async def _doubts(self, now_ms: int) -> None:
        """Give up on messages in doubt whose receipt never came, and forget those that are decided.

        Only once the store knows: until then `_retries` may still read there that one of them is HELD.
        """
        doubtful = self._settler.index.doubtful
        unit = Unit()
        for message in doubtful.values():
            if message.state is State.IN_DOUBT and message.due_at <= now_ms:
                unit.restores(message)
                self._outcomes.finish(message, State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP, unit, now_ms)
                unit.moved[message.id] = message
        decided = [message for message in doubtful.values() if message.state >= State.SUBMITTED]
        if decided:
            await self._dispatcher.record(unit)
        for message in decided:
            if message.state >= State.SUBMITTED:  # not if the store refused it
                doubtful.pop(message.id, None)

    async def _receipts(self, channel_id: str, before_ms: int, now_ms: int) -> None:
        """End submitted messages whose receipt has not come by the deadline."""
        after = self._overdue_after[channel_id]
        look = partial(stored.overdue, channel=channel_id, after_seq=after, before_ms=before_ms, limit=_LIMIT)
        found = await self._store.read(look)
        if found.reached == after:
            return
        unit = Unit()
        for row in found.rows:
            self._overdue(row, found.messages.get(row.message_id), unit, now_ms)
        self._overdue_after[channel_id] = found.reached
        unit.marks.append((_mark(channel_id), found.reached))
        unit.undo.append(partial(self._overdue_after.__setitem__, channel_id, after))
        await self._dispatcher.record(unit)

    def _overdue(self, row: SegmentRow, loaded: Message | None, unit: Unit, now_ms: int) -> None:
        """End the message of a segment without receipt, or note that it need not wait for this one."""
        sent = self._settler.index.get(row.channel, row.match_id)
        if sent is not None and sent.message.id != row.message_id:
            sent = None  # its carrier has given the id to another message since
        message = sent.message if sent is not None else loaded
        if message is None:
            return
        if message.state is State.SUBMITTED:
            unit.restores(message)
            self._outcomes.finish(message, State.UNKNOWN, Reason.RECEIPT_DEADLINE, unit, now_ms)
            unit.finals.append(
                (message.id, int(message.state), int(message.reason), now_ms, message.receipt_code)
            )
        elif not message.state.final:  # half sent: no look comes back to this part when the rest has gone
            unknown = ReceiptState.UNKNOWN
            unit.receipts.append((row.message_id, row.part, row.match_id, unknown.value, "", "", now_ms))
            if sent is not None and sent.flight is not None:
                sent.flight.receipts[row.part] = unknown

    def _kept_for_doubts(self) -> None:
        """Settle messages in doubt by the receipts of their handsets that came before the doubt did."""
        index = self._settler.index
        if not index.kept:
            return
        claimed = (
            kept
            for message in index.doubtful.values()
            if message.state is State.IN_DOUBT
            for kept in index.kept.of_handset(
                message.channel or "", message.phone, id_at(message.sent_at or 0)
            )
        )
        self._settler.resettle([k for k in claimed if index.meant_by(k.channel, k.receipt, k.id)])

    async def _kept_receipts(self) -> None:
        """Settle kept receipts whose answer is stored: it came in an earlier run, or memory had no room."""
        look = partial(stored.early_answered, after_id=self._kept_after, limit=_LIMIT)
        found = await self._store.read(look)
        self._kept_after = found[-1].id if len(found) == _LIMIT else 0  # some fit no handset, and stay
        for row in found:
            self._settler.index.kept.remove(row.id)  # nothing else will claim it
        self._settler.resettle([Parked(row.id, row.channel, load_receipt(row.receipt)) for row in found])


def _mark(channel_id: str) -> str:
    return f"overdue/{channel_id}"
