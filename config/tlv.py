"""Values of TLVs as they are written in the network file, and as the wire has them."""

from config.schema import TlvKind

_INTEGER_SIZE = {TlvKind.OCTET: 1, TlvKind.SHORT: 2, TlvKind.LONG: 4}
_LONGEST = 0xFFFF  # SMPP 3.4 §3.2.4.1: the length has two octets


def tlv_octets(kind: TlvKind, text: str) -> bytes:
    """Return the value `text` of a TLV of that kind (SMPP 3.4 §3.2.2); raises ValueError if it is none."""
    try:
        data = _octets(kind, text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no {kind.value}") from error
    if len(data) > _LONGEST:
        raise ValueError(f"{len(data)} octets; at most {_LONGEST} fit")
    return data


def _octets(kind: TlvKind, text: str) -> bytes:
    if kind in _INTEGER_SIZE:
        return int(text, 0).to_bytes(_INTEGER_SIZE[kind], "big")
    if kind is TlvKind.FLAG:
        if text:
            raise ValueError
        return b""
    if kind is TlvKind.OCTETS:
        return bytes.fromhex(text)
    data = text.encode("latin-1")
    if kind is TlvKind.TEXT:
        return data
    if b"\0" in data:
        raise ValueError
    return data + b"\0"
