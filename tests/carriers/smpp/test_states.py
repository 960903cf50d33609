"""A session in time: silence, stalls, unbinding from either side."""

import math
from typing import Any

import pytest

from carriers.errors import NotBound
from carriers.smpp.codec import encode
from carriers.smpp.events import (
    Answered,
    Closed,
    CloseReason,
    Expired,
    FaultKind,
    Lost,
    UnbindReceived,
)
from carriers.smpp.pdu import (
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from carriers.smpp.session import Session
from carriers.smpp.states import TRANSITIONS, State
from tests.support.smpp import RECEIPT, bound_session, faults, new_session, reason, segment, sent, submitted

# timers


def test_t35_enquire_link_is_sent_after_silence_only() -> None:
    session = bound_session(now=100.0)
    assert session.next_deadline() == 130.0
    session.receive(encode(RECEIPT), 120.0)
    assert session.tick(130.0) == []
    assert session.take_output() == b""
    assert session.next_deadline() == 150.0
    session.tick(150.0)
    assert sent(session) == [EnquireLink(sequence=2)]


def test_t35_octets_that_make_no_pdu_are_silence() -> None:
    session = bound_session(now=100.0)
    session.receive(encode(RECEIPT)[:20], 120.0)
    session.tick(130.0)
    assert sent(session) == [EnquireLink(sequence=2)]


def _states() -> list[Any]:
    binding = new_session()
    full = bound_session(window=1)
    full.submit([segment()], 0.0)
    unbinding = bound_session()
    unbinding.unbind(0.0)
    leaving = bound_session()
    leaving.receive(encode(RECEIPT) + encode(Unbind(sequence=9)), 0.0)
    return [
        pytest.param(session, id=name)
        for name, session in [
            ("binding", binding),
            ("full window", full),
            ("unbinding", unbinding),
            ("leaving, answers owed", leaving),
        ]
    ]


@pytest.mark.parametrize("session", _states())
def test_t36_enquire_link_is_answered_at_once_in_every_state(session: Session) -> None:
    session.take_output()
    session.receive(encode(EnquireLink(sequence=77)), 0.0)
    assert sent(session) == [EnquireLinkResp(sequence=77)]


def test_t37_a_peer_that_leaves_enquire_link_unanswered_is_dead() -> None:
    session = bound_session(now=0.0)
    session.tick(30.0)
    assert session.tick(39.9) == []
    assert session.next_deadline() == 40.0
    assert reason(session.tick(40.0)) is CloseReason.PEER_SILENT
    assert session.next_deadline() == math.inf


def test_t37_any_pdu_proves_that_the_peer_lives() -> None:
    session = bound_session(now=0.0)
    session.tick(30.0)
    session.receive(encode(RECEIPT), 39.0)
    assert session.tick(40.0) == []
    session.receive(encode(EnquireLinkResp(sequence=2)), 41.0)
    assert session.tick(70.9) == []
    assert session.next_deadline() == 71.0


def test_t37_the_session_says_what_a_dead_peer_left_in_doubt() -> None:
    session = bound_session(now=0.0)
    session.tick(30.0)
    given_segment = segment("a")
    session.submit([given_segment], 35.0)
    session.take_output()
    assert reason(session.tick(40.0)) is CloseReason.PEER_SILENT
    assert session.terminate() == Lost(in_doubt=[given_segment], not_sent=[])


@pytest.mark.parametrize("epoch", [0.0, -3600.0, 1e9])
def test_t39_only_differences_of_time_matter(epoch: float) -> None:
    session = bound_session(now=epoch)
    session.submit([segment("a")], epoch + 1.0)
    assert session.tick(epoch + 10.9) == []
    assert [type(event) for event in session.tick(epoch + 11.0)] == [Expired]


def test_t11_a_pdu_begun_and_never_finished_ends_the_session() -> None:
    session = bound_session(now=0.0)
    session.receive(encode(RECEIPT)[:20], 5.0)
    session.receive(encode(RECEIPT)[20:22], 15.0)
    assert session.tick(24.9) == []
    assert reason(session.tick(25.0)) is CloseReason.READ_TIMEOUT


def test_ticking_at_the_deadline_always_gets_on() -> None:
    session = bound_session(now=0.1)
    session.submit([segment("a")], 0.3)
    session.receive(encode(RECEIPT)[:20], 0.7)
    now = 0.7
    for _ in range(20):
        at = session.next_deadline()
        if at == math.inf:
            break
        assert at > now
        now = at
        session.tick(now)
    assert session.closed


# the end


def test_we_unbind_and_the_peer_agrees() -> None:
    session = bound_session(now=0.0)
    session.unbind(1.0)
    (unbind,) = sent(session)
    assert isinstance(unbind, Unbind)
    assert session.room == 0
    assert reason(session.receive(encode(UnbindResp(sequence=unbind.sequence)), 1.1)) is CloseReason.UNBOUND


def test_a_peer_that_does_not_answer_unbind_is_left() -> None:
    session = bound_session(now=0.0)
    session.unbind(1.0)
    assert session.next_deadline() == 6.0
    assert reason(session.tick(6.0)) is CloseReason.UNBIND_TIMEOUT


def test_while_unbinding_content_is_still_taken_and_answered() -> None:
    session = bound_session()
    session.unbind(0.0)
    sent(session)
    assert session.receive(encode(RECEIPT), 0.5) == [RECEIPT]
    session.respond([RECEIPT])
    assert sent(session) == [DeliverSmResp(sequence=7)]


def test_before_the_bind_is_answered_unbind_just_ends() -> None:
    session = new_session()
    sent(session)
    session.unbind(1.0)
    assert session.take_output() == b""
    assert session.next_deadline() == -math.inf
    assert reason(session.tick(1.0)) is CloseReason.UNBOUND


def test_t101_an_idle_session_answers_unbind_and_ends() -> None:
    session = bound_session()
    assert session.receive(encode(Unbind(sequence=9)), 0.0) == [
        UnbindReceived(),
        Closed(CloseReason.PEER_UNBOUND),
    ]
    assert sent(session) == [UnbindResp(sequence=9)]


def test_t101_after_unbind_nothing_more_is_sent_and_what_is_in_flight_may_finish() -> None:
    session = bound_session(now=0.0)
    (sequence,) = submitted(session, "a")
    assert session.receive(encode(Unbind(sequence=9)), 0.0) == [UnbindReceived()]
    assert sent(session) == [UnbindResp(sequence=9)]
    with pytest.raises(NotBound):
        session.submit([segment()], 0.0)
    events = session.receive(encode(SubmitSmResp("m1", sequence=sequence)), 1.0)
    assert [type(event) for event in events] == [Answered, Closed]


def test_t101_what_does_not_finish_in_time_is_in_doubt() -> None:
    session = bound_session(now=0.0)
    submitted(session, "a")
    session.receive(encode(Unbind(sequence=9)), 0.0)
    assert reason(session.tick(5.0)) is CloseReason.PEER_UNBOUND
    assert len(session.terminate().in_doubt) == 1


def test_t101_a_peer_that_hangs_up_after_its_unbind_left_in_order() -> None:
    session = bound_session()
    submitted(session, "a")
    session.receive(encode(Unbind(sequence=9)), 0.0)
    assert reason(session.receive(b"", 0.1)) is CloseReason.PEER_UNBOUND


def test_t101_a_second_unbind_changes_nothing() -> None:
    session = bound_session()
    session.receive(encode(RECEIPT) + encode(Unbind(sequence=9)), 0.0)
    assert faults(session.receive(encode(Unbind(sequence=10)), 0.0)) == [FaultKind.UNEXPECTED_REQUEST]


def test_t101_both_sides_may_unbind_at_once() -> None:
    session = bound_session()
    session.unbind(0.0)
    (ours,) = sent(session)
    events = session.receive(encode(Unbind(sequence=9)) + encode(UnbindResp(sequence=ours.sequence)), 0.0)
    assert sent(session) == [UnbindResp(sequence=9)]
    assert session.closed
    assert isinstance(events[0], UnbindReceived)


def test_t104_answers_we_owe_go_out_before_unbind_resp() -> None:
    session = bound_session(now=0.0)
    events = session.receive(encode(RECEIPT) + encode(Unbind(sequence=9)), 0.0)
    assert events == [RECEIPT, UnbindReceived()]
    assert session.take_output() == b""
    session.respond([RECEIPT])
    assert sent(session) == [DeliverSmResp(sequence=7), UnbindResp(sequence=9)]
    assert session.next_deadline() == -math.inf
    assert reason(session.tick(0.1)) is CloseReason.PEER_UNBOUND


def test_t104_answers_in_the_output_are_there_after_the_end() -> None:
    session = bound_session()
    session.receive(encode(RECEIPT), 0.0)
    session.respond([RECEIPT])
    assert reason(session.receive(encode(Unbind(sequence=9)), 0.0)) is CloseReason.PEER_UNBOUND
    assert sent(session) == [DeliverSmResp(sequence=7), UnbindResp(sequence=9)]


def test_t104_a_store_that_takes_too_long_does_not_keep_the_peer_from_leaving() -> None:
    session = bound_session(now=0.0)
    session.receive(encode(RECEIPT) + encode(Unbind(sequence=9)), 0.0)
    assert reason(session.tick(5.0)) is CloseReason.PEER_UNBOUND
    assert sent(session) == [UnbindResp(sequence=9)]


def test_no_state_is_a_dead_end_but_closed() -> None:
    assert {state for state, targets in TRANSITIONS.items() if not targets} == {State.CLOSED}
    assert all(State.CLOSED in targets for state, targets in TRANSITIONS.items() if state is not State.CLOSED)
