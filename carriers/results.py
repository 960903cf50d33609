"""What goes down to a channel and what comes back up. Plain values; `ref` is opaque down here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from carriers.smpp.text import Part


@dataclass(slots=True)
class Segment:
    """One `submit_sm` to be."""

    ref: object  # the caller's own; comes back in the Answer untouched
    destination: str  # E.164 digits
    part: Part  # encoded once per text, shared by all recipients
    concat_ref: int = 0  # reference number shared by the parts of one long message
    validity: str = ""  # SMPP relative or absolute time, empty: the carrier's default
    tlvs: bytes = b""  # its own, beside those of the channel, as they stand on the wire
    order: int = 0  # the channel's: its place among all segments ever given to it
    given_at: float = 0.0  # the channel's: when it was given to it


class Disposition(Enum):
    """What a `command_status` means for the message and the channel."""

    OK = "ok"
    THROTTLE = "throttle"  # slow the channel down, send again, no attempt used
    TEMPORARY = "temporary"  # retry with back-off, then the next channel
    ROUTE = "route"  # not on this channel; the next one may
    PERMANENT = "permanent"  # fail
    BIND = "bind"  # the session is not usable for this: rebind; the message goes again


class Fate(IntEnum):
    """How a segment that was given to a channel ended."""

    ACCEPTED = 0  # answered ESME_ROK
    REFUSED = 1  # answered with another status
    IN_DOUBT = 2  # sent, no answer before timeout or end of session
    NOT_SENT = 3  # never left: safe to send elsewhere


@dataclass(slots=True)
class Answer:
    """The fate of one segment, reported exactly once (twice only if IN_DOUBT is answered late)."""

    ref: object
    fate: Fate
    status: int = 0  # command_status as received
    disposition: Disposition = Disposition.OK
    message_id: str = ""  # the carrier's id as received, ACCEPTED only; may be empty
    latency: float = 0.0  # seconds from submit to answer
    late: bool = False  # the second report: IN_DOUBT was the first


class ReceiptState(Enum):
    """SMPP 3.4 §5.2.28 message_state, as words."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    DELETED = "deleted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ENROUTE = "enroute"  # intermediate
    ACCEPTED = "accepted"  # intermediate
    SCHEDULED = "scheduled"  # intermediate

    @property
    def final(self) -> bool:
        """Whether nothing more is to come after it."""
        return self not in (ReceiptState.ENROUTE, ReceiptState.ACCEPTED, ReceiptState.SCHEDULED)


@dataclass(slots=True)
class Receipt:
    """A delivery receipt read from a `deliver_sm` or `data_sm`."""

    message_id: str  # as received, trimmed
    state: ReceiptState
    stat: str  # the word or number as received, for `ReceiptCode`
    error: str  # `err:` or network_error_code, as received; "" when absent
    source: str  # the handset, digits as received (the message's destination)
    done_at: float | None = None  # unix seconds, when the carrier said and it could be read
    disagrees: bool = False  # TLV and text told different stories (TLV won)
    unseen: bool = False  # no table knows the word: the state is UNKNOWN, the channel may need an alias


@dataclass(slots=True)
class Inbound:
    """A `deliver_sm` that is not a receipt: a handset's message, whole or a part, bytes untouched."""

    source: str
    destination: str
    data_coding: int
    esm_class: int
    payload: bytes  # short_message or message_payload, user data header included
    tlvs: tuple[tuple[int, bytes], ...] = ()
    source_ton: int = 0  # type of number, as received


@dataclass(slots=True)
class Arrivals:
    """What one read from one link brought; `reply` must be called exactly once, when it is stored.

    It returns False if the link is gone: nobody was answered, and the carrier will send all of it again.
    """

    receipts: list[Receipt]
    inbound: list[Inbound]
    reply: Callable[[bool], object]  # True: deliver_sm_resp ESME_ROK for all; False: ESME_RX_T_APPN


AnswerSink = Callable[[str, Sequence[Answer]], None]  # channel id, answers
ArrivalSink = Callable[[str, Arrivals], None]  # channel id, arrivals
StateSink = Callable[[str], None]  # channel id: room, links or health changed
