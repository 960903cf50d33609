"""What handsets' messages say: every encoding, every way of joining, and octets nobody meant."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carriers.smpp.alphabet import GSM_DEFAULT, OCTETS, PACKED, UCS2, Decoded
from carriers.smpp.codec import Decoder
from carriers.smpp.header import Place
from carriers.smpp.pdu import SubmitSm
from carriers.smpp.submit import SubmitEncoder
from carriers.smpp.text import encode_text
from carriers.smpp.userdata import GAP, UserData, Writing, decode, octets_of, read_user_data
from config.schema import Concatenation

UDHI = 0x40
PLAIN = Writing()


def whole(data_coding: int, body: bytes, writing: Writing = PLAIN) -> Decoded:
    part = read_user_data(0, data_coding, body, (), writing.alphabet)
    return decode({1: part}, 1, writing)


def received(text: str, concatenation: Concatenation, alphabet: str) -> dict[int, UserData]:
    """Send `text` as we would and read what is on the wire as if a handset had sent it."""
    parts: dict[int, UserData] = {}
    encoder = SubmitEncoder(SubmitSm())
    for part in encode_text(text, concatenation, alphabet):
        wire = Decoder()
        wire.receive(encoder.encode(1, "60123", part, 0x1234))
        pdu = wire.next_pdu()
        assert isinstance(pdu, SubmitSm)
        payload = pdu.short_message or dict(pdu.tlvs).get(0x0424, b"")
        read = read_user_data(pdu.esm_class, pdu.data_coding, payload, pdu.tlvs, alphabet)
        assert not read.bad_header
        parts[read.place.number if read.place else 1] = read
    return parts


@pytest.mark.parametrize(
    ("data_coding", "body", "alphabet", "text"),
    [
        (0, b"a\x1b\x65\x1b\x3c\x00", "gsm", "a€[@"),
        (0, bytes.fromhex("e8329bfd4697d9ec37"), PACKED, "hellohello"),
        (0, "café".encode("latin-1"), "latin1", "café"),
        (3, "café".encode("latin-1"), "gsm", "café"),
        (8, "退订😀".encode("utf-16-be"), "gsm", "退订😀"),
        (0x18, "flash".encode("utf-16-be"), "gsm", "flash"),
        (0xF0, b"\x02\x05", "gsm", "$é"),
        (0x10, bytes.fromhex("e8329bfd06"), PACKED, "hello"),
    ],
)
def test_a_whole_message_reads_in_its_encoding(
    data_coding: int, body: bytes, alphabet: str, text: str
) -> None:
    assert whole(data_coding, body, Writing(alphabet)) == Decoded(text, exact=True)


def test_t87_a_channel_that_turns_utf16_round_is_read() -> None:
    assert whole(8, "退订".encode("utf-16-le"), Writing(little_endian=True)).text == "退订"


def test_data_is_not_text_and_its_octets_stay() -> None:
    part = read_user_data(UDHI, OCTETS, b"\x06\x05\x04\x0b\x84\x23\xf0\x01\xff\x00", (), "gsm")
    assert decode({1: part}, 1, PLAIN).text is None
    assert octets_of({1: part}) == b"\x01\xff\x00"


def test_a_zero_octet_is_no_character_of_a_text() -> None:
    assert whole(3, b"stop\0").text == "stop"


@pytest.mark.parametrize("concatenation", Concatenation)
@pytest.mark.parametrize("alphabet", ["gsm", PACKED, "latin1"])
@example(text="x" * 152 + "€" + "y" * 20)  # the escape would end the first part
@example(text="中" * 66 + "😀" * 40)
@given(text=st.text(alphabet="a€[]é中😀~ \n", min_size=1, max_size=500))
def test_t84_what_we_cut_reads_whole_again(text: str, concatenation: Concatenation, alphabet: str) -> None:
    parts = received(text, concatenation, alphabet)
    total = max(parts)
    assert decode(parts, total, Writing(alphabet)) == Decoded(text, exact=True)


def test_t84_a_character_cut_in_half_by_somebody_else_reads_whole() -> None:
    emoji = "😀".encode("utf-16-be")
    parts = {
        1: UserData(Place(7, 2, 1), UCS2, "a".encode("utf-16-be") + emoji[:2]),
        2: UserData(Place(7, 2, 2), UCS2, emoji[2:] + "b".encode("utf-16-be")),
    }
    assert decode(parts, 2, PLAIN) == Decoded("a😀b", exact=True)
    escaped = {1: UserData(None, GSM_DEFAULT, b"1\x1b"), 2: UserData(None, GSM_DEFAULT, b"\x652")}
    assert decode(escaped, 2, PLAIN) == Decoded("1€2", exact=True)


def test_t84_missing_parts_leave_a_gap_each_run_of_them_one() -> None:
    part = UserData(None, GSM_DEFAULT, b"x")
    assert decode({2: part}, 2, PLAIN).text == f"{GAP}x"
    assert decode({1: part, 4: part}, 5, PLAIN).text == f"x{GAP}x{GAP}"


def test_parts_may_differ_in_their_encoding() -> None:
    parts = {1: UserData(None, GSM_DEFAULT, b"ok "), 2: UserData(None, UCS2, "好".encode("utf-16-be"))}
    assert decode(parts, 2, PLAIN).text == "ok 好"


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b"\x09\x00\x03abc", b"\x09\x00\x03abc"),  # a header longer than the data
        (b"\x03\x00\x05\x01text", b"text"),  # an element longer than the header
        (b"\x05\x00\x03\x01\x02\x03text", b"text"),  # part three of two
        (b"\x05\x00\x03\x01\x02\x00text", b"text"),  # part nought
        (b"\x04\x00\x02\x01\x02text", b"text"),  # too short to say it
        (b"\x01\x00text", b"text"),
    ],
)
def test_a_header_that_cannot_be_is_noted_and_the_text_stays(payload: bytes, body: bytes) -> None:
    assert read_user_data(UDHI, 0, payload, (), "gsm") == UserData(None, 0, body, bad_header=True)


def test_a_header_that_joins_nothing_is_no_fault() -> None:
    read = read_user_data(UDHI, 0, b"\x03\x24\x01\x01hi", (), "gsm")
    assert read == UserData(None, 0, b"hi", (0, 1))


@given(
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=60),
    st.lists(st.tuples(st.sampled_from([0x020C, 0x020E, 0x020F]), st.binary(max_size=3))),
    st.sampled_from(["gsm", PACKED, "ascii", "latin1"]),
)
def test_no_octets_make_it_raise(
    esm_class: int, data_coding: int, payload: bytes, tlvs: list[tuple[int, bytes]], alphabet: str
) -> None:
    part = read_user_data(esm_class, data_coding, payload, tuple(tlvs), alphabet)
    told = decode({1: part}, 1, Writing(alphabet))
    assert told.text is None or "\0" not in told.text
