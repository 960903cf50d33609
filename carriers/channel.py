"""One channel into a carrier: its links as one thing to give segments to. Keeps them bound, paces, drains."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from carriers.leg import Leg
from carriers.link import Arrival, Link, Settled
from carriers.receipt import read_arrival
from carriers.results import (
    Answer,
    AnswerSink,
    Arrivals,
    ArrivalSink,
    Disposition,
    Fate,
    Receipt,
    Segment,
    StateSink,
)
from carriers.sender import Sender
from carriers.smpp.events import Answered, Event, Expired, Fault, Lost
from carriers.smpp.pdu import (
    AlertNotification,
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Outbind,
)
from carriers.smpp.session import Session
from carriers.smpp.status import disposition, parse_overrides
from carriers.smpp.submit import SubmitEncoder, submit_template
from carriers.smpp.vocabulary import CommandStatus
from carriers.status import ChannelStatus, Counters
from config.schema import BindMode, ChannelConfig

HOLD_LIMIT = 60.0  # seconds a segment may be throttled before it is handed back


class Channel:
    """One channel seen from above: give it segments, never sockets.

    Every segment given to `submit` comes back through `on_answers` exactly once, in batches; a second time
    only if it was IN_DOUBT and is answered after all. No sink is called from within `submit` or `room`.
    """

    def __init__(
        self,
        config: ChannelConfig,
        on_answers: AnswerSink,
        on_arrivals: ArrivalSink,
        on_state: StateSink,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing connects until `run`. Raises FieldError or ValueError for settings SMPP cannot carry."""
        self._config = config
        self._on_answers = on_answers
        self._on_arrivals = on_arrivals
        self._on_state = on_state
        self._clock = clock
        self._overrides = parse_overrides(config.statuses)
        self._encoder = SubmitEncoder(submit_template(config))
        self._sender = Sender(config.window, config.rate)
        self._wake: asyncio.TimerHandle | None = None
        self._counters = Counters()
        self._draining = False
        self._settled = asyncio.Event()
        self._legs = [self._leg(name, bind) for name, bind in _binds(config)]

    def __repr__(self) -> str:
        return f"<Channel {self._config.id}, window {self.window}, {len(self._sender.queue)} queued>"

    @property
    def up(self) -> bool:
        """Whether at least one link can send."""
        return bool(self._sender)

    @property
    def window(self) -> int:
        """How many submits the bound links may leave unanswered together; 0 when down."""
        return self._sender.window

    def room(self, now: float) -> int:
        """Return how many segments it would take and send about now."""
        return 0 if self._draining else self._sender.room(now)

    def submit(self, segments: Sequence[Segment], now: float) -> None:
        """Take all of `segments` and send them in order as window and rate allow."""
        if self._draining or not self._sender:
            asyncio.get_running_loop().call_soon(self._give_back, segments)
            return
        self._sender.queue.add(segments, now)
        self._pump(now)

    async def run(self) -> None:
        """Keep the links up until cancelled; cancelling resets them and reports what was in flight."""
        try:
            async with asyncio.TaskGroup() as group:
                for leg in self._legs:
                    group.create_task(leg.run(), name=f"link {self._config.id} {leg.name}")
            await asyncio.get_running_loop().create_future()  # drained: nothing more to keep up
        finally:
            if self._wake is not None:
                self._wake.cancel()

    async def drain(self) -> None:
        """Take no more, let the windows empty and the arrivals be stored, unbind. Bound it with a timeout."""
        self._draining = True
        self._give_back(self._sender.queue.clear())
        self._check_settled()
        await self._settled.wait()
        for leg in self._legs:
            leg.stop()
        for leg in self._legs:
            await leg.gone()

    def status(self) -> ChannelStatus:
        """Return how it is."""
        throttle = self._sender.throttle
        return ChannelStatus(
            up=self.up,
            links=[leg.status() for leg in self._legs],
            queued=len(self._sender.queue),
            in_flight=sum(leg.link.in_flight for leg in self._legs if leg.link is not None),
            window=self.window,
            rate=0.0 if throttle.current == math.inf else throttle.current,
            paused_for=max(0.0, throttle.paused_until - self._clock()),
            counters=replace(self._counters, sent=self._sender.sent),
        )

    # what links and legs call

    def link_bound(self, link: Link) -> None:
        """A link may send, or receive."""
        self._counters.binds += 1
        for leg in self._legs:
            if leg.link is link:
                leg.bound()
        self.link_changed(link)

    def link_changed(self, link: Link) -> None:
        """Room may have grown, or a link may have stopped sending."""
        if link.sends:
            self._sender.join(link)
        else:
            self._sender.leave(link)
        if not self._sender:
            self._give_back(self._sender.queue.clear())
        self._pump(self._clock())
        self._on_state(self._config.id)
        self._check_settled()

    def link_settled(self, link: Link, events: Sequence[Settled]) -> None:
        """Report answers; what was throttled goes again."""
        now = self._clock()
        answers: list[Answer] = []
        accepted = 0
        for event in events:
            if isinstance(event, Answered):
                accepted += event.status == CommandStatus.ROK
                self._answered(link, event, answers, now)
            else:
                answers.append(_unanswered(event))
        if accepted:
            self._sender.throttle.succeeded(accepted, now)
        self._pump(now)  # what waits here goes before anything the answers bring
        self._report(answers)
        self._check_settled()

    def link_arrived(self, link: Link, arrivals: Sequence[Arrival], reply: Callable[[bool], object]) -> None:
        """Hand up receipts and messages."""
        bundle = Arrivals([], [], reply)
        for pdu in arrivals:
            arrival = read_arrival(pdu, self._config)
            if isinstance(arrival, Receipt):
                bundle.receipts.append(arrival)
            else:
                bundle.inbound.append(arrival)
        self._counters.receipts += len(bundle.receipts)
        self._counters.inbound += len(bundle.inbound)
        self._on_arrivals(self._config.id, bundle)

    def link_put_off(self, link: Link, count: int) -> None:
        """Count arrivals that were answered with a temporary error."""
        self._counters.arrivals_put_off += count

    def link_noticed(self, link: Link, event: Event) -> None:
        """Count what has no other effect."""
        if isinstance(event, AlertNotification):
            self._counters.alerts += 1
        elif isinstance(event, Outbind):
            self._counters.outbinds += 1
        elif isinstance(event, Fault):
            self._counters.faults[event.kind.value] += 1

    def link_lost(self, link: Link, lost: Lost) -> None:
        """Report what was in flight; what never left goes by another link, or back."""
        self._sender.leave(link)
        self._report([Answer(_ref(segment), Fate.IN_DOUBT) for segment in lost.in_doubt])
        for segment in lost.not_sent:
            assert isinstance(segment, Segment)
            self._sender.queue.put_back(segment)
        if self._draining:
            self._give_back(self._sender.queue.clear())
        self.link_changed(link)

    def bind_failed(self, leg: Leg, why: str) -> None:
        """Count why a bind is not there."""
        self._counters.bind_failures[why] += 1
        self._on_state(self._config.id)

    # answers

    def _answered(self, link: Link, event: Answered, answers: list[Answer], now: float) -> None:
        """Add the answer to one segment to `answers`, or put the segment back."""
        segment, status = event.ref, event.status
        assert isinstance(segment, Segment)
        self._counters.late += event.late
        if status == CommandStatus.ROK:
            answers.append(
                Answer(
                    segment.ref, Fate.ACCEPTED, 0, Disposition.OK, event.message_id, event.latency, event.late
                )
            )
            return
        means = disposition(status, self._overrides)
        if means is Disposition.THROTTLE:
            self._slow_down(status, now)
            if not event.late:
                self._hold(segment, answers, now)
                return
        answers.append(Answer(segment.ref, Fate.REFUSED, status, means, "", event.latency, event.late))
        if means is Disposition.BIND:
            link.unbind()

    def _slow_down(self, status: int, now: float) -> None:
        """The carrier asks for patience: pause the whole channel, then go on slower."""
        self._counters.throttled[status] += 1
        self._sender.throttle.throttled(now)
        self._wake_at(self._sender.throttle.paused_until, now)
        asyncio.get_running_loop().call_soon(self._on_state, self._config.id)

    def _hold(self, segment: Segment, answers: list[Answer], now: float) -> None:
        """Put a throttled segment back in its place; after too long, or when stopping, return it unsent."""
        if self._draining or not self._sender or now - segment.given_at > HOLD_LIMIT:
            answers.append(Answer(segment.ref, Fate.NOT_SENT))
        else:
            self._sender.queue.put_back(segment)

    def _give_back(self, segments: Sequence[Segment]) -> None:
        """Report segments that never left."""
        self._report([Answer(segment.ref, Fate.NOT_SENT) for segment in segments])

    def _report(self, answers: list[Answer]) -> None:
        if not answers:
            return
        counters = self._counters
        for answer in answers:
            if answer.fate is Fate.ACCEPTED:
                counters.accepted += 1
            elif answer.fate is Fate.REFUSED:
                counters.refused += 1
            elif answer.fate is Fate.IN_DOUBT:
                counters.in_doubt += 1
            else:
                counters.not_sent += 1
        self._on_answers(self._config.id, answers)

    # sending

    def _pump(self, now: float) -> None:
        """Send what may go; come back when the rate allows more."""
        more_at = self._sender.pump(now)
        if more_at is not None:
            self._wake_at(more_at, now)

    def _wake_at(self, when: float, now: float) -> None:
        """Pump again at `when`, and say that there may be room."""
        if self._wake is not None:
            self._wake.cancel()
        self._wake = asyncio.get_running_loop().call_later(max(0.0, when - now), self._woken)

    def _woken(self) -> None:
        self._wake = None
        self._pump(self._clock())
        self._on_state(self._config.id)

    # the rest

    def _check_settled(self) -> None:
        """While draining, note when nothing is in flight and everything that arrived is stored."""
        if self._draining and not any(
            leg.link.in_flight or leg.link.unstored for leg in self._legs if leg.link is not None
        ):
            self._settled.set()

    def _leg(self, name: str, bind: type[Bind]) -> Leg:
        config = self._config

        def make_session(now: float) -> Session:
            pdu = bind(config.system_id, config.password, config.system_type)
            return Session(pdu, self._encoder, config.timers, now, config.window, config.max_pdu)

        make_link = partial(Link, make_session, self, config.timers.unbind, self._clock)
        return Leg(name, config, make_link, self, self._clock)


def _binds(config: ChannelConfig) -> list[tuple[str, type[Bind]]]:
    """Return the binds of a channel and their names."""
    numbers = range(1, config.links + 1)
    if config.bind is BindMode.TRANSCEIVER:
        return [(str(number), BindTransceiver) for number in numbers]
    legs: tuple[tuple[str, type[Bind]], ...] = (("tx", BindTransmitter), ("rx", BindReceiver))
    return [(f"{number}/{leg}", bind) for number in numbers for leg, bind in legs]


def _unanswered(event: Expired | object) -> Answer:
    """Return the answer for a segment that got none: out of time, or impossible to write."""
    if isinstance(event, Expired):
        return Answer(_ref(event.ref), Fate.IN_DOUBT)
    # no wire of this channel can carry it: another channel's may
    return Answer(_ref(event.ref), Fate.REFUSED, CommandStatus.RINVPARLEN, Disposition.ROUTE)  # type: ignore[attr-defined]


def _ref(segment: object) -> object:
    assert isinstance(segment, Segment)
    return segment.ref


def _room(link: Link) -> int:
    return link.room
