"""Where an inbound part stands in its message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.smpp.header import Place, place_of, split_user_data
from carriers.smpp.vocabulary import Tag

UDHI = 0x40
EIGHT = b"\x05\x00\x03\xaa\x03\x02"
SIXTEEN = b"\x06\x08\x04\xbe\xef\x03\x02"
SAR = (
    (int(Tag.SAR_MSG_REF_NUM), b"\x01\x02"),
    (int(Tag.SAR_TOTAL_SEGMENTS), b"\x04"),
    (int(Tag.SAR_SEGMENT_SEQNUM), b"\x01"),
)


def test_t83_a_header_wins_over_sar_tlvs() -> None:
    assert place_of(UDHI, EIGHT + b"text", SAR) == Place(0xAA, 3, 2)


def test_t83_sar_tlvs_count_where_there_is_no_header_or_it_joins_nothing() -> None:
    assert place_of(0, b"text", SAR) == Place(0x0102, 4, 1)
    port_addressing = b"\x06\x05\x04\x0b\x84\x23\xf0"
    assert place_of(UDHI, port_addressing + b"text", SAR) == Place(0x0102, 4, 1)


@pytest.mark.parametrize(("header", "reference"), [(EIGHT, 0xAA), (SIXTEEN, 0xBEEF)])
def test_both_widths_of_reference_are_read(header: bytes, reference: int) -> None:
    assert place_of(UDHI, header + b"text", ()) == Place(reference, 3, 2)
    assert split_user_data(UDHI, header + b"text") == (header[1:], b"text")


def test_the_element_is_found_behind_others() -> None:
    header = b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\xaa\x03\x02"
    assert place_of(UDHI, header, ()) == Place(0xAA, 3, 2)


def test_without_the_indicator_the_same_octets_are_text() -> None:
    assert place_of(0, EIGHT, ()) is None
    assert split_user_data(0, EIGHT) == (b"", EIGHT)


@pytest.mark.parametrize(
    "header", [b"\x05\x00\x03\xaa\x03\x04", b"\x05\x00\x03\xaa\x00\x00", b"\x05\x00\x03\xaa"]
)
def test_an_impossible_place_is_none(header: bytes) -> None:
    assert place_of(UDHI, header, ()) is None


def test_incomplete_sar_is_none() -> None:
    assert place_of(0, b"text", SAR[:2]) is None


@given(
    st.integers(0, 255),
    st.binary(max_size=20),
    st.lists(st.tuples(st.sampled_from([tag for tag, _ in SAR]), st.binary(max_size=3))),
)
def test_no_octets_make_it_raise(esm_class: int, payload: bytes, tlvs: list[tuple[int, bytes]]) -> None:
    place = place_of(esm_class, payload, tuple(tlvs))
    assert place is None or 1 <= place.number <= place.total
    header, body = split_user_data(esm_class, payload)
    assert payload.endswith(body)
    assert len(header) < max(len(payload), 1)
