"""What inbound user data carries besides text: its header, and where it stands in a longer message."""

from typing import NamedTuple

from carriers.smpp.vocabulary import Tag, has_user_data_header

# 3GPP TS 23.040 §9.2.3.24
_CONCAT_8 = 0x00
_CONCAT_16 = 0x08


class Place(NamedTuple):
    """One part's place in a concatenated message."""

    reference: int
    total: int
    number: int


def split_user_data(esm_class: int, payload: bytes) -> tuple[bytes, bytes]:
    """Return the header's information elements and the body; a header longer than the data takes all."""
    if not payload or not has_user_data_header(esm_class):
        return b"", payload
    end = 1 + payload[0]
    return payload[1:end], payload[end:]


def place_of(esm_class: int, payload: bytes, tlvs: tuple[tuple[int, bytes], ...]) -> Place | None:
    """Return a part's place, or None if the message is whole.

    A header wins over SAR TLVs, as it is what the handset wrote. Impossible values count as none.
    """
    return _from_header(split_user_data(esm_class, payload)[0]) or _from_tlvs(tlvs)


def _from_header(elements: bytes) -> Place | None:
    at = 0
    while at + 2 <= len(elements):
        kind, size = elements[at], elements[at + 1]
        value = elements[at + 2 : at + 2 + size]
        if (kind, len(value)) in ((_CONCAT_8, 3), (_CONCAT_16, 4)):
            return _checked(int.from_bytes(value[:-2], "big"), value[-2], value[-1])
        at += 2 + size
    return None


def _from_tlvs(tlvs: tuple[tuple[int, bytes], ...]) -> Place | None:
    found = {tag: int.from_bytes(value, "big") for tag, value in tlvs}
    reference = found.get(Tag.SAR_MSG_REF_NUM)
    total = found.get(Tag.SAR_TOTAL_SEGMENTS)
    number = found.get(Tag.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or number is None:
        return None
    return _checked(reference, total, number)


def _checked(reference: int, total: int, number: int) -> Place | None:
    return Place(reference, total, number) if 1 <= number <= total else None
