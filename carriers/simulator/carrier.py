"""The carrier behind the simulator's sessions: what it takes, answers, owes and remembers.

It opens no socket and reads no clock: `now` (monotonic, for timers) and `at` (unix seconds, for what is
written down) are set by `tick` before each batch of work.
"""

import hmac
from collections import deque
from dataclasses import replace
from random import Random
from typing import Protocol

from carriers.simulator.agenda import Agenda
from carriers.simulator.behaviour import Delay, IdMint, MessageIdForm, OutcomeMix, ReceiptIdForm
from carriers.simulator.faults import Fault, FaultKind, FaultPlan, garbled
from carriers.simulator.handsets import MoPart, MoScript, mo_parts
from carriers.simulator.mailbox import Mailbox, Owed, Receiver
from carriers.simulator.options import SimulatorOptions
from carriers.simulator.receipts import ReceiptEncoder
from carriers.simulator.record import TEMPORARY, Pending, Recorder, read_record, unacknowledged
from carriers.simulator.stats import Stats
from carriers.smpp.codec import encode, frame
from carriers.smpp.pdu import Bind, SubmitSm
from carriers.smpp.tlv import user_data
from carriers.smpp.vocabulary import CommandId, CommandStatus, Tag, wants_receipt

_GENERIC_NACK = int(CommandId.GENERIC_NACK)
_SUBMIT_SM_RESP = int(CommandId.SUBMIT_SM_RESP)
_ANSWERED_OTHERWISE = frozenset({FaultKind.SILENCE, FaultKind.CLOSE, FaultKind.FREEZE})


class Peer(Receiver, Protocol):
    """A session as the carrier sees it."""

    number: int
    system_id: str

    def answer(self, data: bytes) -> None:
        """Send the encoded answer to one submit_sm."""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""

    def abort(self) -> None:
        """Reset the connection."""

    def unbind(self) -> None:
        """Ask the customer to go."""

    def freeze(self) -> None:
        """Keep the connection open and never write again."""


