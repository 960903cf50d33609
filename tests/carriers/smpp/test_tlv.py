"""Single TLVs: what wrong lengths read as."""

import pytest

from carriers.smpp.codec import encode
from carriers.smpp.pdu import DataSm, DeliverSm
from carriers.smpp.tlv import tlv_bytes, tlv_int, user_data
from carriers.smpp.vocabulary import Tag
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
