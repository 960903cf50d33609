"""Single TLVs: what wrong lengths read as, and what a declared kind writes."""

import pytest

from carriers.errors import FieldError
from carriers.smpp.codec import encode
from carriers.smpp.pdu import DataSm, DeliverSm, SubmitSm
from carriers.smpp.tlv import TlvKind, has_tlv, make_tlv, tlv_bytes, tlv_cstring, tlv_int, user_data
from carriers.smpp.vocabulary import VENDOR_TAGS, Tag
from tests.support.smpp import decode_one


def test_t62_the_text_is_short_message_or_else_the_payload() -> None:
    payload = ((int(Tag.MESSAGE_PAYLOAD), b"long"),)
    assert user_data(DeliverSm(tlvs=payload)) == b"long"
    assert user_data(DataSm(tlvs=payload)) == b"long"
    assert user_data(DeliverSm(short_message=b"short", tlvs=payload)) == b"short"
    assert user_data(DeliverSm()) == b""


def test_t72_the_first_of_two_is_read() -> None:
    pdu = DeliverSm(tlvs=((Tag.MESSAGE_STATE, b"\2"), (Tag.MESSAGE_STATE, b"\5")))
    assert tlv_int(pdu, Tag.MESSAGE_STATE) == 2


@pytest.mark.parametrize("value", [b"", b"\2\2", b"\0\0\0\2"])
def test_t73_an_integer_of_a_wrong_length_reads_as_absent_and_the_pdu_lives(value: bytes) -> None:
    wire = encode(DeliverSm(short_message=b"id:1 stat:DELIVRD", tlvs=((Tag.MESSAGE_STATE, value),)))
    pdu = decode_one(wire)
    assert tlv_int(pdu, Tag.MESSAGE_STATE) is None
    assert tlv_bytes(pdu, Tag.MESSAGE_STATE) == value
    assert pdu.short_message == b"id:1 stat:DELIVRD"


@pytest.mark.parametrize("value", [b"abc\0", b"abc", b"abc\0\0", b"abc\0junk"])
def test_t73_a_string_reads_up_to_its_nul_or_its_end(value: bytes) -> None:
    assert tlv_cstring(DeliverSm(tlvs=((Tag.RECEIPTED_MESSAGE_ID, value),)), 0x001E) == "abc"


@pytest.mark.parametrize(
    ("kind", "value", "octets"),
    [
        (TlvKind.OCTET, 7, "07"),
        (TlvKind.SHORT, "258", "0102"),
        (TlvKind.LONG, 1, "00000001"),
        (TlvKind.CSTRING, "1101456780000012345", "3131303134353637383030303030313233343500"),
        (TlvKind.TEXT, "1007", "31303037"),
        (TlvKind.OCTETS, "0a0b", "0a0b"),
        (TlvKind.OCTETS, b"\x0a", "0a"),
        (TlvKind.FLAG, "", ""),
    ],
)
def test_t74_vendor_tlvs_go_out_with_their_declared_kind(
    kind: TlvKind, value: int | str | bytes, octets: str
) -> None:
    for tag in (VENDOR_TAGS[0], VENDOR_TAGS[-1]):
        made = make_tlv(tag, kind, value)
        assert made == (tag, bytes.fromhex(octets))
        assert decode_one(encode(SubmitSm(tlvs=(made,)))).tlvs == (made,)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TlvKind.OCTET, 256),
        (TlvKind.OCTET, -1),
        (TlvKind.SHORT, "many"),
        (TlvKind.CSTRING, "a\0b"),
        (TlvKind.CSTRING, 7),
        (TlvKind.TEXT, "短信"),
        (TlvKind.OCTETS, "xyz"),
        (TlvKind.FLAG, "1"),
        (TlvKind.TEXT, "x" * 65_536),
    ],
)
def test_t74_a_value_that_is_not_of_its_kind_is_refused(kind: TlvKind, value: int | str) -> None:
    with pytest.raises(FieldError, match="0x1400"):
        make_tlv(0x1400, kind, value)


def test_t74_a_tag_beyond_16_bits_is_refused() -> None:
    with pytest.raises(FieldError):
        make_tlv(0x1_0000, TlvKind.OCTET, 1)


def test_t75_a_flag_is_there_or_not() -> None:
    pdu = SubmitSm(tlvs=(make_tlv(Tag.ALERT_ON_MESSAGE_DELIVERY, TlvKind.FLAG),))
    assert has_tlv(decode_one(encode(pdu)), Tag.ALERT_ON_MESSAGE_DELIVERY)
    assert not has_tlv(SubmitSm(), Tag.ALERT_ON_MESSAGE_DELIVERY)
