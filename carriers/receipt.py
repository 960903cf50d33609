"""Delivery receipts: what a `deliver_sm` says, and what the receipts of all parts come to."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from carriers.address import read_handset
from carriers.message_id import may_name_same
from carriers.results import Inbound, Receipt, ReceiptState
from carriers.smpp.header import split_user_data
from carriers.smpp.pdu import DataSm, DeliverSm
from carriers.smpp.tlv import user_data
from carriers.smpp.vocabulary import MessageType, Tag, Ton, message_type
from config.schema import ChannelConfig

_ID_TAG = int(Tag.RECEIPTED_MESSAGE_ID)
_STATE_TAG = int(Tag.MESSAGE_STATE)
_ERROR_TAG = int(Tag.NETWORK_ERROR_CODE)

# SMPP 3.4 appendix B and §5.2.28; SKIPPED and SCHEDULED are 5.0's
_BY_WORD = {
    "DELIVRD": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.EXPIRED,
    "DELETED": ReceiptState.DELETED,
    "UNDELIV": ReceiptState.UNDELIVERED,
    "ACCEPTD": ReceiptState.ACCEPTED,
    "UNKNOWN": ReceiptState.UNKNOWN,
    "REJECTD": ReceiptState.REJECTED,
    "ENROUTE": ReceiptState.ENROUTE,
    "SCHEDULED": ReceiptState.SCHEDULED,
    "SKIPPED": ReceiptState.UNDELIVERED,
}
_NUMBERED = (
    "SCHEDULED", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED",
    "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "SKIPPED",
)  # fmt: skip

# Appendix B as most carriers write it, in one match; anything else is read key by key.
_USUAL = re.compile(
    r"id:(\S+) (?:sub:\d* dlvrd:\d* )?submit date:\d* done date:(\d*)"
    r" stat:([A-Za-z]+) err:(\w*)(?: [Tt]ext:|$)"
)
_KEY = r"\b(?:id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)\s*:"
_FIELD = re.compile(rf"({_KEY})\s*((?!{_KEY})\S*)", re.IGNORECASE)

_LONGEST_ID = 255  # four times what an answer can carry (§5.2.23): longer ones match nothing anyway

_NO_RECEIPT = (int(MessageType.USER_ACK), int(MessageType.CONVERSATION_ABORT))
_INTERMEDIATE = int(MessageType.INTERMEDIATE)
_RECEIPT_BITS = int(MessageType.RECEIPT | MessageType.DELIVERY_ACK | MessageType.INTERMEDIATE)


class _Told(NamedTuple):
    """What a receipt's text says; empty where it says nothing."""

    message_id: str = ""
    stat: str = ""
    error: str = ""
    done: str = ""


def read_arrival(pdu: DeliverSm | DataSm, config: ChannelConfig) -> Receipt | Inbound:
    """Return what `pdu` brings. Its esm_class decides, then TLVs, then text; nothing in it raises.

    A message whose text merely looks like a receipt is a handset's, unless the channel is known to send
    receipts without saying so. A receipt that names no message has an empty `message_id`.
    """
    payload = user_data(pdu)
    kind = message_type(pdu.esm_class)
    if kind & _RECEIPT_BITS and kind not in _NO_RECEIPT:
        receipt = _receipt(pdu, payload, config)
        if kind & _INTERMEDIATE and receipt.state.final:
            receipt.state = ReceiptState.ENROUTE  # by its type more is to come, whatever word it uses
        return receipt
    if not kind and config.receipts_without_esm_class:
        receipt = _receipt(pdu, payload, config)
        if receipt.message_id and receipt.stat:
            return receipt
    return Inbound(
        pdu.source_addr, pdu.destination_addr, pdu.data_coding, pdu.esm_class, payload, pdu.tlvs,
        pdu.source_addr_ton,
    )  # fmt: skip


