"""Framing and bodies: what the decoder makes of good, cut, long, short and unknown PDUs."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.errors import FieldError, FramingLost
from carriers.smpp.codec import Decoder, encode, frame
from carriers.smpp.pdu import (
    AlertNotification,
    BadPdu,
    BindTransceiver,
    BindTransceiverResp,
    CancelSm,
    DataSm,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    Pdu,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
)
from carriers.smpp.vocabulary import CommandId, CommandStatus
from carriers.smpp.wire import DistributionList, FailedAddress, SmeAddress
from tests.support.smpp import ALL_PDUS, any_pdu, decode_all, decode_one, pdus

SUBMIT = SubmitSm(source_addr="ACME", destination_addr="60123456789", short_message=b"hello", sequence=7)


@pytest.mark.parametrize("kind", ALL_PDUS, ids=lambda kind: kind.__name__)
@settings(max_examples=50)
@given(data=st.data())
def test_every_pdu_reads_as_it_was_written(kind: type[Pdu], data: st.DataObject) -> None:
    pdu = data.draw(pdus(kind))
    assert decode_one(encode(pdu)) == pdu


def test_every_command_id_has_its_class() -> None:
    assert {kind.command_id for kind in ALL_PDUS} == set(CommandId)


@given(first=any_pdu(), second=any_pdu(), cut=st.integers(1, 400))
def test_t01_a_stream_reads_the_same_however_tcp_cuts_it(first: Any, second: Any, cut: int) -> None:
    wire, decoder, found = encode(first) + encode(second), Decoder(), []
    for at in range(0, len(wire), cut):
        found += decode_all(wire[at : at + cut], decoder)
    assert found == [first, second]
    assert not decoder.partial


def test_t01_one_octet_per_segment_and_five_pdus_in_one_read() -> None:
    wire = b"".join(encode(SubmitSmResp(f"m{n}", sequence=n)) for n in range(5))
    one_by_one, decoder = [], Decoder()
    for octet in wire:
        one_by_one += decode_all(bytes((octet,)), decoder)
    assert one_by_one == decode_all(wire)
    assert [pdu.sequence for pdu in decode_all(wire)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("length", [0, 3, 8, 15])
def test_t02_a_length_below_the_header_loses_the_framing(length: int) -> None:
    decoder = Decoder()
    decoder.receive(struct.pack(">IIII", length, CommandId.ENQUIRE_LINK, 0, 77))
    with pytest.raises(FramingLost) as lost:
        decoder.next_pdu()
    assert (lost.value.sequence, lost.value.nack) == (77, True)


@pytest.mark.parametrize("length", [0, 3, 8, 15])
def test_t08_a_length_without_a_readable_header_is_nacked_with_sequence_0(length: int) -> None:
    decoder = Decoder()
    decoder.receive(struct.pack(">I", length))
    with pytest.raises(FramingLost) as lost:
        decoder.next_pdu()
    assert (lost.value.sequence, lost.value.nack) == (0, True)


def test_t03_a_length_above_the_maximum_is_refused_before_its_octets_come() -> None:
    decoder = Decoder(max_pdu=70_000)
    decoder.receive(struct.pack(">IIII", 70_001, CommandId.DELIVER_SM, 0, 9))
    with pytest.raises(FramingLost) as lost:
        decoder.next_pdu()
    assert (lost.value.length, lost.value.sequence, lost.value.nack) == (70_001, 9, True)


def test_t03_the_maximum_holds_also_when_all_octets_are_there() -> None:
    decoder = Decoder(max_pdu=32)
    decoder.receive(struct.pack(">IIII", 33, CommandId.DELIVER_SM, 0, 9) + bytes(17))
    with pytest.raises(FramingLost):
        decoder.next_pdu()


@pytest.mark.parametrize("length", [8, 99_999_999])
def test_t06_lost_framing_in_a_response_is_not_nacked(length: int) -> None:
    decoder = Decoder()
    decoder.receive(struct.pack(">IIII", length, CommandId.SUBMIT_SM_RESP, 0, 9))
    with pytest.raises(FramingLost) as lost:
        decoder.next_pdu()
    assert not lost.value.nack


def _reframed(pdu: Pdu, body: bytes) -> bytes:
    return frame(pdu.command_id, 0, pdu.sequence, body)


def test_t04_a_body_that_ends_early_at_any_octet_is_a_fault_of_that_command() -> None:
    body = encode(SUBMIT)[16:]
    for cut in range(len(body)):
        bad = decode_one(_reframed(SUBMIT, body[:cut]))
        assert isinstance(bad, BadPdu), cut
        assert bad.status in (CommandStatus.RINVCMDLEN, CommandStatus.RINVMSGLEN), cut
        assert (bad.response_id, bad.sequence) == (CommandId.SUBMIT_SM_RESP, 7)


def test_t04_octets_behind_the_mandatory_fields_are_tlvs() -> None:
    pdu = decode_one(_reframed(SUBMIT, encode(SUBMIT)[16:] + bytes.fromhex("0204 0002 0007")))
    assert pdu.tlvs == ((0x0204, b"\0\x07"),)


@pytest.mark.parametrize(
    ("tail", "status"),
    [
        ("00", CommandStatus.RINVOPTPARSTREAM),
        ("020400", CommandStatus.RINVOPTPARSTREAM),
        ("02040002", CommandStatus.RINVPARLEN),
        ("0204000200", CommandStatus.RINVPARLEN),
        ("0204ffff00", CommandStatus.RINVPARLEN),
    ],
)
def test_t04_a_tlv_cut_off_is_never_accepted(tail: str, status: CommandStatus) -> None:
    bad = decode_one(_reframed(SUBMIT, encode(SUBMIT)[16:] + bytes.fromhex(tail)))
    assert isinstance(bad, BadPdu)
    assert bad.status == status


def test_t04_after_a_bad_pdu_the_stream_goes_on() -> None:
    bad, good = decode_all(_reframed(SUBMIT, b"") + encode(SUBMIT))
    assert isinstance(bad, BadPdu)
    assert good == SUBMIT


def test_t05_an_unknown_command_is_nacked_under_its_own_sequence() -> None:
    bad = decode_one(frame(0x0000_0777, 0, 41))
    assert (bad.status, bad.response_id, bad.sequence) == (
        CommandStatus.RINVCMDID,
        CommandId.GENERIC_NACK,
        41,
    )


def test_t06_an_unknown_response_has_no_answer() -> None:
    assert decode_one(frame(0x8000_0777, 0, 41)).response_id is None


def test_t09_a_request_that_claims_an_error_is_read_all_the_same() -> None:
    wire = bytearray(encode(SUBMIT))
    wire[8:12] = struct.pack(">I", CommandStatus.RSYSERR)
    assert decode_one(bytes(wire)) == SUBMIT


def test_t09_our_requests_say_status_0() -> None:
    for kind in ALL_PDUS:
        if not kind.command_id & 0x8000_0000 and kind is not SubmitMulti:
            assert encode(kind())[8:12] == bytes(4)


@pytest.mark.parametrize(
    ("pdu", "field", "size", "status"),
    [
        (SubmitSm(), "service_type", 6, CommandStatus.RINVSERTYP),
        (SubmitSm(), "source_addr", 21, CommandStatus.RINVSRCADR),
        (SubmitSm(), "destination_addr", 21, CommandStatus.RINVDSTADR),
        (SubmitSm(), "schedule_delivery_time", 17, CommandStatus.RINVSCHED),
        (SubmitSm(), "validity_period", 17, CommandStatus.RINVEXPIRY),
        (BindTransceiver(), "system_id", 16, CommandStatus.RINVSYSID),
        (BindTransceiver(), "password", 9, CommandStatus.RINVPASWD),
        (BindTransceiver(), "system_type", 13, CommandStatus.RINVSYSTYP),
        (BindTransceiver(), "address_range", 41, CommandStatus.RINVPARLEN),
        (DataSm(), "source_addr", 65, CommandStatus.RINVSRCADR),
        (CancelSm(), "message_id", 65, CommandStatus.RINVMSGID),
    ],
)
def test_t10_a_string_without_nul_in_its_place_is_not_read_into_the_next_field(
    pdu: Any, field: str, size: int, status: CommandStatus
) -> None:
    mark = "@" * (size - 1)
    setattr(pdu, field, mark)
    body = encode(pdu)[16:].replace(mark.encode() + b"\0", mark.encode() + b"@" * 60 + b"\0")
    bad = decode_one(_reframed(pdu, body))
    assert (bad.status, bad.response_id) == (status, pdu.response_id)
    assert field in bad.detail


@pytest.mark.parametrize("sequence", [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])
def test_t14_any_sequence_number_is_read_and_echoed(sequence: int) -> None:
    assert decode_one(encode(EnquireLink(sequence=sequence))).sequence == sequence


def test_t27_a_refused_bind_reads_with_and_without_a_body() -> None:
    bare = frame(CommandId.BIND_TRANSCEIVER_RESP, CommandStatus.RINVPASWD, 1)
    full = frame(CommandId.BIND_TRANSCEIVER_RESP, CommandStatus.RINVPASWD, 1, b"smsc\0")
    assert decode_one(bare) == BindTransceiverResp(status=CommandStatus.RINVPASWD, sequence=1)
    assert decode_one(full) == BindTransceiverResp("smsc", status=CommandStatus.RINVPASWD, sequence=1)


def test_t50_an_error_answer_to_submit_sm_has_no_body_and_both_forms_are_read() -> None:
    refused = SubmitSmResp("ignored", status=CommandStatus.RSYSERR, sequence=3)
    assert len(encode(refused)) == 16
    for body in (b"", b"\0"):
        pdu = decode_one(frame(CommandId.SUBMIT_SM_RESP, CommandStatus.RSYSERR, 3, body))
        assert (pdu.status, pdu.message_id) == (CommandStatus.RSYSERR, "")


@pytest.mark.parametrize("message_id", ["", "0", "0e999f21-aaaa", "9" * 64, "with space", "é~!"])
def test_t52_a_message_id_is_opaque(message_id: str) -> None:
    assert decode_one(encode(SubmitSmResp(message_id))).message_id == message_id


def test_t52_an_answer_that_says_ok_without_a_body_has_an_empty_id() -> None:
    assert decode_one(frame(CommandId.SUBMIT_SM_RESP, 0, 3)) == SubmitSmResp("", sequence=3)


@pytest.mark.parametrize("body", [b"m1\0\xff", b"m1\0\x04\x27\x00\x09\x01", b"9" * 70 + b"\0", b"unended"])
def test_an_answer_with_a_broken_body_still_settles_its_request(body: bytes) -> None:
    bad = decode_one(frame(CommandId.SUBMIT_SM_RESP, 0, 3, body))
    assert isinstance(bad, BadPdu)
    assert isinstance(bad.pdu, SubmitSmResp)
    assert (bad.pdu.status, bad.pdu.sequence, bad.response_id) == (0, 3, None)
    assert bad.pdu.message_id == ("m1" if body.startswith(b"m1\0") else "")


def test_t62_an_empty_short_message_with_a_payload_travels() -> None:
    pdu = DeliverSm(tlvs=((0x0424, b"long text" * 100),), sequence=1)
    assert decode_one(encode(pdu)) == pdu


@pytest.mark.parametrize("kind", [SubmitSm, DeliverSm, SubmitMulti])
def test_t62_short_message_and_payload_together_are_never_sent(kind: Any) -> None:
    with pytest.raises(FieldError, match="message_payload"):
        encode(kind(short_message=b"a", tlvs=((0x0424, b"b"),)))


def test_sm_length_beyond_the_body_is_a_wrong_message_length() -> None:
    body = bytearray(encode(SUBMIT)[16:])
    body[-6] = 200
    assert decode_one(_reframed(SUBMIT, bytes(body))).status == CommandStatus.RINVMSGLEN


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service_type", "sixsix"),
        ("source_addr", "1" * 21),
        ("destination_addr", "1" * 21),
        ("source_addr", "a\0b"),
        ("source_addr", "短信"),
        ("short_message", b"x" * 255),
        ("data_coding", 256),
        ("esm_class", -1),
        ("tlvs", ((0x10000, b""),)),
        ("tlvs", ((1, b"x" * 65_536),)),
        ("sequence", 1 << 32),
    ],
)
def test_t64_what_does_not_fit_its_field_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(FieldError, match=field):
        encode(SubmitSm(**{field: value}))  # type: ignore[arg-type]


def test_t64_types_of_number_outside_the_table_pass() -> None:
    pdu = SubmitSm(source_addr_ton=7, source_addr_npi=200, dest_addr_ton=9, dest_addr_npi=99)
    assert decode_one(encode(pdu)) == pdu


@pytest.mark.parametrize("priority", [0, 1, 2, 3])
def test_t65_priorities_0_to_3_are_kept(priority: int) -> None:
    assert decode_one(encode(SubmitSm(priority_flag=priority))).priority_flag == priority


def test_t65_a_higher_priority_is_refused_both_ways() -> None:
    with pytest.raises(FieldError, match="priority_flag"):
        encode(SubmitSm(priority_flag=4))
    wire = encode(SubmitSm(esm_class=0x77)).replace(b"\x77\0\0", b"\x77\0\4")
    assert decode_one(wire).status == CommandStatus.RINVPRTFLG
    assert decode_one(encode(SubmitMulti(destinations=(DistributionList("l"),)))).priority_flag == 0


def test_t65_a_receipt_is_not_lost_for_its_priority() -> None:
    assert decode_one(encode(DeliverSm(priority_flag=9))).priority_flag == 9


@pytest.mark.parametrize(
    "data_coding", [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 14, *range(0xC0, 0xF0, 5), *range(0xF0, 0x100)]
)
def test_t70_octets_pass_unchanged_whatever_their_coding(data_coding: int) -> None:
    octets = bytes(range(254))
    for kind in (SubmitSm, DeliverSm):
        pdu = kind(data_coding=data_coding, short_message=octets)
        read = decode_one(encode(pdu))
        assert (read.data_coding, read.short_message) == (data_coding, octets)


def test_t72_unknown_tlvs_duplicates_and_their_order_are_kept() -> None:
    tlvs = ((0x3FFF, b"v"), (0x0427, b"\2"), (0x0001, b""), (0x0427, b"\5"), (0x3FFF, b"v"))
    assert decode_one(encode(DeliverSm(tlvs=tlvs))).tlvs == tlvs


def test_t72_header_only_pdus_may_bring_tlvs_too() -> None:
    pdu = EnquireLink(tlvs=((0x1500, b"x"),), sequence=4)
    assert decode_one(encode(pdu)) == pdu


def test_t75_a_tlv_of_no_length_is_written_and_read() -> None:
    wire = encode(SubmitSm(tlvs=((0x130C, b""),)))
    assert wire.endswith(bytes.fromhex("130c0000"))
    assert decode_one(wire).tlvs == ((0x130C, b""),)


def test_submit_multi_names_addresses_and_lists() -> None:
    wire = encode(
        SubmitMulti(destinations=(SmeAddress(1, 1, "60123"), DistributionList("staff")), short_message=b"hi")
    )
    assert bytes.fromhex("02 01 0101") + b"60123\0" + b"\x02staff\0" in wire


def test_submit_multi_with_254_addresses_travels_and_one_more_does_not() -> None:
    many = tuple(SmeAddress(1, 1, f"6012345{n:04}") for n in range(255))
    assert decode_one(encode(SubmitMulti(destinations=many[:254]))).destinations == many[:254]
    with pytest.raises(FieldError, match="destinations"):
        encode(SubmitMulti(destinations=many))


def test_submit_multi_with_an_unknown_destination_flag_is_refused() -> None:
    wire = encode(SubmitMulti(destinations=(DistributionList("staff"),))).replace(b"\x02staff", b"\x03staff")
    assert decode_one(wire).status == CommandStatus.RINVDESTFLAG


def test_submit_multi_resp_lists_who_was_not_reached() -> None:
    failed = FailedAddress(1, 1, "60123", CommandStatus.RINVDSTADR)
    wire = encode(SubmitMultiResp("m1", (failed,)))
    assert wire.endswith(b"m1\0\x01\x01\x0160123\0\0\0\0\x0b")
    assert decode_one(wire).unsuccess_sme == (failed,)


@pytest.mark.parametrize(
    "pdu",
    [SubmitMulti(destinations=(SmeAddress(1, 1, "6"), DistributionList("l"))), SubmitMultiResp("m", ())],
)
def test_lists_cut_at_any_octet_are_faults(pdu: Pdu) -> None:
    body = encode(pdu)[16:]
    for cut in range(1, len(body)):
        assert isinstance(decode_one(_reframed(pdu, body[:cut])), BadPdu), cut


def test_pdus_without_a_response_are_not_answered_when_bad() -> None:
    assert decode_one(frame(AlertNotification.command_id, 0, 3, b"\1")).response_id is None


def test_the_layouts_are_those_of_the_standard() -> None:
    assert encode(ReplaceSm("m1", 1, 1, "ACME", "", "", 1, 0, b"new"))[16:] == (
        b"m1\0\x01\x01ACME\0" + b"\0\0" + b"\x01\0\x03new"
    )
    assert encode(CancelSm("CMT", "m1", 1, 1, "ACME", 1, 1, "60123"))[16:] == (
        b"CMT\0m1\0\x01\x01ACME\0\x01\x0160123\0"
    )
    assert encode(DeliverSmResp())[16:] == b"\0"
    assert encode(GenericNack(status=3, sequence=9)) == bytes.fromhex("00000010 80000000 00000003 00000009")


def test_secrets_stay_out_of_the_log() -> None:
    assert "hidden" not in repr(BindTransceiver(system_id="us", password="hidden"))
