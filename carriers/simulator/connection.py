"""One customer's connection to the simulated carrier: framing, bind state, receipts not yet acknowledged."""

import asyncio
from typing import Any, Protocol, cast

from carriers.errors import FramingLost
from carriers.simulator.carrier import Carrier
from carriers.simulator.mailbox import Owed
from carriers.smpp.answers import answer, short_answer
from carriers.smpp.binding import bind_response
from carriers.smpp.codec import Decoder, encode
from carriers.smpp.pdu import (
    BadPdu,
    Bind,
    CancelSm,
    DataSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    QuerySm,
    ReplaceSm,
    Request,
    SubmitMulti,
    SubmitSm,
    Unbind,
    UnbindResp,
)
from carriers.smpp.vocabulary import SEQUENCE_MAX, CommandId, CommandStatus

_MODES = {
    CommandId.BIND_TRANSMITTER: "transmitter",
    CommandId.BIND_RECEIVER: "receiver",
    CommandId.BIND_TRANSCEIVER: "transceiver",
}
# what this carrier does not offer is refused with its own response, never ignored
_REFUSED: dict[type[Pdu], CommandStatus] = {
    CancelSm: CommandStatus.RCANCELFAIL,
    DataSm: CommandStatus.RINVCMDID,
    QuerySm: CommandStatus.RQUERYFAIL,
    ReplaceSm: CommandStatus.RREPLACEFAIL,
    SubmitMulti: CommandStatus.RINVCMDID,
}


class Hub(Protocol):
    """Who runs the connections."""

    def tick(self) -> None:
        """Set the carrier's time; called before each batch of work."""

    def touched(self, connection: "Connection") -> None:
        """Flush `connection` at the end of this turn of the event loop."""

    def came(self, connection: "Connection") -> None:
        """Remember `connection`, which is open."""

    def gone(self, connection: "Connection") -> None:
        """Forget `connection`, which is closed."""


