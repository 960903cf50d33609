"""Numbers, words and days of a request: the right code for what is none of them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.scloud.codes import Refusal
from gateway.api.scloud.values import day, whole, word


def code(call: object, *arguments: object) -> int:
    with pytest.raises(Refusal) as refused:
        call(*arguments)  # type: ignore[operator]
    assert "Name" in refused.value.message
    return int(refused.value.code)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("7", 7), ("007", 7), ("200", 200)])
def test_a_whole_number(text: str, value: int) -> None:
    assert whole("Name", text, 0, 200) == value


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1e2", " 1", "1\n", "٣", "１", "0x1", "9" * 19])
def test_what_is_no_whole_number(text: str) -> None:
    assert code(whole, "Name", text, 0, 200) == 18002


@pytest.mark.parametrize("text", ["0", "201", "9" * 18])
def test_a_number_out_of_bounds(text: str) -> None:
    assert code(whole, "Name", text, 1, 200) == 18003


def test_a_word_is_one_of_those_there_are() -> None:
    assert word("Name", "asc", ("asc", "desc")) == "asc"
    assert code(word, "Name", "ASC", ("asc", "desc")) == 18003
    assert code(word, "Name", "", ("asc", "desc")) == 18003


@given(st.dates())
def test_every_day_is_read(one: date) -> None:
    assert day("Name", one.isoformat()) == one


@pytest.mark.parametrize(
    "text", ["2026-1-1", "20260101", "2026-W01-1", "01.01.2026", "2026-01-01T00", "２０２６-01-01"]
)
def test_a_day_in_another_form(text: str) -> None:
    assert code(day, "Name", text) == 18002


@pytest.mark.parametrize("text", ["2026-02-29", "2026-13-01", "0000-01-01", "2026-00-10"])
def test_a_day_that_never_comes(text: str) -> None:
    assert code(day, "Name", text) == 18003
