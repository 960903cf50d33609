"""One bind as a machine: state, window, timers. Time enters only as `now` (monotonic seconds)."""

import math
from collections.abc import Callable, Sequence

from carriers.errors import FramingLost, NotBound, WindowFull
from carriers.results import Segment
from carriers.smpp.answers import answer, answers, short_answer
from carriers.smpp.binding import may_submit, takes_tlvs
from carriers.smpp.codec import MAX_PDU_BYTES, Decoder
from carriers.smpp.events import (
    Answered,
    BindRefused,
    Bound,
    Closed,
    CloseReason,
    Event,
    Expired,
    Fault,
    FaultKind,
    Lost,
    UnbindReceived,
)
from carriers.smpp.exchange import Exchange, OwnAnswered, failure_status, fault
from carriers.smpp.pdu import (
    AlertNotification,
    BadPdu,
    Bind,
    BindResp,
    DataSm,
    DeliverSm,
    EnquireLink,
    Outbind,
    Pdu,
    Request,
    Response,
    SubmitSmResp,
    Unbind,
)
from carriers.smpp.states import TRANSITIONS, State
from carriers.smpp.status import bind_failure
from carriers.smpp.submit import SubmitEncoder
from carriers.smpp.timers import Timer, Timers
from carriers.smpp.vocabulary import CommandId, CommandStatus
from carriers.smpp.window import CONTROL, Window
from config.schema import TimerConfig