class Connection(asyncio.Protocol):
    """One connection; `flush` writes at once what a whole batch of work produced."""

    def __init__(self, number: int, carrier: Carrier, hub: Hub) -> None:
        self.number = number
        self.system_id = ""
        self.mode = ""  # transmitter, receiver or transceiver once bound
        self._carrier = carrier
        self._hub = hub
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._sequence = 0
        self._unacknowledged: dict[int, tuple[Owed, float]] = {}
        self._unanswered = 0
        self._writable = True
        self._frozen = False
        self._ending = False
        self._opened = self._heard = carrier.now
        self._asked: float | None = None

    # --- what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start: the customer has a limited time to bind."""
        self._hub.tick()
        self._transport = cast(asyncio.Transport, transport)
        self._hub.came(self)
        self._carrier.stats.connections += 1
        self._carrier.agenda.add(self._carrier.now, self._check, None)
        self._hub.touched(self)

    def data_received(self, data: bytes) -> None:
        """Serve every whole PDU."""
        if self._frozen:
            return
        self._hub.tick()
        self._hub.touched(self)
        self._heard = self._carrier.now
        self._asked = None
        self._decoder.receive(data)
        try:
            while not self._closed() and (pdu := self._decoder.next_pdu()) is not None:
                self._serve(pdu)
        except FramingLost as lost:
            self._carrier.stats.bad_pdus += 1
            if lost.nack:
                self.send(short_answer(CommandId.GENERIC_NACK, CommandStatus.RINVCMDLEN, lost.sequence))
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back the receipts nobody acknowledged."""
        self._hub.tick()
        self._transport = None
        if self.mode:
            unacknowledged = [pending for pending, _ in self._unacknowledged.values()]
            self._unacknowledged.clear()
            self._carrier.mailbox(self.system_id).leave(self, unacknowledged)
            self._carrier.closed(self)
        self._hub.gone(self)

    def pause_writing(self) -> None:
        """Serve no more until the customer reads what it was sent."""
        self._writable = False
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Carry on."""
        self._writable = True
        if self._transport is not None:
            self._transport.resume_reading()
        self._hub.tick()
        self._pump()

    # --- what the carrier calls

    def room(self) -> int:
        """Return how many more receipts may be unacknowledged here."""
        if self._frozen or self._ending or not self._writable or self._transport is None:
            return 0
        return self._carrier.options.receipt_window - len(self._unacknowledged)

    def deliver(self, pending: Owed) -> None:
        """Send one receipt or message of a handset."""
        sequence = self._next_sequence()
        self._unacknowledged[sequence] = (pending, self._carrier.now)
        self.send(self._carrier.delivery(self, sequence, pending))

    def answer(self, data: bytes) -> None:
        """Send the encoded answer to one submit_sm."""
        self._unanswered -= 1
        self.send(data)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self._transport is not None and not self._frozen:
            self._out.append(data)
            self._hub.touched(self)

    def abort(self) -> None:
        """Reset the connection; answers not yet written are lost."""
        if self._transport is not None:
            self._out.clear()
            self._transport.abort()

    def unbind(self) -> None:
        """Ask the customer to go; nothing is delivered any more."""
        if self.mode and not self._ending:
            self._ending = True
            self.send(encode(Unbind(sequence=self._next_sequence())))

    def freeze(self) -> None:
        """Write nothing any more, as if the cable were cut."""
        self._frozen = True
        self._out.clear()

    def flush(self) -> None:
        """Write what has gathered; the record was flushed before."""
        if self._out and self._transport is not None and not self._transport.is_closing():
            data = b"".join(self._out)
            self._out.clear()
            self._transport.write(data)

    # --- requests and responses

    def _serve(self, pdu: Pdu | BadPdu) -> None:
        """Act on one PDU, the frequent ones first."""
        if type(pdu) is SubmitSm:
            self._submit(pdu)
        elif type(pdu) is DeliverSmResp or type(pdu) is GenericNack:
            self._acknowledged(pdu)
        elif isinstance(pdu, BadPdu):
            self._bad(pdu)
        elif isinstance(pdu, Bind):
            self._bind(pdu)
        elif isinstance(pdu, Request) and type(pdu) in _REFUSED:
            self.send(answer(pdu, _REFUSED[type(pdu)]))
        else:
            self._serve_session(pdu)

    def _serve_session(self, pdu: Pdu) -> None:
        """Act on what keeps or ends the session."""
        if isinstance(pdu, EnquireLink):
            self._carrier.stats.enquire_links += 1
            self.send(answer(pdu, CommandStatus.ROK))
        elif isinstance(pdu, EnquireLinkResp):
            self._carrier.stats.probes_answered += 1
        elif isinstance(pdu, Unbind):
            self._carrier.stats.unbinds += 1
            self.send(answer(pdu, CommandStatus.ROK))
            self._close()
        elif isinstance(pdu, UnbindResp):
            self._close()

    def _bind(self, pdu: Bind) -> None:
        status = CommandStatus.RALYBND if self.mode else self._carrier.admit(pdu)
        self.send(encode(bind_response(pdu, "simulator", status)))
        if status:
            self._carrier.stats.binds_refused += 1
            return
        self.system_id, self.mode = pdu.system_id, _MODES[pdu.command_id]
        self._carrier.opened(self, self.mode)
        if self.mode != "transmitter":
            self._carrier.mailbox(self.system_id).join(self)

    def _submit(self, pdu: SubmitSm) -> None:
        if self.mode not in ("transmitter", "transceiver") or self._ending:
            self.send(answer(pdu, CommandStatus.RINVBNDSTS))
            return
        self._unanswered += 1
        stats = self._carrier.stats
        stats.peak_unanswered = max(stats.peak_unanswered, self._unanswered)
        self._carrier.submit(self, pdu)

    def _acknowledged(self, pdu: DeliverSmResp | GenericNack) -> None:
        entry = self._unacknowledged.pop(pdu.sequence, None)
        if entry is not None:
            self._carrier.acknowledged(self, entry[0], pdu.status)
            self._pump()

    def _bad(self, pdu: BadPdu) -> None:
        """Refuse what cannot be read, with the response it calls for."""
        self._carrier.stats.bad_pdus += 1
        if pdu.response_id is not None:
            self.send(short_answer(pdu.response_id, pdu.status, pdu.sequence))

    # --- the rest

    def _check(self, _: Any) -> None:
        """Look after the timers: the bind that never comes, silence, receipts never acknowledged."""
        if self._transport is None:
            return
        carrier, options = self._carrier, self._carrier.options
        now = carrier.now
        unbound = not self.mode and now - self._opened >= options.response_timeout
        silent = self._asked is not None and now - self._asked >= options.response_timeout
        if unbound or silent:
            self._transport.abort()
            return
        if self._asked is None and now - self._heard >= options.enquire_link:
            self._asked = now
            self.send(encode(EnquireLink(sequence=self._next_sequence())))
        self._expire(now - options.response_timeout)
        carrier.agenda.add(now + min(options.enquire_link, options.response_timeout) / 2, self._check, None)

    def _expire(self, before: float) -> None:
        """Put off the receipts sent `before` and never acknowledged."""
        expired = [sequence for sequence, (_, sent) in self._unacknowledged.items() if sent <= before]
        for sequence in expired:
            self._carrier.put_off(self._unacknowledged.pop(sequence)[0])

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % SEQUENCE_MAX + 1
        return self._sequence

    def _pump(self) -> None:
        if self.mode in ("receiver", "transceiver"):
            self._carrier.mailbox(self.system_id).pump()

    def _close(self) -> None:
        """Write what has gathered, then close."""
        self._ending = True
        if self._transport is not None:
            self._carrier.recorder.flush()
            self.flush()
            self._transport.close()

    def _closed(self) -> bool:
        return self._transport is None or self._transport.is_closing() or self._frozen
