"""Messages from simulated handsets: what they say, how it is written and cut, when it comes. Pure.

One message is one line, `key=value` pairs separated by `;`, for instance
`from=60123456789; to=10690001; text=STOP` or `from=60123456789; to=10690001; text=…; concat=sar; parts=2,1`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from carriers.smpp.alphabet import GSM_DEFAULT, OCTETS, PACKED, UCS2, encode_gsm, pack_septets
from carriers.smpp.pdu import DeliverSm
from carriers.smpp.text import fill_bits
from carriers.smpp.vocabulary import EsmClass, Tag
from config.schema import Concatenation

_ONE_PART = 140  # octets; 160 septets
_LATIN1 = 3  # data_coding


class Writing(StrEnum):
    """How a handset's text is written."""

    AUTO = "auto"  # gsm if it fits, else ucs2
    GSM = "gsm"  # septets, one to an octet
    GSM_PACKED = "gsm-packed"  # eight septets in seven octets
    LATIN1 = "latin1"  # data_coding 3
    UCS2 = "ucs2"  # UTF-16, big end first
    UCS2_LE = "ucs2-le"  # the other way round, under the same data_coding
    BINARY = "binary"  # `text` is hexadecimal; data_coding 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MoScript:
    """One message of a handset; the comments are its help."""

    source: str = ""  # the handset (from=)
    destination: str = "10690001"  # the number it writes to (to=)
    text: str = ""  # what it says; hexadecimal for writing=binary
    writing: Writing = Writing.AUTO  # auto, gsm, gsm-packed, latin1, ucs2, ucs2-le, binary
    concat: Concatenation = Concatenation.UDH8  # how a long one is joined: udh8, udh16, sar, payload
    size: int = 0  # octets of text in a part; 0: as many as fit
    reference: int = 1  # what joins its parts (ref=)
    parts: tuple[int, ...] = ()  # the parts that come, in this order, e.g. 2,1,1; empty: all, in order
    after: float = 0.0  # seconds until the first part, from when the message is read
    gap: float = 0.0  # seconds between two parts
    esm_class: int = 0  # more bits for esm_class (esm=)
    data_coding: int | None = None  # instead of the one that fits the writing (dcs=)
    system_id: str = ""  # which customer gets it; empty: whoever is bound
    reply: bool = False  # yes: sent by every handset that gets a message and begins with from=, to its sender

    def replying_to(self, handset: str, sender: str) -> "MoScript":
        """Return this reply as `handset` sends it."""
        return replace(self, source=handset, destination=sender or self.destination, reply=False)


@dataclass(slots=True)
class MoPart:
    """A part of a handset's message that the customer has not acknowledged yet."""

    system_id: str
    pdu: DeliverSm
    attempts: int = 0  # deliver_sm sent so far


_NAMES = {"from": "source", "to": "destination", "ref": "reference", "esm": "esm_class", "dcs": "data_coding"}
KEYS = (
    "reply",
    "from",
    "to",
    "text",
    "writing",
    "concat",
    "size",
    "ref",
    "parts",
    "after",
    "gap",
    "esm",
    "dcs",
    "system_id",
)