class Carrier:
    """Everything the sessions share. Raises ValueError for options that cannot be."""

    def __init__(self, options: SimulatorOptions, now: float, at: float) -> None:
        self.options = options
        self.now = self._started = now
        self.at = at
        self.stats = Stats()
        self.agenda = Agenda()
        self._random = Random(options.seed)
        self._mix = OutcomeMix.parse(options.receipts)
        self._receipt_delay = Delay.parse(options.receipt_delay)
        self._answer_delay = Delay.parse(options.answer_delay)
        self._plan = FaultPlan(options.faults, Random(options.seed))
        # ids rise from the clock, 65,536 of them a millisecond, so a restart repeats none
        self._mint = IdMint(
            int(at * 1000) << 16, MessageIdForm(options.id_form), ReceiptIdForm(options.receipt_id_form)
        )
        self._receipts = ReceiptEncoder(tlvs=options.receipt_tlvs)
        self._recent: deque[float] = deque(maxlen=options.rate or 1)
        self._mailboxes: dict[str, Mailbox] = {}
        self._sessions: dict[str, int] = {}
        owed = (
            unacknowledged(read_record(options.record)) if options.record and options.record.exists() else []
        )
        self.recorder = Recorder(options.record)
        self._note("start")
        self.recorder.flush()
        for pending in owed:
            self._owe(pending, 0.0)
        self._receiving: list[str] = []  # whose receivers are bound, the last one last
        self._unaddressed: list[MoPart] = []
        self._replies: list[MoScript] = []
        for script in options.mos:
            self.hand_in(script)

    def tick(self, now: float, at: float) -> None:
        """Set the time that what follows happens at."""
        self.now = now
        self.at = at

    def mailbox(self, system_id: str) -> Mailbox:
        """Return the receipts of one customer."""
        if system_id not in self._mailboxes:
            self._mailboxes[system_id] = Mailbox()
        return self._mailboxes[system_id]

    def admit(self, pdu: Bind) -> CommandStatus:
        """Decide whether a bind is welcome."""
        accounts = self.options.accounts
        if accounts and pdu.system_id not in accounts:
            return CommandStatus.RINVSYSID
        if accounts and not hmac.compare_digest(pdu.password.encode(), accounts[pdu.system_id].encode()):
            return CommandStatus.RINVPASWD
        if self.options.max_binds and self._sessions.get(pdu.system_id, 0) >= self.options.max_binds:
            return CommandStatus.RALYBND
        return CommandStatus.ROK

    def opened(self, peer: Peer, mode: str) -> None:
        """Note that a session is bound."""
        self._sessions[peer.system_id] = self._sessions.get(peer.system_id, 0) + 1
        self.stats.binds += 1
        self.stats.bound += 1
        self.stats.peak_bound = max(self.stats.peak_bound, self.stats.bound)
        if mode != "transmitter":
            self._receiving.append(peer.system_id)
            for part in self._unaddressed:
                self._post_mo(part)
            self._unaddressed.clear()
        self._note("bind", session=peer.number, system_id=peer.system_id, mode=mode)

    def closed(self, peer: Peer) -> None:
        """Note that a session that was bound is gone."""
        if peer.system_id in self._receiving:
            self._receiving.remove(peer.system_id)
        self._sessions[peer.system_id] -= 1
        self.stats.bound -= 1
        self._note("close", session=peer.number, system_id=peer.system_id)

    def submit(self, peer: Peer, pdu: SubmitSm) -> None:
        """Take or refuse one message; its answer and receipt follow, as options and faults have it."""
        self.stats.submits += 1
        fault = None
        if self._plan:
            fault = self._plan.strike(self.stats.submits, self.now - self._started, pdu.destination_addr)
        if fault is not None:
            self.stats.faults[fault.kind] += 1
        status = self._verdict(pdu, fault)
        if status:
            self._record(peer, pdu, fault, status=status)
            self._refuse(peer, pdu, status, fault)
        elif fault is not None and fault.kind is FaultKind.LOSE:
            self._record(peer, pdu, fault, status=None)
        else:
            self._take(peer, pdu, fault)

    def hand_in(self, script: MoScript) -> None:
        """Take a handset's message; its parts go to the customer in their time."""
        if script.reply:
            self._replies.append(script)
            return
        for order, pdu in enumerate(mo_parts(script)):
            self.stats.mo_owed += 1
            part = MoPart(script.system_id, pdu)
            self.agenda.add(self.now + script.after + order * script.gap, self._post_mo, part)

    def _post_mo(self, part: MoPart) -> None:
        part.system_id = part.system_id or (self._receiving[-1] if self._receiving else "")
        if part.system_id:
            self.mailbox(part.system_id).post(part)
        else:
            self._unaddressed.append(part)

    def acknowledged(self, peer: Peer, pending: Owed, status: int) -> None:
        """Note a deliver_sm_resp: the receipt or message is settled, or goes out again."""
        if isinstance(pending, MoPart):
            self._mo_acknowledged(peer, pending, status)
            return
        self._note("acknowledged", session=peer.number, id=pending.message_id, status=status)
        if status == 0:
            self.stats.receipts_acknowledged += 1
            self.stats.owed -= 1
        elif status in TEMPORARY:
            self.put_off(pending)
        else:
            self.stats.receipts_refused += 1
            self.stats.owed -= 1

    def _mo_acknowledged(self, peer: Peer, part: MoPart, status: int) -> None:
        self._note("mo_acknowledged", session=peer.number, source=part.pdu.source_addr, status=status)
        if status in TEMPORARY:
            self.put_off(part)
            return
        self.stats.mo_owed -= 1
        if status:
            self.stats.mo_refused += 1
        else:
            self.stats.mo_acknowledged += 1

    def put_off(self, pending: Owed) -> None:
        """Send a receipt or message again after the retry time."""
        if isinstance(pending, MoPart):
            self.stats.mo_put_off += 1
        else:
            self.stats.receipts_put_off += 1
        mailbox = self.mailbox(pending.system_id)
        self.agenda.add(self.now + self.options.receipt_retry, mailbox.post, pending)

    def delivery(self, peer: Peer, sequence: int, pending: Owed) -> bytes:
        """Return the encoded receipt or message that `peer` is about to send."""
        pending.attempts += 1
        if isinstance(pending, MoPart):
            return self._mo(peer, sequence, pending)
        return self._receipt(peer, sequence, pending)

    def _mo(self, peer: Peer, sequence: int, part: MoPart) -> bytes:
        pdu = part.pdu
        self.stats.mo_sent += 1
        text = user_data(pdu)
        to = {"source": pdu.source_addr, "destination": pdu.destination_addr, "text": text.hex()}
        self._note("mo", session=peer.number, attempt=part.attempts, **to)
        return encode(replace(pdu, sequence=sequence))

    def _receipt(self, peer: Peer, sequence: int, pending: Pending) -> bytes:
        self.stats.receipts_sent += 1
        if self.recorder.enabled:
            state = pending.outcome.state.value
            self.recorder.add(
                {
                    "event": "receipt",
                    "at": self.at,
                    "session": peer.number,
                    "id": pending.message_id,
                    "state": state,
                    "attempt": pending.attempts,
                }
            )
        return self._receipts.encode(sequence, pending, self._mint.in_receipt(pending.message_id), self.at)

    def _verdict(self, pdu: SubmitSm, fault: Fault | None) -> int:
        """Return the status a submit_sm is answered with."""
        if fault is not None and fault.kind is FaultKind.THROTTLE:
            return CommandStatus.RTHROTTLED
        if fault is not None and fault.kind in (FaultKind.REFUSE, FaultKind.NACK):
            return fault.status
        if not pdu.destination_addr.isdigit():
            return CommandStatus.RINVDSTADR
        return self._over_rate()

    def _over_rate(self) -> int:
        """Count a message against the rate: no sliding second ever holds more than `rate` taken ones."""
        if not self.options.rate:
            return CommandStatus.ROK
        recent = self._recent
        if len(recent) == recent.maxlen and self.now - recent[0] < 1.0:
            return CommandStatus.RTHROTTLED
        recent.append(self.now)
        return CommandStatus.ROK

    def _refuse(self, peer: Peer, pdu: SubmitSm, status: int, fault: Fault | None) -> None:
        self.stats.statuses[status] += 1
        nack = fault is not None and fault.kind is FaultKind.NACK
        self._answer(peer, frame(_GENERIC_NACK if nack else _SUBMIT_SM_RESP, status, pdu.sequence), 0.0)

    def _take(self, peer: Peer, pdu: SubmitSm, fault: Fault | None) -> None:
        self.stats.taken += 1
        message_id = self._mint.mint()
        for script in self._replies:
            if pdu.destination_addr.startswith(script.source):
                self.hand_in(script.replying_to(pdu.destination_addr, pdu.source_addr))
        pending = self._receipt_for(peer, pdu, message_id, fault)
        self._record(peer, pdu, fault, status=0, message_id=message_id, pending=pending)
        if fault is not None:
            self._take_badly(peer, pdu, message_id, pending, fault)
            return
        self.stats.statuses[0] += 1
        delay = self._answer(peer, _accepted(pdu.sequence, message_id), 0.0)
        if pending is not None:
            self._owe(pending, delay + self._receipt_delay.draw(self._random))

    def _receipt_for(self, peer: Peer, pdu: SubmitSm, message_id: str, fault: Fault | None) -> Pending | None:
        """Decide how the message ends; None if nobody asked, or nobody is to know."""
        outcome = self._mix.draw(self._random)
        if outcome is None or (fault is not None and fault.kind is FaultKind.LOST_RECEIPT):
            return None
        if not wants_receipt(pdu.registered_delivery, delivered=outcome.stat == "DELIVRD"):
            return None
        return Pending(message_id, peer.system_id, pdu.source_addr, pdu.destination_addr, outcome, self.at)

    def _take_badly(
        self, peer: Peer, pdu: SubmitSm, message_id: str, pending: Pending | None, fault: Fault
    ) -> None:
        """Take a message that a fault strikes."""
        kind = fault.kind
        if pending is not None and kind is FaultKind.EARLY_RECEIPT:
            self._owe(pending, None)
        delay = 0.0
        if kind not in _ANSWERED_OTHERWISE:
            for _ in range(2 if kind is FaultKind.DOUBLE_ANSWER else 1):
                self.stats.statuses[0] += 1
                late = fault.seconds if kind is FaultKind.SLOW else 0.0
                delay = self._answer(peer, _accepted(pdu.sequence, message_id), late)
        if pending is not None and kind is not FaultKind.EARLY_RECEIPT:
            extra = fault.seconds if kind is FaultKind.LATE_RECEIPT else 0.0
            for _ in range(2 if kind is FaultKind.DUPLICATE_RECEIPT else 1):
                self._owe(pending, delay + extra + self._receipt_delay.draw(self._random))
        if kind is FaultKind.CLOSE:
            peer.abort()
        elif kind is FaultKind.UNBIND:
            peer.unbind()
        elif kind is FaultKind.FREEZE:
            peer.freeze()
        elif kind is FaultKind.BAD_BYTES:
            peer.send(bytes.fromhex(fault.bytes) or garbled(self._random))

    def _answer(self, peer: Peer, answer: bytes, extra: float) -> float:
        """Answer now or after the delay; return the delay."""
        delay = extra + self._answer_delay.draw(self._random)
        if delay:
            self.agenda.add(self.now + delay, peer.answer, answer)
        else:
            peer.answer(answer)
        return delay

    def _owe(self, pending: Pending, delay: float | None) -> None:
        """Put a receipt on its way; None sends it before anything else."""
        self.stats.owed += 1
        mailbox = self.mailbox(pending.system_id)
        if delay is None:
            mailbox.post(pending)
        else:
            # the agenda also when it is due at once: a receipt of no delay must not overtake its answer
            self.agenda.add(self.now + delay, mailbox.post, pending)

    def _record(
        self,
        peer: Peer,
        pdu: SubmitSm,
        fault: Fault | None,
        *,
        status: int | None,
        message_id: str = "",
        pending: Pending | None = None,
    ) -> None:
        """Write down one submit_sm; `status` None: lost on the way."""
        if not self.recorder.enabled:
            return
        text = user_data(pdu)
        event = {
            "event": "submit",
            "at": self.at,
            "session": peer.number,
            "system_id": peer.system_id,
            "id": message_id,
            "status": status,
            "source": pdu.source_addr,
            "destination": pdu.destination_addr,
            "data_coding": pdu.data_coding,
            "esm_class": pdu.esm_class,
            "text": text.hex(),
            "receipt": pending.outcome.state.value if pending is not None else None,
        }
        if pdu.tlvs:
            event["tlvs"] = [(tag, value.hex()) for tag, value in pdu.tlvs if tag != Tag.MESSAGE_PAYLOAD]
        if fault is not None:
            event["fault"] = fault.kind
        self.recorder.add(event)

    def _note(self, event: str, **fields: object) -> None:
        if self.recorder.enabled:
            self.recorder.add({"event": event, "at": self.at, **fields})


def _accepted(sequence: int, message_id: str) -> bytes:
    """Return the answer to a message that is taken."""
    return frame(_SUBMIT_SM_RESP, CommandStatus.ROK, sequence, message_id.encode("ascii") + b"\0")
