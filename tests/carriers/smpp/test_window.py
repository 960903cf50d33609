"""Sequence numbers, and the requests that wait under them."""

from hypothesis import given
from hypothesis import strategies as st

from carriers.smpp.events import FaultKind
from carriers.smpp.vocabulary import SEQUENCE_MAX, CommandId
from carriers.smpp.window import CONTROL, LATE_KEPT, Window

ANSWER = int(CommandId.SUBMIT_SM_RESP)


def test_t13_numbers_start_at_1_and_rise_by_1() -> None:
    window = Window(10)
    assert [window.next_sequence() for _ in range(4)] == [1, 2, 3, 4]


def test_t13_after_the_highest_number_comes_1_again_past_those_in_flight() -> None:
    window = Window(10, last_sequence=SEQUENCE_MAX - 1)
    window.add(SEQUENCE_MAX, "a", ANSWER, 0.0)
    window.add(1, "b", ANSWER, 0.0)
    window.late[2] = ("c", ANSWER, 0.0)
    assert window.next_sequence() == 3


@given(last=st.integers(0, SEQUENCE_MAX), busy=st.sets(st.integers(1, 20)))
def test_t13_a_number_is_valid_and_free(last: int, busy: set[int]) -> None:
    window = Window(100, last_sequence=last)
    for sequence in busy:
        window.add(sequence, sequence, ANSWER, 0.0)
    found = window.next_sequence()
    assert 1 <= found <= SEQUENCE_MAX
    assert found not in busy


def test_t16_an_answer_settles_its_own_request_once() -> None:
    window = Window(10)
    for ref in "abc":
        window.add(window.next_sequence(), ref, ANSWER, 5.0)
    assert window.settle(2, ANSWER) == (("b", ANSWER, 5.0), False)
    assert window.settle(2, ANSWER) is FaultKind.DUPLICATE_ANSWER
    assert window.settle(9, ANSWER) is FaultKind.UNSOLICITED_ANSWER
    assert window.in_flight == 2


def test_t16_after_the_wrap_every_number_may_have_been_used() -> None:
    window = Window(10, last_sequence=SEQUENCE_MAX)
    window.next_sequence()
    assert window.settle(77, ANSWER) is FaultKind.DUPLICATE_ANSWER
    assert window.settle(0, ANSWER) is FaultKind.UNSOLICITED_ANSWER


def test_t17_an_answer_of_another_kind_settles_nothing() -> None:
    window = Window(10)
    window.add(1, "a", ANSWER, 0.0)
    assert window.settle(1, CommandId.QUERY_SM_RESP) is FaultKind.MISMATCHED_ANSWER
    assert window.settle(1, CommandId.GENERIC_NACK) == (("a", ANSWER, 0.0), False)


def test_requests_of_the_session_itself_take_no_room() -> None:
    window = Window(2)
    window.add(1, CONTROL, int(CommandId.ENQUIRE_LINK_RESP), 0.0)
    window.add(2, "a", ANSWER, 0.0)
    assert (window.in_flight, window.room) == (1, 1)
    window.settle(1, CommandId.ENQUIRE_LINK_RESP)
    assert (window.in_flight, window.room) == (1, 1)


def test_a_smaller_limit_leaves_no_negative_room() -> None:
    window = Window(2)
    window.add(1, "a", ANSWER, 0.0)
    window.add(2, "b", ANSWER, 0.0)
    window.limit = 1
    assert window.room == 0


def test_requests_expire_in_the_order_they_were_sent() -> None:
    window = Window(10)
    for sequence, sent_at in enumerate((1.0, 2.0, 3.0), start=1):
        window.add(sequence, sent_at, ANSWER, sent_at)
    assert window.oldest() == 1.0
    assert window.expire(10.0, 10.9) == []
    assert window.expire(10.0, 12.0) == [1.0, 2.0]
    assert window.room == 9
    assert window.settle(1, ANSWER) == ((1.0, ANSWER, 1.0), True)


def test_what_expired_is_remembered_within_bounds() -> None:
    window = Window(10)
    for sequence in range(1, LATE_KEPT + 3):
        window.add(sequence, sequence, ANSWER, 0.0)
    assert len(window.expire(1.0, 1.0)) == LATE_KEPT + 2
    assert len(window.late) == LATE_KEPT
    assert 1 not in window.late


def test_it_says_how_it_stands() -> None:
    window = Window(3)
    window.add(1, "a", ANSWER, 0.0)
    assert repr(window) == "<Window 1 of 3 in flight, 0 late>"


def test_clearing_hands_back_what_was_unanswered() -> None:
    window = Window(10)
    window.add(1, CONTROL, int(CommandId.UNBIND_RESP), 0.0)
    window.add(2, "a", ANSWER, 0.0)
    window.add(3, "late", ANSWER, 0.0)
    window.expire(1.0, 0.0)
    assert window.clear() == [(2, "a"), (3, "late")]
    assert (window.clear(), window.in_flight) == ([], 0)
