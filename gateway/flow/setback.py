"""What a carrier did not take: resent, held back, offered elsewhere, waited for or given up."""

import random
from collections.abc import Container, Sequence
from dataclasses import dataclass

from carriers.results import Answer, Disposition, Fate
from carriers.smpp.status import status_description, status_name
from config.schema import ChannelConfig, InDoubtPolicy
from gateway.domain.message import Message, Purpose, Reason, State
from gateway.domain.retry import backoff
from gateway.flow.context import Context
from gateway.flow.outcome import Outcomes
from gateway.flow.unit import Unit

# of several parts that were not taken, the gravest decides for the message
_GRAVITY = {
    Disposition.PERMANENT: 5,
    Disposition.ROUTE: 4,
    Disposition.TEMPORARY: 2,
    Disposition.BIND: 2,
    Disposition.THROTTLE: 2,
}
_GONE = ChannelConfig(id="", host="", port=0, system_id="")  # a channel that is no longer configured


def graver(known: Answer | None, answer: Answer) -> Answer:
    """Return the one of two answers that decides for the message; the first of equals."""
    return answer if known is None or _gravity(answer) > _gravity(known) else known


def _gravity(answer: Answer) -> int:
    if answer.fate is Fate.REFUSED:
        return _GRAVITY[answer.disposition]
    return 3 if answer.fate is Fate.IN_DOUBT else 1


@dataclass(slots=True)
class Batch:
    """One batch of answers being worked on."""

    channel: ChannelConfig
    unit: Unit
    now_ms: int
    requeued: list[Message]


class Setbacks:
    """Decides for messages that are not, or not surely, with the carrier; the decision rides in a unit."""

    def __init__(self, context: Context, outcomes: Outcomes, doubtful: dict[int, Message]) -> None:
        """`doubtful`: where those are kept that a late answer or a receipt may still find."""
        self._channels = context.channels
        self._delivery = context.settings.delivery
        self._clock = context.clock
        self._metrics = context.metrics.messages
        self._outcomes = outcomes
        self._doubtful = doubtful

    # -- what a start finds

    def recover(self, messages: Sequence[Message], unit: Unit, joins: Container[str]) -> None:
        """Decide for messages that were being sent when the process ended; nobody knows what got out.

        `joins`: the channels on which what is missing of a long message still joins what they have of it.
        """
        now_ms = self._clock.now_ms()
        for message in messages:
            channel = self._channels.get(message.channel or "")
            batch = Batch(channel or _GONE, unit, now_ms, [])
            torn = bool(message.parts_done) and message.channel not in joins
            if message.state is State.IN_DOUBT:
                if torn:
                    self._end_doubt(message, unit, now_ms)
                else:
                    self._doubtful[message.id] = message
                continue
            unit.event(message.id, now_ms, State.IN_DOUBT, Reason.RESTARTED, message.channel or "")
            if self._policy(batch.channel, message.purpose) is InDoubtPolicy.RESEND:
                unit.moved[message.id] = message
                if torn:
                    self.tear(message, unit, now_ms)
                    continue
                message.move(State.QUEUED, Reason.RESENT_IN_DOUBT)  # no attempt: the carrier refused nothing
                if message.parts_done and channel is not None:
                    message.lane = channel.id
            else:
                self._in_doubt(message, batch)
                if torn and not message.state.final:
                    self._end_doubt(message, unit, now_ms)

    def tear(self, message: Message, unit: Unit, now_ms: int) -> None:
        """End a message whose missing parts would no longer join those the carrier has."""
        unit.moved[message.id] = message
        self._outcomes.finish(message, State.UNDELIVERED, Reason.PARTLY_SUBMITTED, unit, now_ms)

    def _end_doubt(self, message: Message, unit: Unit, now_ms: int) -> None:
        """End a wait that nothing can answer: the parts in doubt are parts of another cut.

        They may have got out, so that the message is unknown, not undelivered.
        """
        self._doubtful.pop(message.id, None)
        unit.moved[message.id] = message
        self._outcomes.finish(message, State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP, unit, now_ms)

    # -- what the answers bring

    def decide(self, message: Message, answer: Answer, batch: Batch) -> None:
        """Decide by `answer`, the gravest there is, for a message in state SENDING."""
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

    def _in_doubt(self, message: Message, batch: Batch) -> None:
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

    def _retry(self, message: Message, reason: Reason, batch: Batch) -> None:
        """Hold the message back for its back-off, or give the channel up when its attempts are used up."""
        message.attempts += 1
        if message.attempts >= self._delivery.max_attempts:
            self._next_channel(message, Reason.ATTEMPTS_USED_UP, batch)
            return
        delivery = self._delivery
        wait = backoff(message.attempts, delivery.retry_base, delivery.retry_cap, random.random())
        message.move(State.HELD, reason)
        message.due_at = min(batch.now_ms + int(wait * 1000), message.expires_at)
        self._metrics.retried.add(1, reason.name.lower())

    def _next_channel(self, message: Message, reason: Reason, batch: Batch) -> None:
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

    def _queue(self, message: Message, reason: Reason, batch: Batch) -> None:
        message.move(State.QUEUED, reason)
        message.due_at = 0
        batch.requeued.append(message)
        self._metrics.retried.add(1, reason.name.lower())

    def _give_up(self, message: Message, state: State, reason: Reason, batch: Batch) -> None:
        self._doubtful.pop(message.id, None)
        if message.parts_done:
            state, reason = State.UNDELIVERED, Reason.PARTLY_SUBMITTED
        self._outcomes.finish(message, state, reason, batch.unit, batch.now_ms)


def _without(lane: str, channel_id: str) -> str:
    return ",".join(channel for channel in lane.split(",") if channel != channel_id)


def _described(status: int) -> str:
    """Return the status by name, and what the standard says of it."""
    sentence = status_description(status)
    return f"{status_name(status)} ({sentence})" if sentence else status_name(status)
