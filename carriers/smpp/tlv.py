"""Reading and making single TLVs. One of a wrong length reads as absent; the PDU is not lost for it."""

from enum import StrEnum

from carriers.errors import FieldError
from carriers.smpp.pdu import DataSm, DeliverSm, Pdu, SubmitMulti, SubmitSm
from carriers.smpp.vocabulary import Tag


class TlvKind(StrEnum):
    """§3.2.2: how a TLV's value is written."""

    OCTET = "octet"  # integers of one, two and four octets
    SHORT = "short"
    LONG = "long"
    CSTRING = "cstring"  # with its NUL
    OCTETS = "octets"  # as it is; from text: hexadecimal
    TEXT = "text"  # octets without NUL, given as text
    FLAG = "flag"  # no value: being there says it


_INTEGER_SIZE = {TlvKind.OCTET: 1, TlvKind.SHORT: 2, TlvKind.LONG: 4}


def tlv_bytes(pdu: Pdu, tag: int) -> bytes | None:
    """Return the value of the first TLV with `tag`, or None."""
    for found, value in pdu.tlvs:
        if found == tag:
            return value
    return None


def tlv_int(pdu: Pdu, tag: int, size: int = 1) -> int | None:
    """Return the integer in the first TLV with `tag`, None if it is absent or not `size` octets long."""
    value = tlv_bytes(pdu, tag)
    return int.from_bytes(value, "big") if value is not None and len(value) == size else None


def tlv_cstring(pdu: Pdu, tag: int) -> str | None:
    """Return the text of the first TLV with `tag` up to its NUL (a missing NUL is forgiven), or None."""
    value = tlv_bytes(pdu, tag)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")


def has_tlv(pdu: Pdu, tag: int) -> bool:
    """Return whether a TLV with `tag` is there, whatever its value."""
    return tlv_bytes(pdu, tag) is not None


def user_data(pdu: SubmitSm | SubmitMulti | DeliverSm | DataSm) -> bytes:
    """Return the octets of the text: short_message, or message_payload where short_message is empty.

    Using both is forbidden (§5.3.2.32); a peer that does so is read by its short_message.
    """
    if not isinstance(pdu, DataSm) and pdu.short_message:
        return pdu.short_message
    return tlv_bytes(pdu, Tag.MESSAGE_PAYLOAD) or b""


def make_tlv(tag: int, kind: TlvKind, value: int | str | bytes = b"") -> tuple[int, bytes]:
    """Return the TLV of a declared kind, vendor tags (0x1400-0x3FFF) included; raises `FieldError`."""
    name = f"tlv 0x{tag:04x}"
    if not 0 <= tag <= 0xFFFF:
        raise FieldError(name, "the tag does not fit 16 bits")
    try:
        data = _value(kind, value)
    except (ValueError, OverflowError) as error:
        raise FieldError(name, f"{value!r} is no {kind.value}") from error
    if len(data) > 0xFFFF:
        raise FieldError(name, f"{len(data)} octets; at most 65535 fit")
    return tag, data


def _value(kind: TlvKind, value: int | str | bytes) -> bytes:
    """Return the octets; raises ValueError or OverflowError."""
    if kind in _INTEGER_SIZE:
        return int(value).to_bytes(_INTEGER_SIZE[kind], "big")
    if kind is TlvKind.FLAG:
        if value:
            raise ValueError
        return b""
    if isinstance(value, int):
        raise ValueError  # bytes(7) would be seven NULs
    if kind is TlvKind.OCTETS and isinstance(value, str):
        return bytes.fromhex(value)
    data = value.encode("latin-1") if isinstance(value, str) else value
    if kind is not TlvKind.CSTRING:
        return data
    if b"\0" in data:
        raise ValueError
    return data + b"\0"
