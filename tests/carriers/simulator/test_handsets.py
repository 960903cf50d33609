"""Handsets' messages by script: every writing, every way of joining, any order; read back as they are."""

import pytest

from carriers.simulator.handsets import MoScript, Writing, mo_parts, parse_mo, parse_mos
from carriers.smpp import userdata
from carriers.smpp.codec import Decoder, encode
from carriers.smpp.pdu import DeliverSm
from config.schema import Concatenation


def said(pdus: list[DeliverSm], writing: userdata.Writing) -> str | None:
    """Return what the gateway reads in `pdus`, after they went over the wire."""
    parts = {}
    total = 1
    for pdu in pdus:
        wire = Decoder()
        wire.receive(encode(pdu))
        read = wire.next_pdu()
        assert isinstance(read, DeliverSm)
        payload = read.short_message or dict(read.tlvs).get(0x0424, b"")
        part = userdata.read_user_data(read.esm_class, read.data_coding, payload, read.tlvs, writing.alphabet)
        assert not part.bad_header
        parts[part.place.number if part.place else 1] = part
        total = part.place.total if part.place else 1
    return userdata.decode(parts, total, writing).text


@pytest.mark.parametrize("concat", Concatenation)
@pytest.mark.parametrize(
    ("writing", "text"),
    [
        (Writing.AUTO, "退订" * 60),
        (Writing.AUTO, "hello € " * 40),
        (Writing.GSM, "STOP"),
        (Writing.GSM_PACKED, "packed, seven to the octet " * 9),
        (Writing.LATIN1, "café " * 50),
        (Writing.UCS2, "😀" * 80),
        (Writing.UCS2_LE, "你好"),
    ],
)
def test_t84_a_scripted_message_reads_as_it_was_written(
    writing: Writing, text: str, concat: Concatenation
) -> None:
    pdus = mo_parts(MoScript(source="60123", text=text, writing=writing, concat=concat))
    alphabet = "gsm-packed" if writing is Writing.GSM_PACKED else "gsm"
    assert said(pdus, userdata.Writing(alphabet, writing is Writing.UCS2_LE)) == text


def test_data_is_given_in_hexadecimal() -> None:
    (pdu,) = mo_parts(parse_mo("from=60123; writing=binary; text=00ff"))
    assert (pdu.data_coding, pdu.short_message) == (4, b"\x00\xff")


def test_parts_come_in_the_order_told_some_twice_some_never() -> None:
    script = parse_mo("from=60123; to=1069; size=2; ref=0x1ff; concat=udh16; parts=3,1,1; text=abcdef")
    pdus = mo_parts(script)
    assert [pdu.short_message[-4:] for pdu in pdus] == [b"\x03\x03ef", b"\x03\x01ab", b"\x03\x01ab"]
    assert pdus[0].short_message[3:5] == b"\x01\xff"
    assert (pdus[0].source_addr, pdus[0].destination_addr) == ("60123", "1069")


def test_the_text_is_the_rest_of_the_line() -> None:
    assert parse_mo("from=60123; text=a; to=b=c\\nd").text == "a; to=b=c\nd"


def test_a_file_has_one_message_a_line() -> None:
    scripts = parse_mos("# two of them\n\nfrom=1; text=a\nfrom=2;after=1.5;gap=2;text=b\n")
    assert [(one.source, one.text, one.after, one.gap) for one in scripts] == [
        ("1", "a", 0.0, 0.0),
        ("2", "b", 1.5, 2.0),
    ]


def test_a_reply_goes_back_to_who_wrote() -> None:
    script = parse_mo("reply=yes; from=60; text=STOP")
    answer = script.replying_to("60123", "1069")
    assert (answer.source, answer.destination, answer.reply) == ("60123", "1069", False)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("text=nobody", "from="),
        ("from=1; colour=red; text=x", "colour"),
        ("from=1; after=soon; text=x", "after"),
        ("from=1; writing=klingon; text=x", "writing"),
        ("from=1; writing=gsm; text=退订", "GSM 03.38"),
        ("from=1; parts=2; text=x", "no part 2"),
        ("from=1; size=1; text=" + "x" * 256, "256 parts"),
        ("from=1; reply=perhaps; text=x", "reply"),
        ("from=1; to; text=x", "key=value"),
    ],
)
def test_what_cannot_be_is_told_of(line: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_mo(line)
