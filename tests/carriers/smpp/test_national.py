"""Turkish, Spanish and Portuguese as their handsets write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.smpp.alphabet import decode_gsm
from carriers.smpp.national import PORTUGUESE, SPANISH, TURKISH, decode_national, shifts
from carriers.smpp.userdata import UserData, Writing, decode, read_user_data

UDHI = 0x40


@pytest.mark.parametrize(
    ("locking", "single", "septets", "text"),
    [
        (TURKISH, 0, b"\x0b\x0c\x1c\x1d\x40\x07\x60\x04", "ĞğŞşİıç€"),
        (0, TURKISH, b"\x1bG\x1bg\x1bS\x1bs\x1bI\x1bi\x1bc\x1be", "ĞğŞşİıç€"),
        (0, SPANISH, b"\x1ba\x1bi\x1bo\x1bu\x1bA\x09\x1b\x09", "áíóúÁÇç"),
        (PORTUGUESE, 0, b"\x04\x0f\x5b\x7b\x7c\x18\x17\x24", "êáÃãõ€\\º"),
        (0, PORTUGUESE, b"\x1b\x05\x1b\x0f\x1b\x5b\x1b\x7b\x1b\x7c\x1b\x7f\x1b\x61", "êáÃãõâÂ"),
        (PORTUGUESE, PORTUGUESE, b"\x1b\x14\x16", "^^"),
    ],
)
def test_t85_a_nations_characters_read(locking: int, single: int, septets: bytes, text: str) -> None:
    assert decode_national(septets, locking, single) == text


def test_t85_a_header_names_the_language_beside_other_elements() -> None:
    header = b"\x0b\x00\x03\x07\x01\x01\x24\x01\x01\x25\x01\x03"
    assert shifts(header[1:]) == (PORTUGUESE, TURKISH)
    assert shifts(b"\x24\x02\x01\x01") == shifts(b"\x25") == (0, 0)


def test_t85_a_message_with_a_national_header_reads() -> None:
    part = read_user_data(UDHI, 0, b"\x03\x24\x01\x01\x1bS ok", (), "gsm")
    assert part == UserData(None, 0, b"\x1bS ok", (0, TURKISH))
    assert decode({1: part}, 1, Writing()).text == "Ş ok"


def test_t85_utf16_has_no_languages() -> None:
    part = read_user_data(UDHI, 8, b"\x03\x24\x01\x01" + "Ş".encode("utf-16-be"), (), "gsm")
    assert decode({1: part}, 1, Writing()).text == "Ş"


@given(
    st.binary(max_size=40).map(lambda octets: bytes(octet & 0x7F for octet in octets)), st.integers(4, 255)
)
def test_t85_a_language_nobody_knows_reads_as_the_default_alphabet(septets: bytes, language: int) -> None:
    if b"\x1b\x1b" not in septets:
        assert decode_national(septets, language, language) == decode_gsm(septets)


@given(st.binary(max_size=40), st.integers(0, 5), st.integers(0, 5))
def test_t85_no_octets_make_it_raise(septets: bytes, locking: int, single: int) -> None:
    assert len(decode_national(septets, locking, single)) <= len(septets)