class Session:
    """Our (ESME) side of one SMPP session; legal moves are rows of `TRANSITIONS`.

    After every call look at `take_output` and `next_deadline`. No bytes of the peer's make it raise.
    """

    def __init__(
        self,
        bind: Bind,
        encoder: SubmitEncoder,
        timers: TimerConfig,
        now: float,
        window: int = 10,
        max_pdu: int = MAX_PDU_BYTES,
    ) -> None:
        """Begin on a fresh connection: the bind is in the output; raises `FieldError` if it does not fit."""
        self.state = State.BINDING
        self.window = Window(window)
        self.may_submit = may_submit(bind)
        self._exchange = Exchange(self.window, encoder)
        self._config = timers
        self._timers = Timers(timers, now)
        self._decoder = Decoder(max_pdu)
        self._owed = 0  # requests of the peer that `respond` has not answered
        self._unbind_sequence: int | None = None  # of the peer's unbind, until it is answered
        self._ending: CloseReason | None = None  # to be reported by the next tick
        self._exchange.ask(bind, CONTROL, now)
        self._timers.begin_phase(timers.bind, now)

    def __repr__(self) -> str:
        return f"<Session {self.state.value}, {self.window!r}, {self._owed} to answer>"

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.state is State.CLOSED

    @property
    def room(self) -> int:
        """How many submits may go now."""
        return self.window.room if self.state is State.BOUND and self.may_submit else 0

    def submit(self, segments: Sequence[Segment], now: float) -> Sequence[Event]:
        """Put `segments` into the output, in order; the events name those that no wire can carry.

        Raises `WindowFull` or `NotBound`: then nothing was sent. The segment is the `ref` of its answer.
        """
        self._check_room(len(segments))
        return self._exchange.submit(segments, now)

    def request(self, pdu: Request, now: float, ref: object = None) -> int:
        """Put any other request into the output, return its sequence number; its answer is `Replied`.

        Raises `WindowFull`, `NotBound` or `FieldError`: nothing was sent.
        """
        self._check_room(1)
        return self._exchange.ask(pdu, ref, now)

    def respond(self, requests: Sequence[DeliverSm | DataSm], status: int = CommandStatus.ROK) -> None:
        """Answer requests of the peer, once each, and only once their content is stored.

        On a session that is over it does nothing: the peer will send them again.
        """
        if self.closed:
            return
        self._exchange.answer(answers(requests, status))
        self._owed -= len(requests)
        if self._unbind_sequence is not None and self._owed <= 0:
            self._answer_unbind()

    def unbind(self, now: float) -> None:
        """Ask the peer to let us go. Drain first: what is in flight may stay unanswered."""
        if self.state is State.BINDING:
            self._ending = CloseReason.UNBOUND  # unbind is for bound sessions (§2.3)
        elif self.state is State.BOUND:
            self._move(State.UNBINDING)
            self._timers.begin_phase(self._config.unbind, now)
            self._exchange.ask(Unbind(), CONTROL, now)

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the peer (`b""`: it closed). Its faults are events, never exceptions."""
        events: list[Event] = []
        if self.closed:
            return events
        if not data:
            leaving = self.state is State.LEAVING
            self._close(CloseReason.PEER_UNBOUND if leaving else CloseReason.PEER_CLOSED, events)
            return events
        self._decoder.receive(data)
        try:
            self._read(now, events)
        except FramingLost as lost:
            self._lose_framing(lost, events)
        if not self.closed:
            self._timers.reading(self._decoder.partial, now)
            self._end_if_due(events)
        return events

    def tick(self, now: float) -> list[Event]:
        """Fire due timers: expired requests, enquire_link, a silent peer, an end that is due."""
        events: list[Event] = []
        if self.closed:
            return events
        events.extend(Expired(ref) for ref in self.window.expire(self._config.response, now))
        self._end_if_due(events)
        if self.closed:
            return events
        for timer in self._timers.due(now):
            self._fire(timer, now, events)
            if self.closed:
                break
        return events

    def next_deadline(self) -> float:
        """When `tick` next has something to do; `-inf`: at once, `inf`: never again."""
        if self.closed:
            return math.inf
        if self._ending is not None:
            return -math.inf
        oldest = self.window.oldest()
        deadline = self._timers.next_deadline()
        return deadline if oldest is None else min(deadline, oldest + self._config.response)

    @property
    def unwritten(self) -> int:
        """How many PDUs `take_output` would hand over."""
        return self._exchange.unwritten

    def take_output(self) -> bytes:
        """Hand over, and forget, the bytes waiting to be written; also after `Closed`."""
        return self._exchange.take_output()

    def terminate(self) -> Lost:
        """End it, for whatever reason; return what was asked and not answered, once."""
        if not self.closed:
            self._move(State.CLOSED)
        return self._exchange.end()

    def _check_room(self, count: int) -> None:
        if self.state is not State.BOUND or not self.may_submit:
            raise NotBound(f"the session is {self.state.value}" if self.may_submit else "a receiver session")
        if count > self.window.room:
            raise WindowFull(f"{count} requests, room for {self.window.room}")

    # answers to our requests

    def _answered(self, found: Event | OwnAnswered, now: float, events: list[Event]) -> None:
        """Report an answer, or act on it: the one to an enquire_link has done its duty by coming."""
        if not isinstance(found, OwnAnswered):
            events.append(found)
        elif found.asked == CommandId.UNBIND_RESP:
            self._close(CloseReason.UNBOUND, events)
        elif self.state is State.BINDING and found.asked != CommandId.ENQUIRE_LINK_RESP:
            self._bind_answered(found.response, now, events)

    def _bind_answered(self, response: Response, now: float, events: list[Event]) -> None:
        if not isinstance(response, BindResp) or response.status != CommandStatus.ROK:
            status = failure_status(response)
            events.append(BindRefused(status, bind_failure(status)))
            self._close(CloseReason.BIND_REFUSED, events)
            return
        self._move(State.BOUND)
        self._timers.end_phase(now)
        if not takes_tlvs(response):
            self._exchange.forbid_tlvs()
        events.append(Bound(response))

    # what the peer sends

    def _read(self, now: float, events: list[Event]) -> None:
        """Act on every whole PDU there is; raises `FramingLost`."""
        decoder, exchange = self._decoder, self._exchange
        heard = False
        while (pdu := decoder.next_pdu()) is not None:
            if not heard:
                heard = True
                self._timers.heard(now)
            if type(pdu) is SubmitSmResp:
                found = exchange.answered(pdu, now)
                if type(found) is Answered:  # nearly always: one call less for each answer
                    events.append(found)
                    continue
                self._answered(found, now, events)
            else:
                self._take(pdu, now, events)
            if self.closed:
                return

    def _take(self, pdu: Pdu | BadPdu, now: float, events: list[Event]) -> None:
        if isinstance(pdu, BadPdu):
            self._bad(pdu, now, events)
        elif isinstance(pdu, Response):
            self._answered(self._exchange.matched(pdu, now), now, events)
        else:
            _REQUESTS.get(type(pdu), Session._unexpected)(self, pdu, now, events)

    def _bad(self, bad: BadPdu, now: float, events: list[Event]) -> None:
        """Answer what can be answered; a response never is, and its header alone settles its request."""
        unknown = bad.status == CommandStatus.RINVCMDID
        kind = FaultKind.UNKNOWN_COMMAND if unknown else FaultKind.BAD_PDU
        events.append(
            Fault(kind, f"command_id 0x{bad.command_id:08x}, sequence {bad.sequence}: {bad.detail}")
        )
        if bad.pdu is not None:
            self._answered(self._exchange.matched(bad.pdu, now), now, events)
        elif bad.response_id is not None:
            self._exchange.answer([short_answer(bad.response_id, bad.status, bad.sequence)])

    def _content(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        """A deliver_sm or data_sm; taken on a transmitter session too, as its content matters more."""
        assert isinstance(pdu, DeliverSm | DataSm)
        if self.state is State.BINDING:
            self._refuse(pdu, CommandStatus.RINVBNDSTS, events)
        else:
            self._owed += 1
            events.append(pdu)

    def _notice(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        """What has no answer and changes nothing: the caller records it."""
        assert isinstance(pdu, AlertNotification | Outbind)
        events.append(pdu)

    def _enquired(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        self._exchange.answer([short_answer(CommandId.ENQUIRE_LINK_RESP, 0, pdu.sequence)])

    def _unbind_received(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        """Stop asking; say unbind_resp once we owe no answer, then wait a little for what is in flight."""
        if self.state is State.LEAVING:
            self._unexpected(pdu, now, events)
            return
        self._move(State.LEAVING)
        self._timers.begin_phase(self._config.unbind, now)
        self._unbind_sequence = pdu.sequence
        events.append(UnbindReceived())
        if self._owed <= 0:
            self._answer_unbind()

    def _unexpected(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        """A request that is not for an ESME, or makes no sense now."""
        assert isinstance(pdu, Request)
        self._refuse(pdu, CommandStatus.RINVCMDID, events)

    def _refuse(self, pdu: Request, status: CommandStatus, events: list[Event]) -> None:
        events.append(fault(FaultKind.UNEXPECTED_REQUEST, pdu))
        if pdu.response_id is not None:
            self._exchange.answer([answer(pdu, status)])

    # ends

    def _answer_unbind(self) -> None:
        assert self._unbind_sequence is not None
        self._exchange.answer([short_answer(CommandId.UNBIND_RESP, 0, self._unbind_sequence)])
        self._unbind_sequence = None
        self._end_if_settled()

    def _end_if_due(self, events: list[Event]) -> None:
        if self.state is State.LEAVING:
            self._end_if_settled()
        if self._ending is not None:
            self._close(self._ending, events)

    def _end_if_settled(self) -> None:
        """End a session the peer has left once unbind_resp is out and nothing is in flight."""
        if self._unbind_sequence is None and not self.window.in_flight:
            self._ending = CloseReason.PEER_UNBOUND

    def _fire(self, timer: Timer, now: float, events: list[Event]) -> None:
        if timer is Timer.PROBE:
            self._timers.probed(now)
            self._exchange.ask(EnquireLink(), CONTROL, now)
        elif timer is Timer.SILENCE:
            self._close(CloseReason.PEER_SILENT, events)
        elif timer is Timer.READ:
            self._close(CloseReason.READ_TIMEOUT, events)
        else:
            self._end_phase(events)

    def _end_phase(self, events: list[Event]) -> None:
        """Bind or unbind has lasted too long."""
        if self._unbind_sequence is not None:
            self._answer_unbind()
        reasons = {State.BINDING: CloseReason.BIND_TIMEOUT, State.UNBINDING: CloseReason.UNBIND_TIMEOUT}
        self._close(reasons.get(self.state, CloseReason.PEER_UNBOUND), events)

    def _lose_framing(self, lost: FramingLost, events: list[Event]) -> None:
        if lost.nack:
            self._exchange.answer(
                [short_answer(CommandId.GENERIC_NACK, CommandStatus.RINVCMDLEN, lost.sequence)]
            )
        self._close(CloseReason.FRAMING_LOST, events, str(lost))

    def _close(self, reason: CloseReason, events: list[Event], detail: str = "") -> None:
        self._move(State.CLOSED)
        events.append(Closed(reason, detail))

    def _move(self, state: State) -> None:
        assert state in TRANSITIONS[self.state], f"{self.state.name} → {state.name}"
        self.state = state


_Handler = Callable[[Session, Pdu, float, list[Event]], None]
_REQUESTS: dict[type[Pdu], _Handler] = {
    DeliverSm: Session._content,
    DataSm: Session._content,
    EnquireLink: Session._enquired,
    Unbind: Session._unbind_received,
    AlertNotification: Session._notice,
    Outbind: Session._notice,
}
