"""What a session makes of what the peer asks, and of what nobody can read."""

import struct
from typing import Any

import pytest

from carriers.smpp.codec import encode, frame
from carriers.smpp.events import (
    Answered,
    Closed,
    CloseReason,
    FaultKind,
)
from carriers.smpp.pdu import (
    AlertNotification,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSmResp,
    GenericNack,
    Outbind,
    QuerySm,
    SubmitSm,
    SubmitSmResp,
)
from carriers.smpp.states import State
from carriers.smpp.vocabulary import CommandId, CommandStatus
from tests.support.smpp import RECEIPT, bound_session, faults, new_session, reason, sent, submitted

# generic_nack and unreadable PDUs


def test_t05_an_unknown_command_is_nacked_and_the_session_stays_bound() -> None:
    session = bound_session()
    assert faults(session.receive(frame(0x0777, 0, 41), 0.0)) == [FaultKind.UNKNOWN_COMMAND]
    assert sent(session) == [GenericNack(status=CommandStatus.RINVCMDID, sequence=41)]
    assert session.state is State.BOUND


def test_t06_a_response_is_never_nacked() -> None:
    session = bound_session()
    wire = frame(0x8000_0777, 0, 5) + frame(CommandId.SUBMIT_SM_RESP, 0, 99, b"x" * 80)
    assert faults(session.receive(wire, 0.0)) == [
        FaultKind.UNKNOWN_COMMAND,
        FaultKind.BAD_PDU,
        FaultKind.UNSOLICITED_ANSWER,
    ]
    assert session.take_output() == b""


@pytest.mark.parametrize(("status", "seen"), [(0x03, 0x03), (0x00, 0xFF)])
def test_t07_a_generic_nack_fails_its_request(status: int, seen: int) -> None:
    session = bound_session()
    (sequence,) = submitted(session, "a")
    (event,) = session.receive(encode(GenericNack(status=status, sequence=sequence)), 0.0)
    assert isinstance(event, Answered)
    assert event.status == seen  # one that claims success is an error all the same


def test_t07_a_generic_nack_for_nothing_is_counted_and_never_answered() -> None:
    session = bound_session()
    events = session.receive(encode(GenericNack(status=3, sequence=0)), 0.0)
    assert faults(events) == [FaultKind.UNSOLICITED_ANSWER]
    assert session.take_output() == b""


def test_t04_a_bad_request_is_answered_with_its_own_response() -> None:
    session = bound_session()
    assert faults(session.receive(frame(CommandId.DELIVER_SM, 0, 8, b"\0"), 0.0)) == [FaultKind.BAD_PDU]
    assert sent(session) == [DeliverSmResp(status=CommandStatus.RINVCMDLEN, sequence=8)]


def test_an_answer_with_a_broken_tail_counts_as_answered() -> None:
    session = bound_session()
    (sequence,) = submitted(session, "a")
    fault, event = session.receive(frame(CommandId.SUBMIT_SM_RESP, 0, sequence, b"m1\0\1"), 0.0)
    assert faults([fault]) == [FaultKind.BAD_PDU]
    assert isinstance(event, Answered)
    assert (event.status, event.message_id) == (0, "m1")


@pytest.mark.parametrize("length", [0, 3, 8, 15, 70_001])
def test_t02_t03_an_impossible_length_is_nacked_and_ends_the_session(length: int) -> None:
    session = bound_session()
    wire = struct.pack(">IIII", length, CommandId.DELIVER_SM, 0, 55)
    assert reason(session.receive(wire, 0.0)) is CloseReason.FRAMING_LOST
    assert sent(session) == [GenericNack(status=CommandStatus.RINVCMDLEN, sequence=55)]
    assert session.receive(encode(RECEIPT), 0.0) == []


def test_t08_without_a_readable_header_the_nack_carries_0() -> None:
    session = bound_session()
    session.receive(struct.pack(">I", 8), 0.0)
    assert sent(session) == [GenericNack(status=CommandStatus.RINVCMDLEN, sequence=0)]


def test_what_came_before_the_framing_was_lost_still_counts() -> None:
    session = bound_session()
    (sequence,) = submitted(session, "a")
    answered, closed = session.receive(
        encode(SubmitSmResp("m1", sequence=sequence)) + struct.pack(">I", 3), 0.0
    )
    assert isinstance(answered, Answered)
    assert isinstance(closed, Closed)


@pytest.mark.parametrize("pdu", [SubmitSm(sequence=3), QuerySm("m1", sequence=3)])
def test_t58_what_nobody_asks_an_esme_is_refused_with_its_own_response(pdu: Any) -> None:
    session = bound_session()
    assert faults(session.receive(encode(pdu), 0.0)) == [FaultKind.UNEXPECTED_REQUEST]
    (answer,) = sent(session)
    assert (answer.command_id, answer.status, answer.sequence) == (
        pdu.response_id,
        CommandStatus.RINVCMDID,
        3,
    )


# what the peer brings


def test_content_is_an_event_and_is_answered_only_when_told() -> None:
    session = bound_session()
    data = DataSm(esm_class=4, sequence=8)
    events = session.receive(encode(RECEIPT) + encode(data), 0.0)
    assert events == [RECEIPT, data]
    assert session.take_output() == b""
    session.respond([RECEIPT, data], CommandStatus.RX_T_APPN)
    assert sent(session) == [
        DeliverSmResp(status=CommandStatus.RX_T_APPN, sequence=7),
        DataSmResp(status=CommandStatus.RX_T_APPN, sequence=8),
    ]


def test_content_on_a_transmitter_session_is_taken_all_the_same() -> None:
    assert bound_session(BindTransmitter()).receive(encode(RECEIPT), 0.0) == [RECEIPT]


def test_content_before_the_bind_is_accepted_is_refused() -> None:
    session = new_session()
    sent(session)
    assert faults(session.receive(encode(RECEIPT), 0.0)) == [FaultKind.UNEXPECTED_REQUEST]
    assert sent(session) == [DeliverSmResp(status=CommandStatus.RINVBNDSTS, sequence=7)]


@pytest.mark.parametrize("pdu", [AlertNotification(source_addr="60123"), Outbind("smsc", "pw")])
def test_t33_what_has_no_response_is_an_event_and_is_not_answered(pdu: Any) -> None:
    session = bound_session()
    assert session.receive(encode(pdu), 0.0) == [pdu]
    assert session.take_output() == b""


def test_an_answer_given_after_the_end_goes_nowhere() -> None:
    session = bound_session()
    session.receive(encode(RECEIPT), 0.0)
    session.terminate()
    session.respond([RECEIPT])
    assert session.take_output() == b""
