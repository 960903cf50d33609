"""Characters and octets: GSM 03.38 with its extension table, and what every `data_coding` means.

In `submit_sm` and `deliver_sm` septets travel one to an octet and the carrier packs them for the radio;
a few carriers want them packed already (`PACKED`).
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass

GSM_DEFAULT = 0x00  # the carrier's default alphabet, whatever it is there
OCTETS = 0x04
UCS2 = 0x08

PACKED = "gsm-packed"  # a channel's default alphabet: GSM 03.38, eight septets in seven octets

ESCAPE = 0x1B
_CR = 0x0D
# 3GPP TS 23.038 §6.2.1. Slot 0x1B is the escape itself; it is not a character and stands here as U+FFFE,
# which `charmap_decode` takes for "undefined".
_BASE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\ufffeÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# §6.2.1.1
EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip


def default_table(changes: Mapping[int, str] | None = None) -> str:
    """Return the default alphabet, one character a septet, with some of them changed."""
    changes = changes or {}
    return "".join(changes.get(septet, char) for septet, char in enumerate(_BASE))


_DECODE = _BASE + "\ufffe" * 128  # an octet with bit 7 set is no septet
_NOT_GSM = re.compile("[^" + re.escape(_BASE.replace("\ufffe", "") + "".join(EXTENSION.values())) + "]")


def _translation() -> dict[int, str]:
    """Return a table for `str.translate`. ASCII outside GSM 03.38 becomes U+0080: the result is not ASCII."""
    table = dict.fromkeys(range(128), "\x80")
    table |= {ord(char): chr(septet) for septet, char in enumerate(_BASE) if septet != ESCAPE}
    table |= {ord(char): chr(ESCAPE) + chr(code) for code, char in EXTENSION.items()}
    return table


_SEPTETS = _translation()


def encode_gsm(text: str) -> bytes | None:
    """Return the septets of `text`, one to an octet, or None if a character is outside the alphabet."""
    if not text.isascii() and _NOT_GSM.search(text):
        return None
    septets = text.translate(_SEPTETS)
    return septets.encode("ascii") if septets.isascii() else None


def decode_gsm(septets: bytes) -> str:
    """Return the text of unpacked septets; octets above 0x7F become U+FFFD.

    As §6.2.1.1 wants it: an unknown escaped code shows as its character in the default table, an
    escape without a follower as a space.
    """
    first, *escaped = septets.split(b"\x1b")
    text = codecs.charmap_decode(first, "replace", _DECODE)[0]
    for run in escaped:
        if not run:
            text += " "
            continue
        rest = run if run[0] not in EXTENSION else run[1:]
        text += EXTENSION.get(run[0], "") + codecs.charmap_decode(rest, "replace", _DECODE)[0]
    return text


def pack_septets(septets: bytes, fill: int = 0) -> bytes:
    """Return septets as the radio carries them (§6.1.2.1), `fill` bits left free before the first.

    Where a whole septet's room is left at the end it holds a carriage return, lest it read as `@`.
    """
    value = 0
    for position, septet in enumerate(septets):
        value |= septet << fill + 7 * position
    used = fill + 7 * len(septets)
    size = (used + 7) // 8
    if size * 8 - used == 7:
        value |= _CR << used
    return value.to_bytes(size, "little")


def unpack_septets(octets: bytes, fill: int = 0) -> bytes:
    """Return the septets packed in `octets` behind `fill` bits.

    How many they were meant to be is not said in SMPP: a carriage return or `@` that ends on the last bit is
    taken for filling.
    """
    count = max(0, (len(octets) * 8 - fill) // 7)
    value = int.from_bytes(octets, "little") >> fill
    septets = bytes(value >> 7 * position & 0x7F for position in range(count))
    full = (len(octets) * 8 - fill) % 7 == 0
    return septets[:-1] if full and septets[-1:] in (b"\r", b"\0") else septets


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a payload says, as far as it can be read."""

    text: str | None  # None: the payload is data, not text
    exact: bool  # False: something did not fit its encoding, U+FFFD stands there


# SMPP 3.4 §5.2.19. Python's codec of each character set; None is data
_CODECS: dict[int, str | None] = {
    0x01: "ascii", 0x02: None, 0x03: "latin-1", 0x04: None, 0x05: "shift_jis", 0x06: "iso8859-5",
    0x07: "iso8859-8", 0x08: "utf-16-be", 0x09: None, 0x0A: "iso2022_jp", 0x0D: "euc_jp", 0x0E: "euc_kr",
}  # fmt: skip
_DEFAULT_CODECS = {"ascii": "ascii", "latin1": "latin-1"}


def wire_codec(alphabet: str) -> str | None:
    """Return Python's codec for a channel's default alphabet, None for GSM 03.38; raises `ValueError`."""
    if alphabet in ("gsm", PACKED):
        return None
    try:
        return _DEFAULT_CODECS[alphabet]
    except KeyError:
        raise ValueError(f"unknown default alphabet {alphabet!r}: gsm, gsm-packed, ascii or latin1") from None


def decode_payload(
    data_coding: int, payload: bytes, alphabet: str = "gsm", *, little_endian: bool = False
) -> Decoded:
    """Return the text of a payload without its user data header; never raises on what a peer sent.

    `alphabet` is what data_coding 0 means on the channel; `little_endian` is for a carrier that sends
    UTF-16 the wrong way round. A byte order mark overrules it and is dropped.
    """
    kind = coding_group(data_coding)
    if kind == GSM_DEFAULT:
        codec = wire_codec(alphabet)
        if codec is None:
            text = decode_gsm(unpack_septets(payload) if alphabet == PACKED else payload)
            return Decoded(text, "\ufffd" not in text)
        return _decode(payload, codec)
    if kind == UCS2:
        return _decode_utf16(payload, little_endian)
    named = _CODECS.get(kind)
    return Decoded(None, True) if named is None else _decode(payload, named)


def coding_group(data_coding: int) -> int:
    """Reduce GSM data coding groups (3GPP TS 23.038 §4) to GSM_DEFAULT, OCTETS or UCS2; keep SMPP's own."""
    if data_coding < 0x10:
        return data_coding
    if data_coding >= 0xF0:  # message class
        return OCTETS if data_coding & 0x04 else GSM_DEFAULT
    if data_coding >= 0xC0:  # message waiting indication
        return UCS2 if data_coding >= 0xE0 else GSM_DEFAULT
    if data_coding >= 0x80:  # reserved
        return OCTETS
    return (GSM_DEFAULT, OCTETS, UCS2, OCTETS)[data_coding >> 2 & 0x03]  # general, with or without class


def _decode_utf16(payload: bytes, little_endian: bool) -> Decoded:
    codec = "utf-16-le" if little_endian else "utf-16-be"
    if payload.startswith(codecs.BOM_UTF16_BE):
        codec, payload = "utf-16-be", payload[2:]
    elif payload.startswith(codecs.BOM_UTF16_LE):
        codec, payload = "utf-16-le", payload[2:]
    return _decode(payload, codec)


def _decode(payload: bytes, codec: str) -> Decoded:
    try:
        return Decoded(payload.decode(codec), True)
    except UnicodeDecodeError:
        return Decoded(payload.decode(codec, "replace"), False)