def _receipt(pdu: DeliverSm | DataSm, payload: bytes, config: ChannelConfig) -> Receipt:
    told = _read_text(_text(pdu, payload))
    message_id, number, error = _read_tlvs(pdu.tlvs)
    stat = told.stat
    state = _state(stat, config.receipt_aliases)
    disagrees = False
    if number is not None:
        disagrees = bool(stat) and state is not _BY_WORD[number]
        if disagrees or not stat:
            stat, state = number, _BY_WORD[number]
    if message_id and told.message_id and message_id != told.message_id:
        disagrees = disagrees or not may_name_same(message_id, told.message_id)
    return Receipt(
        (message_id or told.message_id)[:_LONGEST_ID],
        state or ReceiptState.UNKNOWN,
        stat,
        told.error or error,
        _source(pdu, config.country),
        _read_time(told.done),
        disagrees,
        state is None,
    )


def _source(pdu: DeliverSm | DataSm, country: str) -> str:
    """Return the handset's digits; nearly every receipt has them in full."""
    if not country or pdu.source_addr_ton == Ton.INTERNATIONAL:
        return pdu.source_addr.lstrip("+")
    return read_handset(pdu.source_addr, pdu.source_addr_ton, country).digits


def _text(pdu: DeliverSm | DataSm, payload: bytes) -> str:
    """Return a receipt's text: ASCII whatever data_coding says, at most spread over UTF-16."""
    body = split_user_data(pdu.esm_class, payload)[1] if pdu.esm_class & 0x40 else payload
    text = body.decode("utf-16-be", "replace") if b"\0" in body[:4] else body.decode("latin-1")
    return text.replace("\0", "")  # not every database takes it


def _read_text(text: str) -> _Told:
    usual = _USUAL.match(text)
    if usual is not None:
        message_id, done, stat, error = usual.groups()
        return _Told(message_id, stat.upper(), error, done)
    told: dict[str, str] = {}
    for field in _FIELD.finditer(text):
        key = field[1].rstrip(": ").lower()
        if key == "text":  # the rest is the message's own
            break
        told.setdefault(key.replace("_", " "), field[2].strip("\0,;"))
    done = told.get("done date") or told.get("donedate", "")
    return _Told(told.get("id", ""), told.get("stat", "").upper(), told.get("err", ""), done)


def _read_tlvs(tlvs: tuple[tuple[int, bytes], ...]) -> tuple[str, str | None, str]:
    """Return id, the state's word and the error; a TLV with an impossible length or value says nothing."""
    message_id, word, error = "", None, ""
    for tag, value in tlvs:
        if tag == _ID_TAG:
            message_id = value.split(b"\0", 1)[0].decode("latin-1").strip()
        elif tag == _STATE_TAG and len(value) == 1 and value[0] < len(_NUMBERED):
            word = _NUMBERED[value[0]]
        elif tag == _ERROR_TAG and len(value) == 3:  # network type, then the code
            error = str(int.from_bytes(value[1:], "big"))
    return message_id, word, error


def _state(word: str, aliases: Mapping[str, str]) -> ReceiptState | None:
    """Return what `word` (upper case) means on the channel, None if nobody knows."""
    for alias, state in aliases.items():
        if alias.upper() == word:
            return ReceiptState(state.lower())
    return _BY_WORD.get(word)


@lru_cache(maxsize=1024)  # receipts of one minute share it
def _read_time(digits: str) -> float | None:
    """Return unix seconds of YYMMDDhhmm[ss] or YYYYMMDDhhmm[ss], read as UTC; None if it is no time."""
    # twelve digits fit two forms; a year 2020 in the short one is past, so "20…" begins a long one
    if len(digits) == 10 or (len(digits) == 12 and not digits.startswith("20")):
        digits = "20" + digits
    if len(digits) not in (12, 14) or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        moment = datetime.fromisoformat(f"{digits[:8]}T{digits[8:]}")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp()


# Any outcome but delivered, gravest first: what is known for certain weighs more than what is not known.
_GRAVEST_FIRST = (
    ReceiptState.REJECTED,
    ReceiptState.UNDELIVERED,
    ReceiptState.EXPIRED,
    ReceiptState.DELETED,
    ReceiptState.UNKNOWN,
)


def aggregate(states: Iterable[ReceiptState]) -> ReceiptState:
    """Return what the receipts of all parts come to: ENROUTE until every one is final.

    Delivered only if all are delivered, since a handset shows nothing readable of a message with a part
    missing; otherwise the gravest one.
    """
    told = set(states)
    if not told or not all(state.final for state in told):
        return ReceiptState.ENROUTE
    return next((state for state in _GRAVEST_FIRST if state in told), ReceiptState.DELIVERED)
