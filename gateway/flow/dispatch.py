"""Step 2 of 4: from the queue to a carrier, and the carrier's answers back. Next: `settle`.

A message is claimed (SENDING, with its channel) by a commit before it is given to the channel, and the
answers that free slots ride in the same commit as the claims that fill them. So what a crash can leave
sent but unrecorded never exceeds the windows of the links.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import structlog

from carriers.results import Segment
from carriers.smpp.text import Unencodable
from gateway.domain.message import Message, Reason, State
from gateway.errors import RowRefused
from gateway.flow.context import Context
from gateway.flow.lanes import Lane, Lanes
from gateway.flow.outcome import Outcomes
from gateway.flow.parts import PartCache
from gateway.flow.unit import Unit

log = structlog.get_logger(__name__)

Claims = list[tuple[Message, list[Segment]]]


class Gate(Protocol):
    """What a message that had to wait is asked once more; `flow.risk.Risk` in the running gateway."""

    def stopped(self, message: Message, unit: Unit) -> Reason | None:
        """Return why it may go out no more, None if it may."""

    def held_until(self, message: Message, now_ms: int) -> int:
        """Return until when (unix ms) it must wait for the recipient's day; 0: it may go."""


class ChannelPort(Protocol):
    """What dispatch needs of `carriers.channel.Channel`."""

    @property
    def up(self) -> bool:
        """Whether at least one link can send."""

    def room(self, now: float) -> int:
        """Return how many segments it would take and send about now."""

    def submit(self, segments: Sequence[Segment], now: float) -> None:
        """Send all of `segments`, in order."""


