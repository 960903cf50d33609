"""Sessions, peers and PDUs for tests: a bound session in one call, any PDU from its own layout."""

from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from carriers.results import Segment
from carriers.smpp.codec import Decoder, encode
from carriers.smpp.events import Closed, CloseReason, Event, Fault, FaultKind
from carriers.smpp.layout import LAYOUTS
from carriers.smpp.pdu import BadPdu, Bind, BindResp, BindTransceiver, DeliverSm, Pdu, Response, SubmitSm
from carriers.smpp.session import Session
from carriers.smpp.submit import SubmitEncoder
from carriers.smpp.text import Part
from carriers.smpp.wire import (
    MAX_SHORT_MESSAGE,
    CString,
    Destinations,
    DistributionList,
    FailedAddress,
    Octet,
    ShortMessage,
    SmeAddress,
)
from config.schema import TimerConfig

TIMERS = TimerConfig(bind=10.0, response=10.0, enquire_link=30.0, read=20.0, unbind=5.0)
RECEIPT = DeliverSm(esm_class=4, source_addr="60123456789", short_message=b"id:1 stat:DELIVRD", sequence=7)
ALL_PDUS: list[type[Pdu]] = list(LAYOUTS)


@lru_cache
def latin(limit: int) -> st.SearchStrategy[str]:
    """Texts of at most `limit` octets that a C-octet string can hold."""
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=limit)


def tlv_lists(limit: int = 4) -> st.SearchStrategy[tuple[tuple[int, bytes], ...]]:
    """TLVs of any tag, repeated ones and empty ones among them."""
    tags = st.one_of(st.sampled_from([0x001E, 0x0427, 0x130C, 0x1400]), st.integers(0, 0xFFFF))
    return st.lists(st.tuples(tags, st.binary(max_size=40)), max_size=limit).map(tuple)


def _values(kind: object) -> st.SearchStrategy[Any]:
    octet = st.integers(0, 255)
    if isinstance(kind, CString):
        return latin(kind.size - 1)
    if isinstance(kind, Octet):
        return st.integers(0, kind.maximum)
    if isinstance(kind, ShortMessage):
        return st.binary(max_size=MAX_SHORT_MESSAGE)
    if isinstance(kind, Destinations):
        one = st.one_of(
            st.builds(SmeAddress, octet, octet, latin(20)), st.builds(DistributionList, latin(20))
        )
        return st.lists(one, min_size=1, max_size=6).map(tuple)
    failed = st.builds(FailedAddress, octet, octet, latin(20), st.integers(0, 0xFFFF_FFFF))
    return st.lists(failed, max_size=6).map(tuple)


@lru_cache
def pdus(kind: type[Pdu]) -> st.SearchStrategy[Any]:
    """Any valid PDU of one class."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        name: _values(field) for name, field in LAYOUTS[kind].kinds.items()
    }
    fields["sequence"] = st.integers(0, 0xFFFF_FFFF)
    fields["tlvs"] = tlv_lists()
    if issubclass(kind, Response):
        fields["status"] = st.just(0) if kind.bare_on_error else st.integers(0, 0xFFFF_FFFF)
    return st.builds(kind, **fields).filter(lambda pdu: not _two_texts(pdu))


def _two_texts(pdu: Any) -> bool:
    return bool(getattr(pdu, "short_message", b"")) and any(tag == 0x0424 for tag, _ in pdu.tlvs)


def any_pdu() -> st.SearchStrategy[Any]:
    """Any valid PDU."""
    return st.sampled_from(ALL_PDUS).flatmap(pdus)


def decode_all(data: bytes, decoder: Decoder | None = None) -> list[Pdu | BadPdu]:
    """Read all whole PDUs in `data`."""
    decoder = decoder or Decoder()
    decoder.receive(data)
    found = []
    while (pdu := decoder.next_pdu()) is not None:
        found.append(pdu)
    return found


def decode_one(data: bytes) -> Any:
    """Read the one PDU in `data`."""
    (pdu,) = decode_all(data)
    return pdu


def sent(session: Session) -> list[Any]:
    """What the session has put on the wire since the last look."""
    return decode_all(session.take_output())


def segment(ref: object = "ref", text: bytes = b"hello", **changes: Any) -> Segment:
    """One segment for a handset."""
    return Segment(ref=ref, destination="60123456789", part=Part(0, text), **changes)


def new_session(bind: Bind | None = None, *, window: int = 10, now: float = 0.0, **changes: Any) -> Session:
    """A session that has just sent its bind."""
    template = changes.pop("template", None) or SubmitSm(source_addr="ACME", source_addr_ton=5)
    timers = changes.pop("timers", TIMERS)
    bind = bind or BindTransceiver(system_id="us", password="secret")
    return Session(bind, SubmitEncoder(template), timers, now, window=window, **changes)


def accept_bind(session: Session, *, now: float = 0.0, tlvs: Any = ()) -> list[Event]:
    """Let the peer accept the bind that waits in the output."""
    (bind,) = sent(session)
    answer = LAYOUTS[type(bind)].pdu_class.response_id
    kind = next(each for each in ALL_PDUS if each.command_id == answer)
    assert issubclass(kind, BindResp)
    return session.receive(encode(kind("smsc", sequence=bind.sequence, tlvs=tlvs)), now)


def bound_session(bind: Bind | None = None, **changes: Any) -> Session:
    """A session that is bound, with nothing in its output."""
    now = changes.get("now", 0.0)
    session = new_session(bind, **changes)
    accept_bind(session, now=now)
    return session


def submitted(session: Session, *refs: object, now: float = 0.0) -> list[int]:
    """Submit one segment for each of `refs`; return their sequence numbers."""
    assert session.submit([segment(ref) for ref in refs], now) == []
    return [pdu.sequence for pdu in sent(session)]


def faults(events: list[Any]) -> list[FaultKind]:
    return [event.kind for event in events if isinstance(event, Fault)]


def reason(events: list[Any]) -> CloseReason:
    (closed,) = [event for event in events if isinstance(event, Closed)]
    return closed.reason
