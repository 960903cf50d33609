"""A message moves along the table and no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.message import TRANSITIONS, IllegalMove, Message, Reason, State
from gateway.store.changes import MESSAGE, MOVE
from tests.support.messages import message, submission

FINAL = {
    State.DELIVERED,
    State.UNDELIVERED,
    State.EXPIRED,
    State.REJECTED,
    State.UNKNOWN,
    State.FAILED,
    State.CANCELLED,
}


def test_every_state_has_its_row_and_every_final_state_stays_final() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {state for state in State if state.final} == FINAL
    for state in FINAL - {State.UNKNOWN}:
        assert not TRANSITIONS[state]


def test_our_own_unknown_gives_way_to_a_late_receipt_only() -> None:
    assert TRANSITIONS[State.UNKNOWN] == {State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED}


def test_every_state_but_the_first_can_be_reached() -> None:
    assert set().union(*TRANSITIONS.values()) == set(State) - {State.ACCEPTED}


@given(old=st.sampled_from(State), new=st.sampled_from(State))
def test_a_move_against_the_table_raises_and_changes_nothing(old: State, new: State) -> None:
    moving = message(state=old, reason=Reason.NONE)
    if new is old or new in TRANSITIONS[old]:
        moving.move(new, Reason.RECEIPT)
        assert (moving.state, moving.reason) == (new, Reason.RECEIPT)
    else:
        with pytest.raises(IllegalMove, match=f"{old.name} → {new.name}"):
            moving.move(new, Reason.RECEIPT)
        assert (moving.state, moving.reason) == (old, Reason.NONE)


def as_dict(columns: tuple[str, ...], row: tuple[object, ...]) -> dict[str, object]:
    return dict(zip(columns, row, strict=True))


def test_rows_carry_every_column_under_its_own_name() -> None:
    given_: Message = message(user_id="order-42", template_id="UTN1", text="own text", due_at=7, attempts=2)
    given_.status, given_.sent_at, given_.submitted_at, given_.final_at = 8, 1, 2, 3
    given_.charged, given_.sent_segments, given_.receipt_code, given_.channel = 9, 1, "DELIVRD", "alpha"
    for columns, row in ((MESSAGE, given_.row()), (MOVE, given_.move_row())):
        for name, value in as_dict(columns, row).items():
            expected = {
                "submission_id": given_.submission.id,
                "account_id": given_.submission.account_id,
            }.get(name, getattr(given_, name, None))
            assert value == expected, name


def test_the_text_is_the_submissions_unless_the_message_has_its_own() -> None:
    assert message().body() == submission().text
    assert message(text="own").body() == "own"
    assert message(submission=submission(text=None)).body() == ""
