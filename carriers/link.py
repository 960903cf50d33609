"""One connection to a carrier and the session on it: reads, writes, keeps the timers. Lives once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, cast

from carriers.results import Segment
from carriers.smpp.events import (
    Answered,
    BindRefused,
    Bound,
    Closed,
    CloseReason,
    Event,
    Expired,
    Lost,
    UnbindReceived,
    Unsendable,
)
from carriers.smpp.pdu import DataSm, DeliverSm
from carriers.smpp.session import Session
from carriers.smpp.states import State
from carriers.smpp.vocabulary import CommandStatus

Arrival = DeliverSm | DataSm
Settled = Answered | Expired | Unsendable

MAX_UNSTORED = 20_000  # arrivals of one link that may wait for the store; the next are put off
# PDUs that may wait for a peer that does not read before we stop reading it: its requests would only add
# answers to them. Not the first one: two peers that each wait for the other to read would never go on.
MAX_UNWRITTEN = 10_000
# after these ends nobody reads what we would still write
_DEAD = frozenset({CloseReason.BIND_TIMEOUT, CloseReason.PEER_SILENT, CloseReason.READ_TIMEOUT})


class LinkOwner(Protocol):
    """Whom a link tells what happens; called from the event loop only, never from within a method."""

    def link_bound(self, link: "Link") -> None:
        """The bind was accepted."""

    def link_settled(self, link: "Link", events: Sequence[Settled]) -> None:
        """Segments were answered, or will not be; those of one read together, in order."""

    def link_arrived(
        self, link: "Link", arrivals: Sequence[Arrival], reply: Callable[[bool], object]
    ) -> None:
        """What one read brought; `reply` is to be called once it is stored (True) or could not be (False)."""

    def link_put_off(self, link: "Link", count: int) -> None:
        """So many arrivals were answered with a temporary error: too many wait for the store."""

    def link_noticed(self, link: "Link", event: Event) -> None:
        """Anything else that is to be counted."""

    def link_changed(self, link: "Link") -> None:
        """Its room changed for another reason than answers."""

    def link_lost(self, link: "Link", lost: Lost) -> None:
        """It is over; these segments have no answer."""


class Link(asyncio.Protocol):
    """One TCP connection with its session. Everything that is sent in one turn of the loop is one write."""

    def __init__(
        self,
        make_session: Callable[[float], Session],
        owner: LinkOwner,
        linger: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The session, and with it the bind, begins when the connection is made.

        `linger`: seconds the peer may take to read our last bytes before the connection is reset.
        """
        self._make_session = make_session
        self._owner = owner
        self._linger = linger
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._transport: asyncio.Transport | None = None
        self._bound = False
        self._writable = True
        self._reading = True
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._reset: asyncio.TimerHandle | None = None
        self.unstored = 0  # arrivals handed up and not replied to
        self.refused: BindRefused | None = None
        self.error = ""  # why it ended
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def __repr__(self) -> str:
        return f"<Link {self._session!r}>"

    @property
    def room(self) -> int:
        """How many submits may go now; none while the peer does not read."""
        return self._session.room if self._session is not None and self._writable else 0

    @property
    def sends(self) -> bool:
        """Whether it is bound for sending."""
        session = self._session
        return session is not None and session.state is State.BOUND and session.may_submit

    @property
    def in_flight(self) -> int:
        """How many submits wait for their answer."""
        return self._session.window.in_flight if self._session is not None else 0

    @property
    def state(self) -> State | None:
        """The session's state; None before the connection is made."""
        return self._session.state if self._session is not None else None

    def submit(self, segments: Sequence[Segment], now: float) -> None:
        """Send `segments`, not more than `room`; each is settled or lost exactly once, later."""
        assert self._session is not None
        events = self._session.submit(segments, now)
        if events:
            self._loop.call_soon(self._handle, events)
        self._after_work()

    def unbind(self) -> None:
        """Say goodbye; the session ends with the peer's answer."""
        if self._session is not None:
            self._session.unbind(self._clock())
            self._after_work()

    def abort(self, why: str) -> None:
        """End it now, whatever is under way."""
        self.error = self.error or why
        if self._transport is not None:
            self._transport.abort()
        self._finish()

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the bind goes out at once."""
        self._transport = cast(asyncio.Transport, transport)
        self._session = self._make_session(self._clock())
        self._flush()
        self._set_timer()

    def data_received(self, data: bytes) -> None:
        """Feed the session, tell the owner."""
        if self._session is not None:
            if self._session.state is State.BINDING and data[:2] in (b"\x15\x03", b"\x16\x03"):
                self.abort("the peer speaks TLS, the channel is set to plain TCP")
            self._handle(self._session.receive(data, self._clock()))
            self._after_work()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever made it."""
        if self._session is not None:
            self._handle(self._session.receive(b"", self._clock()))
        if exc is not None:
            self.error = f"{self.error or 'connection lost'}: {exc}"
        self._finish()

    def pause_writing(self) -> None:
        """The peer reads slower than we write: what is not written yet is not sent."""
        self._writable = False

    def resume_writing(self) -> None:
        """It reads again."""
        self._writable = True
        self._flush()
        if not self._reading and self._transport is not None:
            self._reading = True
            self._transport.resume_reading()
        self._owner.link_changed(self)

    # the work between

    def _handle(self, events: Sequence[Event]) -> None:
        """Tell the owner, in batches."""
        settled: list[Settled] = []
        arrivals: list[Arrival] = []
        rest: list[Event] = []
        for event in events:
            if isinstance(event, Answered | Expired | Unsendable):
                settled.append(event)
            elif isinstance(event, DeliverSm | DataSm):
                arrivals.append(event)
            else:
                rest.append(event)
        if settled:
            self._owner.link_settled(self, settled)
        if arrivals:
            self._arrived(arrivals)
        for event in rest:
            self._notice(event)

    def _notice(self, event: Event) -> None:
        """Act on what is rare."""
        if isinstance(event, Bound):
            self._bound = True
            self._owner.link_bound(self)
        elif isinstance(event, UnbindReceived):
            self._owner.link_changed(self)
        elif isinstance(event, Closed):
            self._close(event)
        else:
            if isinstance(event, BindRefused):
                self.refused = event
            self._owner.link_noticed(self, event)

    def _arrived(self, arrivals: list[Arrival]) -> None:
        """Hand up what came, or put it off: memory must not grow with a slow store."""
        room = max(0, MAX_UNSTORED - self.unstored)
        if len(arrivals) > room:
            assert self._session is not None
            self._session.respond(arrivals[room:], CommandStatus.RX_T_APPN)
            self._owner.link_put_off(self, len(arrivals) - room)
            del arrivals[room:]
        if arrivals:
            self.unstored += len(arrivals)
            self._owner.link_arrived(self, arrivals, partial(self._reply, arrivals))

    def _reply(self, arrivals: list[Arrival], stored: bool) -> bool:
        """Answer what is stored, or ask for it again; whether there is still somebody to answer."""
        self.unstored -= len(arrivals)
        alive = self._session is not None and self._session.state is not State.CLOSED
        if alive and self._session is not None:
            self._session.respond(arrivals, CommandStatus.ROK if stored else CommandStatus.RX_T_APPN)
            self._after_work()
        self._owner.link_changed(self)
        return alive

    def _after_work(self) -> None:
        """Write at the end of this turn of the loop; keep the timer early enough."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)
        self._set_timer()

    def _flush(self) -> None:
        self._flushing = False
        session, transport = self._session, self._transport
        if session is None or transport is None or transport.is_closing():
            return
        if not self._writable:
            if self._reading and session.unwritten > MAX_UNWRITTEN:
                self._reading = False
                transport.pause_reading()
            return
        data = session.take_output()
        if data:
            transport.write(data)

    def _set_timer(self) -> None:
        """Wake up for the session's next deadline; a timer that is early is left alone and looks again."""
        if self._session is None:
            return
        at = self._session.next_deadline()
        if at < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = at
            self._timer = self._loop.call_later(max(0.0, at - self._clock()), self._tick)

    def _tick(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        if self._session is not None:
            self._handle(self._session.tick(self._clock()))
            self._after_work()

    def _close(self, closed: Closed) -> None:
        """The session is over: let the last bytes go, but not for ever."""
        detail = f": {closed.detail}" if closed.detail else ""
        if closed.reason is CloseReason.PEER_CLOSED and not self._bound:
            detail = " instead of answering the bind; does it expect TLS?"
        self.error = self.error or f"{closed.reason.value}{detail}"
        if self._transport is None or self._transport.is_closing():
            return
        if closed.reason in _DEAD:
            self._transport.abort()
            return
        self._flush()
        self._transport.close()
        self._reset = self._loop.call_later(self._linger, self._transport.abort)

    def _finish(self) -> None:
        """Report what is lost, once."""
        if self.ended.done():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = float("-inf")  # no more timers
        if self._reset is not None:
            self._reset.cancel()
        lost = self._session.terminate() if self._session is not None else Lost([], [])
        self.ended.set_result(None)
        self._owner.link_lost(self, lost)
