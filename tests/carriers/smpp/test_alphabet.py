"""Characters and octets, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib.gsm import gsm_encode

from carriers.smpp.alphabet import (
    PACKED,
    Decoded,
    decode_gsm,
    decode_payload,
    encode_gsm,
    pack_septets,
    unpack_septets,
)

BASE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F,
    "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip


@pytest.mark.parametrize("septet", [septet for septet in range(128) if septet != 0x1B])
def test_t76_every_default_character_goes_there_and_back(septet: int) -> None:
    char = decode_gsm(bytes([septet]))
    assert char == BASE[septet]
    assert encode_gsm(char) == bytes([septet])


@pytest.mark.parametrize(("char", "code"), EXTENSION.items())
def test_t76_every_extension_character_goes_there_and_back(char: str, code: int) -> None:
    assert encode_gsm(char) == bytes([0x1B, code])
    assert decode_gsm(bytes([0x1B, code])) == char


def test_t76_the_grave_accent_is_not_in_the_alphabet_and_the_section_sign_is() -> None:
    assert encode_gsm("`") is None
    assert encode_gsm("§") == b"\x5f"


def test_t76_an_independent_table_agrees_but_for_a_wrong_slot_and_a_missing_form_feed() -> None:
    for char in (set(BASE) | set(EXTENSION)) - {"§", "\f"}:
        assert encode_gsm(char) == gsm_encode(char)


def test_everything_else_is_outside() -> None:
    inside = set(BASE) | set(EXTENSION)
    for code in range(0x3000):
        assert (encode_gsm(chr(code)) is not None) == (chr(code) in inside), hex(code)


def test_t86_one_foreign_character_is_enough_wherever_it_stands() -> None:
    assert encode_gsm("plain\ttext") is None
    assert encode_gsm("été, naïf") is None
    assert encode_gsm("\x1b") is None


def test_an_escape_with_nothing_known_behind_it_shows_as_the_standard_says() -> None:
    assert decode_gsm(b"a\x1bb") == "ab"
    assert decode_gsm(b"a\x1b") == "a "
    assert decode_gsm(b"\x1b\x1b\x65") == " €"


def test_an_octet_that_is_no_septet_is_marked() -> None:
    assert decode_payload(0, b"a\xc3\xa9") == Decoded("a\ufffd\ufffd", exact=False)


@given(st.text(alphabet=sorted(set(BASE) | set(EXTENSION))))
def test_t76_any_text_of_the_alphabet_goes_there_and_back(text: str) -> None:
    septets = encode_gsm(text)
    assert septets is not None
    assert decode_gsm(septets) == text


@pytest.mark.parametrize(
    ("alphabet", "octet", "char"),
    [("gsm", 0x00, "@"), ("gsm", 0x5F, "§"), ("ascii", 0x40, "@"), ("latin1", 0xE9, "é"), ("gsm", 0x05, "é")],
)
def test_t71_data_coding_zero_is_what_the_channel_says(alphabet: str, octet: int, char: str) -> None:
    assert decode_payload(0, bytes([octet]), alphabet) == Decoded(char, exact=True)


@given(
    septets=st.binary(max_size=160).map(lambda octets: bytes(o & 0x7F for o in octets)),
    fill=st.integers(0, 6),
)
def test_t71_packed_septets_unpack_again(septets: bytes, fill: int) -> None:
    """All but a last `@` or carriage return on the last bit, which SMPP cannot tell from filling."""
    packed = pack_septets(septets, fill)
    assert len(packed) == (fill + 7 * len(septets) + 7) // 8
    unpacked = unpack_septets(packed, fill)
    on_the_last_bit = (fill + 7 * len(septets)) % 8 == 0
    cut = on_the_last_bit and septets[-1:] in (b"\0", b"\r")
    assert unpacked == (septets[:-1] if cut else septets)


def test_t71_packed_septets_are_those_of_the_standard() -> None:
    assert pack_septets(b"hellohello").hex() == "e8329bfd4697d9ec37"
    assert decode_payload(0, bytes.fromhex("e8329bfd4697d9ec37"), PACKED) == Decoded("hellohello", exact=True)


def test_t71_an_unknown_alphabet_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ValueError, match="klingon"):
        decode_payload(0, b"a", "klingon")


@pytest.mark.parametrize(
    ("data_coding", "payload", "text"),
    [
        (0x01, b"abc", "abc"),
        (0x03, b"\xe9t\xe9", "été"),
        (0x05, "日本".encode("shift_jis"), "日本"),
        (0x06, "Привет".encode("iso8859-5"), "Привет"),
        (0x07, "שלום".encode("iso8859-8"), "שלום"),
        (0x08, "你好😀".encode("utf-16-be"), "你好😀"),
        (0x0A, "日本".encode("iso2022_jp"), "日本"),
        (0x0D, "日本".encode("euc_jp"), "日本"),
        (0x0E, "한국".encode("euc_kr"), "한국"),
        (0x18, "flash".encode("utf-16-be"), "flash"),  # UCS-2, message class 0
        (0x10, b"\x00", "@"),
        (0xC8, b"\x00", "@"),  # message waiting, 7 bits
        (0xE8, "voice".encode("utf-16-be"), "voice"),  # message waiting, UCS-2
        (0xF0, b"\x00", "@"),
        (0xF1, b"\x02", "$"),
    ],
)
def test_t70_every_data_coding_that_is_text_decodes(data_coding: int, payload: bytes, text: str) -> None:
    assert decode_payload(data_coding, payload) == Decoded(text, exact=True)


@pytest.mark.parametrize("data_coding", [0x02, 0x04, 0x09, 0x0F, 0x14, 0x80, 0xBF, 0xF4, 0xF7])
def test_t70_data_is_not_taken_for_text(data_coding: int) -> None:
    assert decode_payload(data_coding, b"\x00\xff") == Decoded(None, exact=True)


def test_t87_odd_length_is_marked_and_what_can_be_read_is_kept() -> None:
    decoded = decode_payload(8, "你好".encode("utf-16-be") + b"\x4f")
    assert not decoded.exact
    assert decoded.text is not None
    assert decoded.text.startswith("你好")


def test_t87_half_a_surrogate_pair_is_marked() -> None:
    assert not decode_payload(8, b"\xd8\x3d").exact


@pytest.mark.parametrize("codec", ["utf-16-be", "utf-16-le"])
def test_t87_a_byte_order_mark_decides_and_is_dropped(codec: str) -> None:
    assert decode_payload(8, "\ufeff你好".encode(codec)) == Decoded("你好", exact=True)
    assert decode_payload(8, "\ufeff你好".encode(codec), little_endian=True) == Decoded("你好", exact=True)


def test_t87_a_channel_with_the_little_endian_habit_is_read() -> None:
    assert decode_payload(8, "你好".encode("utf-16-le"), little_endian=True) == Decoded("你好", exact=True)


@given(
    st.integers(0, 255), st.binary(max_size=160), st.sampled_from(["gsm", "ascii", "latin1"]), st.booleans()
)
def test_t87_no_payload_makes_it_raise(
    data_coding: int, payload: bytes, alphabet: str, little_endian: bool
) -> None:
    decoded = decode_payload(data_coding, payload, alphabet, little_endian=little_endian)
    assert decoded.text is not None or decoded.exact
