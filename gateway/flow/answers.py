"""The carrier's answers: what was taken is charged and remembered, what was not is decided by its reason."""

import random
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

import structlog

from carriers.message_id import canonical_id
from carriers.results import Answer, Disposition, Fate
from carriers.smpp.status import is_known, status_description, status_name
from config.schema import ChannelConfig, InDoubtPolicy
from gateway.domain.message import Message, Purpose, Reason, State
from gateway.domain.retry import backoff
from gateway.flow.context import Context
from gateway.flow.dispatch import Dispatcher
from gateway.flow.outcome import Outcomes
from gateway.flow.parts import PartOf
from gateway.flow.sent import Sent
from gateway.flow.settle import Settler
from gateway.flow.unit import Unit

log = structlog.get_logger(__name__)

# of several parts that were not taken, the gravest decides for the message
_GRAVITY = {
    Disposition.PERMANENT: 5,
    Disposition.ROUTE: 4,
    Disposition.TEMPORARY: 2,
    Disposition.BIND: 2,
    Disposition.THROTTLE: 2,
}


def _gravity(answer: Answer) -> int:
    if answer.fate is Fate.REFUSED:
        return _GRAVITY[answer.disposition]
    return 3 if answer.fate is Fate.IN_DOUBT else 1


@dataclass(slots=True)
class _Batch:
    """One batch of answers being worked on."""

    channel: ChannelConfig
    unit: Unit
    now_ms: int
    requeued: list[Message]