class Dispatcher:
    """Claims queued messages for channels with room and hands them over once the claim is durable."""

    def __init__(
        self, context: Context, lanes: Lanes, parts: PartCache, outcomes: Outcomes, gate: Gate
    ) -> None:
        self._gate = gate
        self._journal = context.journal
        self._clock = context.clock
        self._parts = parts
        self._lanes = lanes
        self._outcomes = outcomes
        self._channels: Mapping[str, ChannelPort] = {}
        self._committing: dict[str, int] = {}  # segments claimed, their commit still running
        self._outgoing: dict[str, list[Segment]] = {}  # claimed and committed, on its way this very turn
        self._stopped = False
        self.hungry = asyncio.Event()  # a lane wants more from the store

    def attach(self, channels: Mapping[str, ChannelPort]) -> None:
        """Give it the channels; they report back to objects that know the dispatcher."""
        self._channels = channels
        self._committing = dict.fromkeys(channels, 0)

    def stop(self) -> None:
        """Claim nothing more: what is queued stays in the store."""
        self._stopped = True

    def place(self, messages: Sequence[Message], unit: Unit) -> None:
        """Decide for new messages, whose rows ride in `unit`, whether they leave at once or queue."""
        rooms: dict[str, int] = {}
        claims: dict[str, Claims] = {}
        for message in messages:
            lane = self._lanes.get(message.lane, message.purpose)
            channel_id = self._target(lane)
            if channel_id is None:
                message.move(State.QUEUED, Reason.CHANNEL_DOWN)
            elif not lane.idle:
                message.move(State.QUEUED, Reason.BEHIND_OTHERS)
            else:
                room = rooms.get(channel_id)
                if room is None:
                    room = self._room(channel_id)
                if room < 1:
                    message.move(State.QUEUED, Reason.WINDOW_FULL)
                else:
                    room -= self._claim(message, channel_id, claims, unit, Reason.CLAIMED_AT_ACCEPT)
                    lane.passed(message.id)
                rooms[channel_id] = room
            if message.state is State.QUEUED:
                lane.coming += 1  # nobody younger may go past it meanwhile
        waiting = [message for message in messages if message.state is State.QUEUED]
        if waiting:
            unit.then.append(lambda: self.enqueue(waiting, Lane.came))
            unit.undo.append(lambda: self._forget(waiting))
        self._submit_after(claims, unit)

    def enqueue(
        self, messages: Sequence[Message], put: Callable[[Lane, Message], None] = Lane.requeue
    ) -> None:
        """Put messages in state QUEUED into their lanes, and send what there is room for.

        Those that were taken out of a lane before need not be committed as QUEUED: the claim that follows is
        written after that move, and sent after that.
        """
        channels: dict[str, None] = {}
        for message in messages:
            lane = self._lanes.get(message.lane, message.purpose)
            put(lane, message)
            if lane.wants_load():
                self.hungry.set()
            channels.update(dict.fromkeys(lane.candidates))
        self._pump_all(channels)

    def _forget(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._lanes.get(message.lane, message.purpose).coming -= 1

    def pump(self, channel_id: str) -> None:
        """Send what waits for this channel, as far as it has room."""
        unit = Unit()
        self.fill(channel_id, unit)
        if unit:
            self.record(unit)

    def state_changed(self, channel_id: str) -> None:
        """React to a channel going up or down: what it carried may now be another's, or its again."""
        channels: dict[str, None] = {channel_id: None}
        for lane in self._lanes.of_channel(channel_id):
            channels.update(dict.fromkeys(lane.candidates))
        self._pump_all(channels)

    def fill(self, channel_id: str, unit: Unit) -> None:
        """Claim waiting messages for the channel's free slots; their moves ride in `unit`."""
        if self._stopped or channel_id not in self._channels:
            return
        room = self._room(channel_id)
        if room < 1:
            return
        now_ms = self._clock.now_ms()
        claims: dict[str, Claims] = {}
        while room > 0 and (message := self._next(channel_id)) is not None:
            if not (self.kept_back(message, unit, now_ms) or self._sent_back(message, channel_id, unit)):
                room -= self._claim(message, channel_id, claims, unit, Reason.CLAIMED_FROM_QUEUE)
        self._submit_after(claims, unit)
        if any(lane.wants_load() for lane in self._lanes.of_channel(channel_id)):
            self.hungry.set()

    def kept_back(self, message: Message, unit: Unit, now_ms: int) -> bool:
        """Whether a message that had to wait must not go out now: then it is ended or held, in `unit`."""
        if message.expires_at <= now_ms:
            self._outcomes.finish(message, State.EXPIRED, Reason.VALIDITY_OVER, unit, now_ms)
        elif (stopped := self._gate.stopped(message, unit)) is not None:
            self._outcomes.finish(message, State.FAILED, stopped, unit, now_ms)
        elif due_at := self._gate.held_until(message, now_ms):
            message.move(State.HELD, Reason.OUTSIDE_HOURS)
            message.due_at = due_at
        else:
            return False
        unit.moved[message.id] = message
        return True

    def _sent_back(self, message: Message, channel_id: str, unit: Unit) -> bool:
        """Whether another channel has parts of it, as a late answer told: then it waits for that one."""
        if not message.parts_done or message.channel in (None, channel_id):
            return False
        message.lane = message.channel or message.lane
        unit.moved[message.id] = message
        unit.then.append(lambda: self.enqueue([message]))
        return True

    def expire(self, now_ms: int) -> None:
        """End queued messages whose validity is over, though no channel has asked for them."""
        unit = Unit()
        for lane in self._lanes:
            for message in lane.take_expired(now_ms):
                self._outcomes.finish(message, State.EXPIRED, Reason.VALIDITY_OVER, unit, now_ms)
                unit.moved[message.id] = message
            if lane.wants_load():
                self.hungry.set()
        if unit:
            self.record(unit)

    def record(self, unit: Unit, *, apart: bool = False) -> "asyncio.Future[None]":
        """Write a unit that must not get lost: it is kept and tried again while the store cannot commit.

        The future is done once it is durable and acted upon; nobody needs to wait for it. `apart`: it tells
        what cannot be asked for again, so if a row of it is refused, the other messages' are still written.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: Exception | None) -> None:
            if apart and isinstance(error, RowRefused):
                self._record_apart(unit, written)
                return
            if error is None:
                self._outcomes.committed(unit)
            else:
                log.error("unit refused", error=str(error))
                unit.failed()
            if not written.done():
                written.set_result(None)

        self._journal.post(unit, done, must=True)
        return written

    def _record_apart(self, unit: Unit, written: "asyncio.Future[None]") -> None:
        """Write message by message what was refused together: one bad row must not cost the others theirs."""
        messages = unit.apart()
        left = len(messages)

        def done(error: Exception | None) -> None:
            nonlocal left
            left -= 1
            if error is not None:
                log.error("message not recorded", error=str(error))
            if not left:
                self._outcomes.committed(unit)
                if not written.done():
                    written.set_result(None)

        for parts in messages:
            self._journal.post(parts, done, must=True)

    def _pump_all(self, channels: Mapping[str, None]) -> None:
        for channel_id in channels:
            self.pump(channel_id)

    def _target(self, lane: Lane) -> str | None:
        """Return the channel that serves `lane` now: the first of its candidates that is up."""
        if self._stopped:
            return None
        for channel_id in lane.candidates:
            channel = self._channels.get(channel_id)
            if channel is not None and channel.up:
                return channel_id
        return None

    def _room(self, channel_id: str) -> int:
        return self._channels[channel_id].room(self._clock.monotonic()) - self._committing[channel_id]

    def _next(self, channel_id: str) -> Message | None:
        """Take the oldest message of the most urgent purpose that this channel serves now."""
        best: Lane | None = None
        for lane in self._lanes.of_channel(channel_id):
            if not lane.ready:
                continue
            if best is not None and lane.purpose is not best.purpose:
                break
            if (best is None or lane.ready[0].id < best.ready[0].id) and self._target(lane) == channel_id:
                best = lane
        if best is None:
            return None
        message = best.take()
        return message if message is not None else self._next(channel_id)

    def _claim(
        self, message: Message, channel_id: str, claims: dict[str, Claims], unit: Unit, reason: Reason
    ) -> int:
        """Mark `message` as being sent; return how many slots that takes."""
        try:
            segments = self._parts.segments(message, channel_id)
        except Unencodable:
            self._outcomes.finish(message, State.FAILED, Reason.UNENCODABLE, unit, self._clock.now_ms())
            unit.moved[message.id] = message
            return 0
        message.move(State.SENDING, reason)
        message.channel = channel_id
        message.sent_at = self._clock.now_ms()
        if reason is not Reason.CLAIMED_AT_ACCEPT:
            unit.moved[message.id] = message
        claims.setdefault(channel_id, []).append((message, segments))
        return len(segments)

    def _submit_after(self, claims: dict[str, Claims], unit: Unit) -> None:
        """Hand the claimed segments to their channels once `unit` is committed."""
        for channel_id, claimed in claims.items():
            segments = [segment for _, parts in claimed for segment in parts]
            self._committing[channel_id] += len(segments)
            unit.then.append(partial(self._send, channel_id, segments))
            unit.undo.append(partial(self._free, channel_id, len(segments)))

    def _send(self, channel_id: str, segments: list[Segment]) -> None:
        """Give the segments of one unit away with those of the other units of the same commit."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._submit)
        self._outgoing.setdefault(channel_id, []).extend(segments)

    def _submit(self) -> None:
        outgoing, self._outgoing = self._outgoing, {}
        for channel_id, segments in outgoing.items():
            self._committing[channel_id] -= len(segments)
            self._channels[channel_id].submit(segments, self._clock.monotonic())

    def _free(self, channel_id: str, count: int) -> None:
        self._committing[channel_id] -= count
