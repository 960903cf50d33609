"""What a handset's message says: one part read as far as it can be, and the text of all parts together.

Characters may be cut in half between two parts (a surrogate pair, an escape and what it escapes), so
octets are joined first and decoded after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from carriers.smpp.alphabet import GSM_DEFAULT, PACKED, Decoded, coding_group, decode_payload, unpack_septets
from carriers.smpp.header import Place, place_of
from carriers.smpp.national import decode_national, shifts
from carriers.smpp.text import fill_bits
from carriers.smpp.vocabulary import has_user_data_header

GAP = "[…]"  # stands for a part that never came


class Writing(NamedTuple):
    """How a channel writes texts."""

    alphabet: str = "gsm"  # what data_coding 0 means there
    little_endian: bool = False  # its UTF-16 comes the wrong way round


@dataclass(frozen=True, slots=True)
class UserData:
    """One part."""

    place: Place | None  # None: it is whole
    data_coding: int
    body: bytes  # behind the header; septets one to an octet
    shifts: tuple[int, int] = (0, 0)  # national languages of its septets (carriers.smpp.national)
    bad_header: bool = False  # the header cannot be read: what it leaves is in `body`


def read_user_data(
    esm_class: int, data_coding: int, payload: bytes, tlvs: tuple[tuple[int, bytes], ...], alphabet: str
) -> UserData:
    """Return what one `deliver_sm` says; nothing in it raises, and no octet of text is lost."""
    place = place_of(esm_class, payload, tlvs)
    header = 0
    bad = False
    if payload and has_user_data_header(esm_class):
        if payload[0] >= len(payload):  # longer than the data: nobody knows where the text begins
            return UserData(place, data_coding, payload, bad_header=True)
        header = 1 + payload[0]
        bad = not _well_formed(payload[1:header])
    body = payload[header:]
    if alphabet == PACKED and coding_group(data_coding) == GSM_DEFAULT:
        body = unpack_septets(body, fill_bits(header))
    languages = shifts(payload[1:header])
    return UserData(place, data_coding, body, languages, bad)


def _well_formed(elements: bytes) -> bool:
    at = 0
    while at + 2 <= len(elements):
        at += 2 + elements[at + 1]
    return at == len(elements) and _places_possible(elements)


def _places_possible(elements: bytes) -> bool:
    """Whether what joins parts, if it is there, can be."""
    joins = {0x00: 3, 0x08: 4}  # 3GPP TS 23.040 §9.2.3.24.1 and §9.2.3.24.8: element and its length
    at = 0
    while at + 2 <= len(elements):
        kind, size = elements[at], elements[at + 1]
        if kind in joins:
            value = elements[at + 2 : at + 2 + size]
            if size != joins[kind] or not 1 <= value[-1] <= value[-2]:
                return False
        at += 2 + size
    return True


def decode(parts: Mapping[int, UserData], total: int, writing: Writing) -> Decoded:
    """Return the text of the parts that came, by number; `GAP` stands where some are missing.

    One part that is data makes all of it data: `text` is None then.
    """
    alphabet = "gsm" if writing.alphabet == PACKED else writing.alphabet  # unpacked already
    texts: list[str] = []
    exact = True
    kinds = {number: (part.data_coding, part.shifts) for number, part in parts.items()}
    for kind, run in groupby(range(1, total + 1), kinds.get):
        if kind is None:
            texts.append(GAP)
            continue
        octets = b"".join(parts[number].body for number in run)
        told = _decode(*kind, octets, Writing(alphabet, writing.little_endian))
        if told.text is None:
            return replace(told, exact=True)
        texts.append(told.text)
        exact = exact and told.exact
    return Decoded("".join(texts).replace("\0", ""), exact)


def _decode(coding: int, languages: tuple[int, int], octets: bytes, writing: Writing) -> Decoded:
    """Return the text of octets of one kind."""
    if any(languages) and coding_group(coding) == GSM_DEFAULT:
        text = decode_national(octets, *languages)
        return Decoded(text, "\ufffd" not in text)
    return decode_payload(coding, octets, writing.alphabet, little_endian=writing.little_endian)


def octets_of(parts: Mapping[int, UserData]) -> bytes:
    """Return the bodies that came, in order: what is told of data."""
    return b"".join(parts[number].body for number in sorted(parts))
