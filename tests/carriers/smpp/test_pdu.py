"""Our PDUs beside those of smpplib, an implementation that shares no line with ours.

Where smpplib departs from SMPP 3.4 the standard wins, and the difference is told here:

- It gives data_sm and alert_notification addresses 20 octets; §4.7.1 and §4.12.1 give them 64.
- It writes a body behind every error; §4.1.2 and §4.4.2 leave it out for binds and submit_sm.
- Its source_addr_subunit of submit_sm has two octets, its subaddresses and callback_num_atag and the TLVs of
  data_sm_resp are C-octet strings, it cannot write alert_on_message_delivery: §5.3.2 has it otherwise, so
  these TLVs are left out of the comparison.
- It lacks outbind, submit_multi, cancel_sm and replace_sm.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import smpp
from smpplib.consts import OPTIONAL_PARAMS
from smpplib.ptypes import ostr

from carriers.smpp.codec import encode, frame
from carriers.smpp.layout import LAYOUTS
from carriers.smpp.pdu import (
    AlertNotification,
    BindResp,
    BindTransmitter,
    CancelSm,
    DataSm,
    DataSmResp,
    Outbind,
    Pdu,
    ReplaceSm,
    ReplaceSmResp,
    Request,
    Response,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSmResp,
)
from carriers.smpp.pdu import CancelSmResp as CancelSmAnswer
from carriers.smpp.vocabulary import CommandId, CommandStatus
from carriers.smpp.wire import CString
from tests.support.smpp import ALL_PDUS, decode_one, pdus

NOT_IN_SMPPLIB = {
    Outbind,
    SubmitMulti,
    SubmitMultiResp,
    CancelSm,
    CancelSmAnswer,
    ReplaceSm,
    ReplaceSmResp,
}
COMMON = [kind for kind in ALL_PDUS if kind not in NOT_IN_SMPPLIB]
NOT_THE_STANDARD = {
    "source_addr_subunit",
    "alert_on_message_delivery",
    "source_subaddress",
    "dest_subaddress",
    "callback_num_atag",
}
LONG_ADDRESSES = ("source_addr", "destination_addr", "esme_addr")


def _tlv_value(kind: Any) -> st.SearchStrategy[Any]:
    if kind.type is int:
        return st.integers(0, 256**kind.size - 1)
    if kind.type is ostr:
        return st.binary(min_size=1, max_size=kind.max if hasattr(kind, "max") else kind.size)
    return st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=kind.max - 1)


def _octets(kind: Any, value: Any) -> bytes:
    if kind.type is int:
        return int(value).to_bytes(kind.size, "big")
    return bytes(value) if kind.type is ostr else value.encode() + b"\0"


@st.composite
def pairs(draw: st.DrawFn, kind: type[Pdu]) -> tuple[Any, Any]:
    """Draw one PDU in both implementations, with TLVs in the order smpplib writes them."""
    ours = draw(pdus(kind))
    ours.tlvs = ()
    for name in LONG_ADDRESSES:
        if hasattr(ours, name):
            setattr(ours, name, getattr(ours, name)[:20])
    if hasattr(ours, "message_id"):
        ours.message_id = ours.message_id or "m1"  # smpplib refuses to ask for an empty one
    foreign = _foreign(ours)
    known = _common_tlvs(foreign, kind)
    chosen = draw(st.sets(st.sampled_from(sorted(known)), max_size=5)) if known else set()
    if getattr(ours, "short_message", b""):
        chosen -= {"message_payload"}
    for name in foreign.params_order:
        if name in chosen:
            value = draw(_tlv_value(known[name]))
            setattr(foreign, name, value)
            ours.tlvs += ((OPTIONAL_PARAMS[name], _octets(known[name], value)),)
    return ours, foreign


def _common_tlvs(foreign: Any, kind: type[Pdu]) -> dict[str, Any]:
    if kind is DataSmResp:
        return {}
    left_out = NOT_THE_STANDARD | LAYOUTS[kind].kinds.keys()
    names = [name for name in foreign.params if name in OPTIONAL_PARAMS and name not in left_out]
    return {name: foreign.params[name] for name in names}


def _foreign(ours: Any) -> Any:
    foreign = smpp.make_pdu(ours.command_id.name.lower(), sequence=0)
    for name in LAYOUTS[type(ours)].kinds:
        setattr(foreign, name, getattr(ours, name))
    foreign.sequence = ours.sequence
    foreign.status = ours.status if isinstance(ours, Response) else 0
    return foreign


@pytest.mark.parametrize("kind", COMMON, ids=lambda kind: kind.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_our_bytes_are_those_of_smpplib_and_each_reads_the_other(
    kind: type[Pdu], data: st.DataObject
) -> None:
    ours, foreign = data.draw(pairs(kind))
    wire = encode(ours)
    assert wire == foreign.generate()
    assert decode_one(foreign.generate()) == ours
    read = smpp.parse_pdu(wire, sequence=0)
    assert (read.sequence, read.status) == (ours.sequence, getattr(ours, "status", 0))
    for name, field in LAYOUTS[kind].kinds.items():
        value = getattr(ours, name)
        if isinstance(field, CString):
            value = value.encode("latin-1")
        assert getattr(read, name) == value or (value == b"" and getattr(read, name) is None)
    for tag, value in ours.tlvs:
        name = next(word for word, number in OPTIONAL_PARAMS.items() if number == tag)
        found = getattr(read, name)
        assert _octets(read.params[name], found.decode() if read.params[name].type is str else found) == value


@pytest.mark.parametrize(
    "kind",
    [kind for kind in COMMON if issubclass(kind, BindResp | SubmitSmResp)],
    ids=lambda kind: kind.__name__,
)
def test_behind_an_error_we_leave_the_body_out_and_smpplib_does_not(kind: Any) -> None:
    ours = kind("name", status=CommandStatus.RSYSERR, sequence=5)
    theirs = _foreign(ours).generate()
    assert encode(ours) == frame(ours.command_id, ours.status, 5)
    assert len(theirs) > 16
    assert decode_one(theirs) == ours
    assert smpp.parse_pdu(encode(ours), sequence=0).status == CommandStatus.RSYSERR


@pytest.mark.parametrize("kind", [DataSm, AlertNotification], ids=lambda kind: kind.__name__)
def test_long_addresses_are_kept_where_the_standard_allows_them(kind: Any) -> None:
    ours = kind(source_addr="9" * 64)
    assert decode_one(encode(ours)) == ours
    assert len(_foreign(ours).generate()) < len(encode(ours))


def test_the_bind_of_the_standards_own_example() -> None:
    """SMPP 5.0 §3.1.1 prints it octet by octet."""
    wire = bytes.fromhex(
        "0000002F 00000002 00000000 00000001"
        "534D5050335445535400 7365637265743038 00 5355424D49543100 50 01 01 00"
    )
    bind = BindTransmitter("SMPP3TEST", "secret08", "SUBMIT1", 0x50, 1, 1, "", sequence=1)
    assert decode_one(wire) == bind
    assert encode(bind) == wire


def test_requests_name_their_answers() -> None:
    silent = {CommandId.OUTBIND, CommandId.ALERT_NOTIFICATION}
    for kind in ALL_PDUS:
        if issubclass(kind, Request):
            answer = kind.response_id
            assert answer == (None if kind.command_id in silent else kind.command_id | 0x8000_0000)
