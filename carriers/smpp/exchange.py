"""What we asked and what came back: requests into the output, answers to their requests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from carriers.errors import FieldError
from carriers.results import Segment
from carriers.smpp.codec import encode
from carriers.smpp.events import Answered, Fault, FaultKind, Lost, Replied, Unsendable
from carriers.smpp.pdu import GenericNack, Pdu, Request, Response, SubmitSmResp
from carriers.smpp.submit import SubmitEncoder, needs_tlvs
from carriers.smpp.vocabulary import CommandId, CommandStatus
from carriers.smpp.window import CONTROL, Window

_SUBMIT_SM_RESP = int(CommandId.SUBMIT_SM_RESP)


@dataclass(slots=True)
class OwnAnswered:
    """A request of the session's own has its answer; `asked` is the answer's usual command_id."""

    asked: int
    response: Response


class Exchange:
    """The window and the output of one session. Knows no states and no timers."""

    __slots__ = ("_encoder", "_first_unsent", "_output", "_takes_tlvs", "window")

    def __init__(self, window: Window, encoder: SubmitEncoder) -> None:
        self.window = window
        self._encoder = encoder
        self._takes_tlvs = True
        self._output: list[bytes] = []
        self._first_unsent: int | None = None  # requests from this one on are still in `_output`

    def forbid_tlvs(self) -> None:
        """The peer's version is below 3.4: from now on nothing with a TLV is sent."""
        self._takes_tlvs = False
        self._encoder = self._encoder.without_tlvs()

    def submit(self, segments: Sequence[Segment], now: float) -> list[Unsendable]:
        """Put `segments` into the output, in order; return those that no wire can carry."""
        window, encoder, output = self.window, self._encoder, self._output
        unsendable: list[Unsendable] = []
        for segment in segments:
            sequence = window.next_sequence()
            try:
                if not self._takes_tlvs and needs_tlvs(segment.part):
                    raise _version_fault()
                data = encoder.encode(
                    sequence,
                    segment.destination,
                    segment.part,
                    segment.concat_ref,
                    segment.validity,
                    segment.tlvs if self._takes_tlvs else b"",
                )
            except FieldError as error:
                unsendable.append(Unsendable(segment, error))
                continue
            window.pending[sequence] = (segment, _SUBMIT_SM_RESP, now)
            output.append(data)
            if self._first_unsent is None:
                self._first_unsent = sequence
        return unsendable

    def ask(self, pdu: Request, ref: object, now: float) -> int:
        """Put one request into the output, return its sequence number; raises `FieldError`."""
        if pdu.response_id is None:
            raise FieldError("command_id", f"{type(pdu).__name__} is not for an ESME to ask")
        if pdu.tlvs and not self._takes_tlvs:
            raise _version_fault()
        pdu.sequence = self.window.next_sequence()
        data = encode(pdu)
        self.window.add(pdu.sequence, ref, pdu.response_id, now)
        self._output.append(data)
        if self._first_unsent is None and ref is not CONTROL:
            self._first_unsent = pdu.sequence
        return pdu.sequence

    def answer(self, answers: Iterable[bytes]) -> None:
        """Put encoded answers into the output."""
        self._output.extend(answers)

    def answered(self, pdu: SubmitSmResp, now: float) -> "Answered | Fault | Replied | OwnAnswered":
        """Match a submit_sm_resp: `matched`, for the usual case made short."""
        entry = self.window.pending.get(pdu.sequence)
        if entry is None or entry[1] != _SUBMIT_SM_RESP:
            return self.matched(pdu, now)
        del self.window.pending[pdu.sequence]
        return Answered(entry[0], pdu.status, pdu.message_id, now - entry[2])

    def matched(self, pdu: Response, now: float) -> Answered | Fault | Replied | OwnAnswered:
        """Match any response; one that fits no request is a fault, and is never answered."""
        found = self.window.settle(pdu.sequence, pdu.command_id)
        if isinstance(found, FaultKind):
            return fault(found, pdu)
        (ref, response_id, sent_at), late = found
        if ref is CONTROL:
            return OwnAnswered(response_id, pdu)
        if response_id == _SUBMIT_SM_RESP:
            message_id = pdu.message_id if isinstance(pdu, SubmitSmResp) else ""
            return Answered(ref, failure_status(pdu), message_id, now - sent_at, late)
        return Replied(ref, pdu, now - sent_at, late)

    @property
    def unwritten(self) -> int:
        """How many PDUs wait to be written."""
        return len(self._output)

    def take_output(self) -> bytes:
        """Hand over, and forget, the bytes waiting to be written."""
        output = b"".join(self._output)
        self._output.clear()
        self._first_unsent = None
        return output

    def end(self) -> Lost:
        """Forget all requests; return those without an answer, told apart by whether they left."""
        lost, unsent = Lost([], []), False
        for sequence, ref in self.window.clear():
            unsent = unsent or sequence == self._first_unsent
            (lost.not_sent if unsent else lost.in_doubt).append(ref)
        return lost


def failure_status(pdu: Response) -> int:
    """Return the status of a response; a generic_nack that claims success is an error all the same."""
    if isinstance(pdu, GenericNack) and pdu.status == CommandStatus.ROK:
        return int(CommandStatus.RUNKNOWNERR)
    return pdu.status


def fault(kind: FaultKind, pdu: Pdu) -> Fault:
    """Return the fault of a PDU that could be read."""
    return Fault(kind, f"{pdu.command_id.name.lower()}, sequence {pdu.sequence}")


def _version_fault() -> FieldError:
    return FieldError("tlvs", "the peer's version is below 3.4")
