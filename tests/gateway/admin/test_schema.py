"""What requests and answers are made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.schema import cursor_of, position_in, unix_ms, when
from gateway.web.problem import Problem


@given(st.integers(1 - 2**63, 2**63 - 1), st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_a_cursor_leads_back_to_its_position(number: int, text: str) -> None:
    assert position_in(cursor_of(number, text), int, str) == (number, text)


def test_no_cursor_is_the_first_page() -> None:
    assert position_in("", int) is None


@given(st.text(min_size=1))
def test_a_cursor_of_no_list_is_refused(text: str) -> None:
    with pytest.raises(Problem):
        position_in(text, int, int, int)


def test_a_cursor_of_another_list_is_refused() -> None:
    for other in (cursor_of("x"), cursor_of(1, 2), cursor_of(True)):
        with pytest.raises(Problem):
            position_in(other, int)


@pytest.mark.parametrize("position", [2**63, 2**64 - 1, "a\0b"])
def test_a_cursor_that_no_store_could_look_for_is_refused(position: int | str) -> None:
    with pytest.raises(Problem):
        position_in(cursor_of(position), type(position))


@given(st.integers(0, 4_000_000_000_000))
def test_times_keep_their_millisecond(moment: int) -> None:
    assert unix_ms(when(moment)) == moment