class Answers:
    """Takes the fate of every segment; called by the channels, in batches."""

    def __init__(
        self, context: Context, dispatcher: Dispatcher, settler: Settler, outcomes: Outcomes
    ) -> None:
        self._channels = context.channels
        self._delivery = context.settings.delivery
        self._clock = context.clock
        self._metrics = context.metrics
        self._dispatcher = dispatcher
        self._settler = settler
        self._outcomes = outcomes
        self._doubtful = settler.index.doubtful

    def __call__(self, channel_id: str, answers: Sequence[Answer]) -> None:
        """Record `answers` and, in the same commit, claim what their slots are free for."""
        batch = _Batch(self._channels[channel_id], Unit(), self._clock.now_ms(), [])
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

    def recover(self, messages: Sequence[Message], unit: Unit, joins: Container[str]) -> None:
        """Decide for messages that were being sent when the process ended; nobody knows what got out.

        `joins`: the channels on which what is missing of a long message still joins what they have of it.
        """
        now_ms = self._clock.now_ms()
        for message in messages:
            channel = self._channels.get(message.channel or "")
            batch = _Batch(channel or _GONE, unit, now_ms, [])
            if message.state is State.IN_DOUBT:
                self._doubtful[message.id] = message
                continue
            unit.event(message.id, now_ms, State.IN_DOUBT, Reason.RESTARTED, message.channel or "")
            if self._policy(batch.channel, message.purpose) is InDoubtPolicy.RESEND:
                unit.moved[message.id] = message
                if message.parts_done and message.channel not in joins:
                    self.tear(message, unit, now_ms)
                    continue
                message.move(State.QUEUED, Reason.RESENT_IN_DOUBT)  # no attempt: the carrier refused nothing
                if message.parts_done and channel is not None:
                    message.lane = channel.id
            else:
                self._in_doubt(message, batch)

    def tear(self, message: Message, unit: Unit, now_ms: int) -> None:
        """End a message whose missing parts would no longer join those the carrier has."""
        unit.moved[message.id] = message
        self._outcomes.finish(message, State.UNDELIVERED, Reason.PARTLY_SUBMITTED, unit, now_ms)

    # -- one segment

    def _one(self, answer: Answer, batch: _Batch) -> None:
        ref = answer.ref
        if isinstance(ref, PartOf):
            self._part(ref, answer, batch)
        elif isinstance(ref, Message):
            self._whole(ref, answer, batch)

    def _whole(self, message: Message, answer: Answer, batch: _Batch) -> None:
        if answer.fate is Fate.ACCEPTED:
            fresh = self._took(message, 1, message.segments, answer, batch)
            self._remember(batch, answer, Sent(message, 1, None))
            if fresh:
                self._taken(message, answer, batch)
        elif message.state is State.SENDING and not answer.late:
            self._not_taken(message, answer, batch)

    def _part(self, ref: PartOf, answer: Answer, batch: _Batch) -> None:
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
        if answer.fate is not Fate.ACCEPTED and (
            flight.worst is None or _gravity(answer) > _gravity(flight.worst)
        ):
            flight.worst = answer
        if flight.waiting == 0 and flight.worst is not None and message.state is State.SENDING:
            self._not_taken(message, flight.worst, batch)

    def _took(self, message: Message, part: int, weight: int, answer: Answer, batch: _Batch) -> bool:
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

    def _remember(self, batch: _Batch, answer: Answer, sent: Sent) -> None:
        if batch.channel.receipts and answer.message_id:
            self._settler.sent(batch.channel.id, answer.message_id, sent)

    def _taken(self, message: Message, answer: Answer, batch: _Batch) -> None:
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

    # -- not taken

    def _not_taken(self, message: Message, answer: Answer, batch: _Batch) -> None:
        unit = batch.unit
        unit.moved[message.id] = message
        if message.parts_done:
            message.lane = batch.channel.id  # the parts of one text go one way
            self._doubtful[message.id] = message  # receipts for them find it while it waits
        if answer.fate is Fate.NOT_SENT:
            self._queue(message, Reason.NOT_SENT, batch)
            return
        if answer.fate is Fate.IN_DOUBT:
            unit.event(message.id, batch.now_ms, State.IN_DOUBT, Reason.NO_ANSWER, batch.channel.id)
            self._in_doubt(message, batch)
            return
        message.status = answer.status
        if answer.disposition is Disposition.PERMANENT:
            self._give_up(message, State.FAILED, Reason.REFUSED_BY_CARRIER, batch)
        elif answer.disposition is Disposition.ROUTE:
            self._next_channel(message, Reason.REFUSED_BY_CARRIER, batch)
        else:
            unit.event(
                message.id, batch.now_ms, State.HELD, Reason.RETRY_BACKOFF,
                f"{batch.channel.id} answered {_described(answer.status)}",
            )  # fmt: skip
            self._retry(message, Reason.RETRY_BACKOFF, batch)

    def _in_doubt(self, message: Message, batch: _Batch) -> None:
        """Follow the policy; the message is SENDING now, and IN_DOUBT or beyond after it."""
        message.move(State.IN_DOUBT, Reason.NO_ANSWER)
        batch.unit.moved[message.id] = message
        policy = self._policy(batch.channel, message.purpose)
        if policy is InDoubtPolicy.FAIL:
            self._give_up(message, State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP, batch)
            return
        self._doubtful[message.id] = message
        if policy is InDoubtPolicy.RESEND:
            self._retry(message, Reason.RESENT_IN_DOUBT, batch)
        else:
            deadline = batch.channel.receipt_deadline or self._delivery.receipt_deadline
            message.reason = Reason.WAITING_FOR_RECEIPT
            message.due_at = batch.now_ms + int(deadline * 1000)

    def _policy(self, channel: ChannelConfig, purpose: Purpose) -> InDoubtPolicy:
        word = purpose.name.lower()
        return InDoubtPolicy(channel.in_doubt.get(word) or self._delivery.in_doubt.get(word, "resend"))

    def _retry(self, message: Message, reason: Reason, batch: _Batch) -> None:
        """Hold the message back for its back-off, or give the channel up when its attempts are used up."""
        message.attempts += 1
        if message.attempts >= self._delivery.max_attempts:
            self._next_channel(message, Reason.ATTEMPTS_USED_UP, batch)
            return
        delivery = self._delivery
        wait = backoff(message.attempts, delivery.retry_base, delivery.retry_cap, random.random())
        message.move(State.HELD, reason)
        message.due_at = min(batch.now_ms + int(wait * 1000), message.expires_at)
        self._metrics.messages.retried.add(1, reason.name.lower())

    def _next_channel(self, message: Message, reason: Reason, batch: _Batch) -> None:
        """Offer the message to the next candidate; without one it fails for `reason`."""
        rest = _without(message.lane, batch.channel.id)
        if not rest or message.parts_done:
            in_doubt = message.state is State.IN_DOUBT
            state, why = (State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP) if in_doubt else (State.FAILED, reason)
            self._give_up(message, state, why, batch)
            return
        batch.unit.event(
            message.id, batch.now_ms, State.QUEUED, Reason.NEXT_CHANNEL, f"{reason.name}: {rest}"
        )
        message.lane = rest
        message.attempts = 0
        self._queue(message, Reason.NEXT_CHANNEL, batch)

    def _queue(self, message: Message, reason: Reason, batch: _Batch) -> None:
        message.move(State.QUEUED, reason)
        message.due_at = 0
        batch.requeued.append(message)
        self._metrics.messages.retried.add(1, reason.name.lower())

    def _give_up(self, message: Message, state: State, reason: Reason, batch: _Batch) -> None:
        self._doubtful.pop(message.id, None)
        if message.parts_done:
            state, reason = State.UNDELIVERED, Reason.PARTLY_SUBMITTED
        self._outcomes.finish(message, state, reason, batch.unit, batch.now_ms)

    def _count(self, channel_id: str, answers: Sequence[Answer]) -> None:
        metrics = self._metrics.channels
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


_GONE = ChannelConfig(id="", host="", port=0, system_id="")  # a channel that is no longer configured


def _without(lane: str, channel_id: str) -> str:
    return ",".join(channel for channel in lane.split(",") if channel != channel_id)


def _described(status: int) -> str:
    """Return the status by name, and what the standard says of it."""
    sentence = status_description(status)
    return f"{status_name(status)} ({sentence})" if sentence else status_name(status)
