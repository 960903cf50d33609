"""The carrier's answers: what was taken is charged and remembered. What was not: `setback`."""

from collections import Counter
from collections.abc import Sequence

import structlog

from carriers.message_id import canonical_id
from carriers.results import Answer, Fate
from carriers.smpp.status import is_known, status_name
from gateway.domain.message import Message, Reason, State
from gateway.flow.context import Context
from gateway.flow.dispatch import Dispatcher
from gateway.flow.outcome import Outcomes
from gateway.flow.parts import PartOf
from gateway.flow.sent import Sent
from gateway.flow.setback import Batch, Setbacks, graver
from gateway.flow.settle import Settler
from gateway.flow.unit import Unit

log = structlog.get_logger(__name__)


class Answers:
    """Takes the fate of every segment; called by the channels, in batches."""

    def __init__(
        self,
        context: Context,
        dispatcher: Dispatcher,
        settler: Settler,
        outcomes: Outcomes,
        setbacks: Setbacks,
    ) -> None:
        self._channels = context.channels
        self._clock = context.clock
        self._metrics = context.metrics.channels
        self._dispatcher = dispatcher
        self._settler = settler
        self._outcomes = outcomes
        self._setbacks = setbacks

    def __call__(self, channel_id: str, answers: Sequence[Answer]) -> None:
        """Record `answers` and, in the same commit, claim what their slots are free for."""
        batch = Batch(self._channels[channel_id], Unit(), self._clock.now_ms(), [])
        for answer in answers:
            try:
                self._one(answer, batch)
            except Exception:  # a fault with one message must not cost the others their answers
                log.exception("answer not understood", channel=channel_id, status=answer.status)
        unit = batch.unit
        self._dispatcher.fill(channel_id, unit)
        self._dispatcher.record(unit, apart=True)
        if batch.requeued:
            self._dispatcher.enqueue(batch.requeued)
        self._count(channel_id, answers)

    # -- one segment

    def _one(self, answer: Answer, batch: Batch) -> None:
        ref = answer.ref
        if isinstance(ref, PartOf):
            self._part(ref, answer, batch)
        elif isinstance(ref, Message):
            self._whole(ref, answer, batch)

    def _whole(self, message: Message, answer: Answer, batch: Batch) -> None:
        if answer.fate is Fate.ACCEPTED:
            fresh = self._took(message, 1, message.segments, answer, batch)
            self._remember(batch, answer, Sent(message, 1, None))
            if fresh:
                self._taken(message, answer, batch)
        elif message.state is State.SENDING and not answer.late:
            self._setbacks.decide(message, answer, batch)

    def _part(self, ref: PartOf, answer: Answer, batch: Batch) -> None:
        flight = ref.flight
        message = flight.message
        if not answer.late:
            flight.waiting -= 1
        if answer.fate is Fate.ACCEPTED:
            fresh = self._took(message, ref.number, ref.weight, answer, batch)
            self._remember(batch, answer, Sent(message, ref.number, flight))
            if fresh:
                message.parts_done = (*message.parts_done, ref.number)
                batch.unit.moved[message.id] = message
                if len(message.parts_done) == flight.total:
                    self._taken(message, answer, batch)
                    return
        if answer.late:  # the message was decided on when this part fell into doubt
            if message.state is State.HELD and message.parts_done:
                message.lane = batch.channel.id
            return
        if answer.fate is not Fate.ACCEPTED:
            flight.worst = graver(flight.worst, answer)
        if flight.waiting == 0 and flight.worst is not None and message.state is State.SENDING:
            self._setbacks.decide(message, flight.worst, batch)

    def _took(self, message: Message, part: int, weight: int, answer: Answer, batch: Batch) -> bool:
        """Write the segment down; False if the message had this part already: a duplicate went out."""
        batch.unit.segments.append(
            (
                message.id,
                part,
                batch.channel.id,
                answer.message_id,
                canonical_id(answer.message_id),
                batch.now_ms,
                message.concat_ref,
            )
        )
        if message.submitted_at is not None or message.state.final or part in message.parts_done:
            batch.unit.event(message.id, batch.now_ms, message.state, Reason.DUPLICATE, f"part {part}")
            return False
        message.sent_segments += weight
        return True

    def _remember(self, batch: Batch, answer: Answer, sent: Sent) -> None:
        if batch.channel.receipts and answer.message_id:
            self._settler.sent(batch.channel.id, answer.message_id, sent)

    def _taken(self, message: Message, answer: Answer, batch: Batch) -> None:
        """The carrier has the whole message."""
        unit, now_ms = batch.unit, batch.now_ms
        if message.state is not State.SENDING:
            unit.event(message.id, now_ms, State.SUBMITTED, Reason.LATE_ANSWER)
        message.move(State.SUBMITTED, Reason.SUBMITTED)
        message.status = 0
        self._outcomes.submitted(message, unit, now_ms)
        unit.moved[message.id] = message
        if not batch.channel.receipts:
            self._outcomes.finish(message, State.UNKNOWN, Reason.NO_RECEIPTS_ASKED, unit, now_ms)
        elif not answer.message_id:
            self._outcomes.finish(message, State.UNKNOWN, Reason.EMPTY_CARRIER_ID, unit, now_ms)

    def _count(self, channel_id: str, answers: Sequence[Answer]) -> None:
        metrics = self._metrics
        statuses = Counter(answer.status for answer in answers if answer.fate <= Fate.REFUSED)
        for status, count in statuses.items():
            known = is_known(status)
            metrics.segments.add(count, channel_id, status_name(status) if known else "other")
            if not known:  # a carrier may send any of four thousand million: they are not all labels
                kind = "vendor" if 0x400 <= status <= 0x4FF else "other"  # SMPP 3.4 §5.1.3
                metrics.unknown_status.add(count, channel_id, kind)
        metrics.answer_seconds.observe_many(
            (a.latency for a in answers if a.fate <= Fate.REFUSED), channel_id
        )
        doubt = sum(answer.fate is Fate.IN_DOUBT for answer in answers)
        if doubt:
            metrics.segments_in_doubt.add(doubt, channel_id)
        unsent = sum(answer.fate is Fate.NOT_SENT for answer in answers)
        if unsent:
            metrics.segments_not_sent.add(unsent, channel_id)
