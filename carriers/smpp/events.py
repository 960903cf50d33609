"""What can happen on a session. Requests of the peer that must be answered are events themselves."""

from dataclasses import dataclass
from enum import Enum

from carriers.errors import FieldError
from carriers.smpp.pdu import AlertNotification, BindResp, DataSm, DeliverSm, Outbind, Response
from carriers.smpp.status import BindFailure


@dataclass(slots=True)
class Bound:
    """The bind was accepted: requests may go."""

    response: BindResp


@dataclass(slots=True)
class BindRefused:
    """The bind was refused; `Closed` follows."""

    status: int
    failure: BindFailure


@dataclass(slots=True)
class Answered:
    """A submit_sm has its answer. `ref` is what was given to `submit`."""

    ref: object
    status: int
    message_id: str  # as received; "" on errors, and from carriers that leave it empty
    latency: float  # seconds
    late: bool = False  # `Expired` was reported before


@dataclass(slots=True)
class Replied:
    """Any other request of ours has its answer, possibly a `GenericNack`."""

    ref: object
    response: Response
    latency: float
    late: bool = False


@dataclass(slots=True)
class Expired:
    """No answer in time; its place in the window is free. A late answer is still matched while bound."""

    ref: object


@dataclass(slots=True)
class Unsendable:
    """A segment that cannot be put on this wire; nothing of it was sent."""

    ref: object
    error: FieldError


@dataclass(slots=True)
class UnbindReceived:
    """The peer wants to leave: nothing more can be sent, `Closed` follows when all is settled."""


class FaultKind(Enum):
    """What a peer did wrong. The session lives on."""

    BAD_PDU = "bad pdu"  # known command, unreadable body
    UNKNOWN_COMMAND = "unknown command"
    UNEXPECTED_REQUEST = "unexpected request"  # not towards an ESME, or not in this state
    UNSOLICITED_ANSWER = "unsolicited answer"  # a sequence number never used
    DUPLICATE_ANSWER = "duplicate answer"  # a sequence number answered before, or given up long ago
    MISMATCHED_ANSWER = "mismatched answer"  # of another kind than the request with its number


@dataclass(slots=True)
class Fault:
    """A fault of the peer, to be counted and logged."""

    kind: FaultKind
    detail: str


class CloseReason(Enum):
    """Why a session is over."""

    PEER_CLOSED = "peer closed the connection"
    FRAMING_LOST = "framing lost"
    BIND_REFUSED = "bind refused"
    BIND_TIMEOUT = "bind not answered"
    PEER_SILENT = "enquire_link not answered"
    READ_TIMEOUT = "a PDU begun was not finished"
    UNBOUND = "we unbound"
    UNBIND_TIMEOUT = "unbind not answered"
    PEER_UNBOUND = "peer unbound"


@dataclass(slots=True)
class Closed:
    """The session is over: write what `take_output` still has, close the connection, call `terminate`."""

    reason: CloseReason
    detail: str = ""


@dataclass(slots=True)
class Lost:
    """The refs of requests that have no answer when a session ends."""

    in_doubt: list[object]  # handed to the connection: the peer may have them
    not_sent: list[object]  # still in our output


Event = (
    Bound | BindRefused | Answered | Replied | Expired | Unsendable | UnbindReceived | Fault | Closed
    | DeliverSm | DataSm | AlertNotification | Outbind
)  # fmt: skip
