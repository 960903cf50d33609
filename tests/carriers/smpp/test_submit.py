"""The fast encoder says exactly what the whole PDU would say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.errors import FieldError
from carriers.smpp.codec import encode
from carriers.smpp.pdu import SubmitSm
from carriers.smpp.submit import SubmitEncoder, needs_tlvs, submit_template
from carriers.smpp.text import Part, encode_text
from config.schema import ChannelConfig, Concatenation
from tests.support.smpp import decode_one, latin, pdus

TEMPLATE = SubmitSm(source_addr_ton=5, source_addr="ACME", dest_addr_ton=1, dest_addr_npi=1)
LONG = "Tale " * 60


def channel(**changes: Any) -> ChannelConfig:
    return ChannelConfig(id="a", host="h", port=2775, system_id="us", **changes)


@given(
    template=pdus(SubmitSm),
    destination=latin(20),
    sequence=st.integers(1, 0x7FFF_FFFF),
    data_coding=st.integers(0, 255),
    payload=st.binary(max_size=254),
    validity=st.sampled_from(["", "000001000000000R", "991231235959000+"]),
)
def test_it_equals_the_encoding_of_the_whole_pdu(
    template: SubmitSm, destination: str, sequence: int, data_coding: int, payload: bytes, validity: str
) -> None:
    template.tlvs = tuple(tlv for tlv in template.tlvs if tlv[0] != 0x0424)
    fast = SubmitEncoder(template).encode(
        sequence, destination, Part(data_coding, payload), validity=validity
    )
    template.sequence, template.destination_addr = sequence, destination
    template.data_coding, template.short_message = data_coding, payload
    template.validity_period = validity
    assert fast == encode(template)


def test_a_validity_holds_for_one_segment_only() -> None:
    encoder = SubmitEncoder(TEMPLATE)
    wire = [encoder.encode(1, "60123", Part(0, b"x"), validity=each) for each in ("", "000001000000000R", "")]
    assert [decode_one(each).validity_period for each in wire] == ["", "000001000000000R", ""]


@pytest.mark.parametrize(
    ("concat", "header"),
    [
        (Concatenation.UDH8, lambda n, of: bytes((5, 0, 3, 0x34, of, n))),
        (Concatenation.UDH16, lambda n, of: bytes((6, 8, 4, 0x12, 0x34, of, n))),
    ],
)
def test_a_header_joins_the_parts(concat: Concatenation, header: Any) -> None:
    parts = encode_text(LONG, concat)
    for part in parts:
        pdu = decode_one(SubmitEncoder(TEMPLATE).encode(1, "60123", part, 0x1234))
        assert pdu.esm_class == 0x40
        assert pdu.short_message == header(part.number, len(parts)) + part.payload
        assert pdu.tlvs == ()
        assert not needs_tlvs(part)


def test_t83_sar_tlvs_join_the_parts_without_any_header() -> None:
    parts = encode_text(LONG, Concatenation.SAR)
    for part in parts:
        pdu = decode_one(SubmitEncoder(TEMPLATE).encode(1, "60123", part, 0x1_1234))
        assert pdu.esm_class == 0
        assert pdu.short_message == part.payload
        total, number = bytes((len(parts),)), bytes((part.number,))
        assert pdu.tlvs == ((0x020C, b"\x12\x34"), (0x020E, total), (0x020F, number))
        assert needs_tlvs(part)


def test_t62_a_payload_travels_with_an_empty_short_message() -> None:
    (part,) = encode_text(LONG, Concatenation.PAYLOAD)
    pdu = decode_one(SubmitEncoder(TEMPLATE).encode(1, "60123", part))
    assert (pdu.short_message, pdu.tlvs) == (b"", ((0x0424, part.payload),))
    assert needs_tlvs(part)


def test_t74_the_templates_tlvs_are_in_every_segment_before_its_own() -> None:
    dlt = (0x1400, b"1101\0")
    encoder = SubmitEncoder(SubmitSm(tlvs=(dlt,)))
    assert decode_one(encoder.encode(1, "60123", Part(0, b"x"))).tlvs == (dlt,)
    part = encode_text(LONG, Concatenation.SAR)[0]
    assert decode_one(encoder.encode(1, "60123", part)).tlvs[0] == dlt
    assert decode_one(encoder.without_tlvs().encode(1, "60123", Part(0, b"x"))).tlvs == ()


@pytest.mark.parametrize(
    ("source", "ton", "npi"),
    [("ACME", 5, 0), ("Acme Cafe 1", 5, 0), ("60123456789", 1, 1), ("12345", 0, 1), ("", 0, 0)],
)
def test_t64_the_senders_type_follows_from_its_form(source: str, ton: int, npi: int) -> None:
    template = submit_template(channel(source=source))
    assert (template.source_addr_ton, template.source_addr_npi) == (ton, npi)


def test_t64_a_channel_may_say_it_otherwise() -> None:
    template = submit_template(channel(source="ACME", source_ton=0, source_npi=8, dest_ton=2, dest_npi=0))
    assert (template.source_addr_ton, template.source_addr_npi) == (0, 8)
    assert (template.dest_addr_ton, template.dest_addr_npi) == (2, 0)


@pytest.mark.parametrize("source", ["Twelve chars", "1" * 21, "短信", "a`b"])
def test_t64_a_sender_no_network_can_show_is_refused(source: str) -> None:
    with pytest.raises(FieldError, match="source"):
        SubmitEncoder(submit_template(channel(source=source)))


@pytest.mark.parametrize(("receipts", "bits"), [(True, 1), (False, 0)])
def test_t69_receipts_are_asked_for_as_the_channel_says(receipts: bool, bits: int) -> None:
    assert submit_template(channel(receipts=receipts)).registered_delivery == bits


@pytest.mark.parametrize(
    ("destination", "part", "validity", "field"),
    [
        ("1" * 21, Part(0, b"x"), "", "destination_addr"),
        ("1\0", Part(0, b"x"), "", "destination_addr"),
        ("6", Part(0, b"x" * 255), "", "short_message"),
        ("6", Part(0, b"x"), "0" * 17, "validity_period"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_no_trace(
    destination: str, part: Part, validity: str, field: str
) -> None:
    encoder = SubmitEncoder(TEMPLATE)
    with pytest.raises(FieldError, match=field):
        encoder.encode(1, destination, part, validity=validity)
    assert decode_one(encoder.encode(2, "60123", Part(0, b"y"))).validity_period == ""


@pytest.mark.parametrize("source", ["+60123456789", "+6012345678"])
def test_t64_an_international_sender_goes_without_its_plus(source: str) -> None:
    template = submit_template(ChannelConfig(id="a", host="h", port=1, system_id="s", source=source))
    assert template.source_addr == source[1:]
    assert (template.source_addr_ton, template.source_addr_npi) == (1, 1)
