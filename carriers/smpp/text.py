"""A text as the segments that carry it: encoded and cut once, for price, rate, window and wire."""

import secrets
from collections import OrderedDict
from typing import NamedTuple

from carriers.smpp.alphabet import (
    ESCAPE,
    GSM_DEFAULT,
    PACKED,
    UCS2,
    encode_gsm,
    pack_septets,
    wire_codec,
)
from config.schema import Concatenation

MAX_PARTS = 255  # the header, and sar_total_segments, count them in one octet

_USER_DATA = 140  # octets of one TP-User-Data, 160 septets
# Octets the concatenation header takes. With SAR and message_payload the carrier writes it, with the
# 8-bit reference that every handset knows.
_HEADER = {
    Concatenation.UDH8: 6,
    Concatenation.UDH16: 7,
    Concatenation.SAR: 6,
    Concatenation.PAYLOAD: 6,
}


class Unencodable(ValueError):
    """The text cannot be sent as it is: half a surrogate pair, or too long."""


class Part(NamedTuple):
    """What one `submit_sm` carries. Shared by all recipients of a text, so it holds no reference number."""

    data_coding: int
    payload: bytes  # without user data header: the encoder writes it as `concat` says
    number: int = 1  # 1…total
    total: int = 1
    concat: Concatenation | None = None  # None: whole in short_message, nothing to join
    weight: int = 1  # segments it counts for in price and rate; above 1 for PAYLOAD only


def encode_text(
    text: str, concatenation: Concatenation = Concatenation.UDH8, alphabet: str = "gsm"
) -> tuple[Part, ...]:
    """Return the parts of `text`, in order; joined again they are the text, and their weights its segments.

    `alphabet` is what data_coding 0 means on the channel. What does not fit into both it and GSM 03.38
    goes as UTF-16; no character is ever replaced. Raises `Unencodable`.
    """
    data_coding, octets, capacity = _octets(text, alphabet)
    cuts = _cuts(octets, data_coding, capacity, _HEADER[concatenation])
    codec = wire_codec(alphabet) if data_coding == GSM_DEFAULT else None
    if codec is None:
        parts = _parts(octets, cuts, data_coding, concatenation)
        return _packed(parts) if alphabet == PACKED and data_coding == GSM_DEFAULT else parts
    return _transcoded(text, octets, cuts, codec, concatenation)


def _octets(text: str, alphabet: str) -> tuple[int, bytes, int]:
    """Return data_coding, the text as septets or UTF-16 octets, and how many of them one segment holds."""
    codec = wire_codec(alphabet)
    septets = encode_gsm(text)
    if septets is not None and (codec is None or _fits(text, codec)):
        return GSM_DEFAULT, septets, _USER_DATA * 8 // 7
    try:
        return UCS2, text.encode("utf-16-be"), _USER_DATA
    except UnicodeEncodeError as error:
        raise Unencodable(f"half a surrogate pair at character {error.start}") from error


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _cuts(octets: bytes, data_coding: int, capacity: int, header: int) -> list[int]:
    """Return where each part ends; one cut at the end if all fits into one segment."""
    size = len(octets)
    if size <= capacity:
        return [size]
    step = (_USER_DATA - header) * 8 // 7 if data_coding == GSM_DEFAULT else _USER_DATA - header
    if data_coding == UCS2:
        step &= ~1
    cuts: list[int] = []
    end = 0
    while size - end > step:
        end = _whole(octets, end + step, data_coding)
        cuts.append(end)
    cuts.append(size)
    if len(cuts) > MAX_PARTS:
        raise Unencodable(f"{len(cuts)} segments; a message has at most {MAX_PARTS}")
    return cuts


def _whole(octets: bytes, end: int, data_coding: int) -> int:
    """Return `end`, or a little less if it would cut a character in half."""
    # no escaped code is itself 0x1B, so an escape at the end always begins a pair
    if data_coding == GSM_DEFAULT and octets[end - 1] == ESCAPE:
        return end - 1
    if data_coding == UCS2 and octets[end - 2] & 0xFC == 0xD8:  # high surrogate
        return end - 2
    return end


def _parts(
    octets: bytes, cuts: list[int], data_coding: int, concatenation: Concatenation
) -> tuple[Part, ...]:
    total = len(cuts)
    if total == 1:
        return (Part(data_coding, octets),)
    if concatenation is Concatenation.PAYLOAD:
        return (Part(data_coding, octets, 1, 1, concatenation, total),)  # 255 parts fit into the TLV
    starts = [0, *cuts]
    return tuple(
        Part(data_coding, octets[starts[at] : cuts[at]], at + 1, total, concatenation) for at in range(total)
    )


def _transcoded(
    text: str, septets: bytes, cuts: list[int], codec: str, concatenation: Concatenation
) -> tuple[Part, ...]:
    """Cut where the septets are cut, since they are what the radio carries, but write `codec`'s octets."""
    octets = text.encode(codec)  # one octet a character; an escaped character is two septets
    cuts = [end - septets.count(ESCAPE, 0, end) for end in cuts]
    return _parts(octets, cuts, GSM_DEFAULT, concatenation)


def fill_bits(header: int) -> int:
    """Return how many bits lie free between a header of so many octets and the first packed septet."""
    return -header * 8 % 7


def _packed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Pack septets, from the first septet boundary behind the header that is in the same octets."""
    packed = []
    for part in parts:
        ours = part.concat in (Concatenation.UDH8, Concatenation.UDH16)
        fill = fill_bits(_HEADER[part.concat]) if ours and part.concat else 0
        packed.append(part._replace(payload=pack_septets(part.payload, fill)))
    return tuple(packed)


class References:
    """Gives out the reference numbers that tell one long message to a handset from the next.

    Two messages to one destination share a number only if 256 (16-bit: 65,536) others lie between
    them, as long as the destination is among the last `remembered` ones.
    """

    def __init__(self, remembered: int = 65_536, start: int | None = None) -> None:
        """`start` defaults to chance, so that a restart does not repeat the numbers just used."""
        self._next = secrets.randbits(16) if start is None else start
        self._last: OrderedDict[str, int] = OrderedDict()
        self._remembered = remembered

    def __len__(self) -> int:
        return len(self._last)

    def take(self, destination: str, concatenation: Concatenation = Concatenation.UDH8) -> int:
        """Return the number for the next long message to `destination`."""
        last = self._last.pop(destination, None)
        if last is None:
            self._next = last = self._next + 1
            if len(self._last) >= self._remembered:
                self._last.popitem(last=False)
        self._last[destination] = reference = last + 1 & 0xFFFF
        return reference & 0xFF if concatenation is Concatenation.UDH8 else reference