def parse_mos(text: str) -> tuple[MoScript, ...]:
    """Read one message a line; blank lines and those that begin with # say nothing. Raises ValueError."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(parse_mo(line) for line in lines if line and not line.startswith("#"))


def parse_mo(line: str) -> MoScript:
    """Read one message; raises ValueError that says what is wrong. `text=` takes the rest of the line."""
    values: dict[str, Any] = {}
    head, found, text = line.partition("text=")
    if found:
        values["text"] = text.strip().replace("\\n", "\n")
    for item in filter(None, (piece.strip() for piece in head.split(";"))):
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if key not in KEYS or not equals:
            raise ValueError(f"mo {line!r}: {item!r} is no key=value of {', '.join(KEYS)}")
        name = _NAMES.get(key, key)
        try:
            values[name] = _CONVERT.get(name, str)(value)
        except ValueError:
            raise ValueError(f"mo {line!r}: {key} cannot be {value!r}") from None
    script = MoScript(**values)
    if not script.source and not script.reply:
        raise ValueError(f"mo {line!r}: from= is needed")
    mo_parts(script)  # impossible ones are told of at once
    return script


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(text)
    return text == "yes"


def _number(text: str) -> int:
    return int(text, 0)


_CONVERT: Mapping[str, Any] = {
    "writing": Writing, "concat": Concatenation, "size": int, "reference": _number, "parts": _numbers,
    "after": float, "gap": float, "esm_class": _number, "data_coding": _number,
    "reply": _yes,
}  # fmt: skip


def mo_parts(script: MoScript) -> list[DeliverSm]:
    """Return the `deliver_sm` of a message in the order they come; raises ValueError if it cannot be made."""
    data_coding, octets, packed = _octets(script)
    cuts = _cut(octets, script, septets=data_coding == GSM_DEFAULT)
    if len(cuts) > 255:
        raise ValueError(f"mo: {len(cuts)} parts; a message has at most 255")
    wanted = script.parts or tuple(range(1, len(cuts) + 1))
    for number in wanted:
        if not 1 <= number <= len(cuts):
            raise ValueError(f"mo: there is no part {number}, the message has {len(cuts)}")
    if script.data_coding is not None:
        data_coding = script.data_coding
    return [
        _deliver(script, data_coding, cuts[number - 1], (number, len(cuts)), packed=packed)
        for number in wanted
    ]


def _octets(script: MoScript) -> tuple[int, bytes, bool]:
    """Return data_coding, the octets (septets one to an octet), and whether they are to be packed."""
    writing, text = script.writing, script.text
    septets = encode_gsm(text)
    if writing is Writing.AUTO:
        writing = Writing.GSM if septets is not None else Writing.UCS2
    if writing in (Writing.GSM, Writing.GSM_PACKED):
        if septets is None:
            raise ValueError("mo: a character of the text is not in GSM 03.38")
        return GSM_DEFAULT, septets, writing == PACKED
    if writing is Writing.BINARY:
        return OCTETS, bytes.fromhex(text), False
    if writing is Writing.LATIN1:
        return _LATIN1, text.encode("latin-1"), False
    return UCS2, text.encode("utf-16-le" if writing is Writing.UCS2_LE else "utf-16-be"), False


def _cut(octets: bytes, script: MoScript, *, septets: bool) -> list[bytes]:
    """Cut by length alone, as bad handsets do: a character may be cut in half."""
    whole = 160 if septets else _ONE_PART
    if script.concat is Concatenation.PAYLOAD or (not script.size and len(octets) <= whole):
        return [octets]
    header = 7 if script.concat is Concatenation.UDH16 else 6
    size = script.size or ((_ONE_PART - header) * 8 // 7 if septets else _ONE_PART - header)
    return [octets[start : start + size] for start in range(0, len(octets), size)] or [b""]


def _deliver(
    script: MoScript, data_coding: int, octets: bytes, place: tuple[int, int], *, packed: bool
) -> DeliverSm:
    number, total = place
    header = b""
    tlvs: tuple[tuple[int, bytes], ...] = ()
    if total > 1 and script.concat is Concatenation.SAR:
        tlvs = (
            (int(Tag.SAR_MSG_REF_NUM), (script.reference & 0xFFFF).to_bytes(2)),
            (int(Tag.SAR_TOTAL_SEGMENTS), bytes((total,))),
            (int(Tag.SAR_SEGMENT_SEQNUM), bytes((number,))),
        )
    elif total > 1 and script.concat is Concatenation.UDH16:
        header = bytes((6, 8, 4)) + (script.reference & 0xFFFF).to_bytes(2) + bytes((total, number))
    elif total > 1:
        header = bytes((5, 0, 3, script.reference & 0xFF, total, number))
    payload = header + (pack_septets(octets, fill_bits(len(header))) if packed else octets)
    if script.concat is Concatenation.PAYLOAD or len(payload) > 254:
        tlvs = (*tlvs, (int(Tag.MESSAGE_PAYLOAD), payload))
        payload = b""
    return DeliverSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=script.source,
        dest_addr_npi=1,
        destination_addr=script.destination,
        esm_class=script.esm_class | (int(EsmClass.UDHI) if header else 0),
        data_coding=data_coding,
        short_message=payload,
        tlvs=tlvs,
    )
