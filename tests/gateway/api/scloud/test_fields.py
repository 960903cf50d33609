"""Texts of parameters, and what they mean."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.fields import integer, one_of, optional_integer, truth, words


def code(read: Callable[[], Any]) -> int:
    with pytest.raises(Refusal) as refused:
        read()
    return refused.value.code


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("5", 5), (" 3 ", 3), ("05", 5)])
def test_an_integer(text: str, value: int) -> None:
    assert integer({"N": text}, "N", range(6)) == value


@pytest.mark.parametrize("text", ["", "x", "1.5", "١", "+1", "-1", "1" * 19, "0x1"])
def test_no_integer_is_18002(text: str) -> None:
    assert code(lambda: integer({"N": text}, "N", range(6))) == RetCode.PARAMETER_FORMAT


@pytest.mark.parametrize("text", ["6", "99", "1" * 18])
def test_another_integer_is_18003(text: str) -> None:
    assert code(lambda: integer({"N": text}, "N", range(6))) == RetCode.PARAMETER_INVALID


def test_a_blank_may_be_no_integer_at_all() -> None:
    assert optional_integer({"N": ""}, "N", range(2)) is None
    assert optional_integer({"N": "1"}, "N", range(2)) == 1


@pytest.mark.parametrize(
    ("text", "value"), [("", False), ("false", False), ("True", True), ("1", True), ("0", False)]
)
def test_a_truth_value(text: str, value: bool) -> None:
    assert truth({"B": text}, "B") is value


def test_no_truth_value_is_18002() -> None:
    assert code(lambda: truth({"B": "yes"}, "B")) == RetCode.PARAMETER_FORMAT


def test_words_have_a_length_and_no_control_characters() -> None:
    assert words({"W": " 中文 \n two "}, "W", 10) == "中文 \n two"
    assert code(lambda: words({"W": "x" * 11}, "W", 10)) == RetCode.PARAMETER_INVALID
    assert code(lambda: words({"W": "a\x01"}, "W", 10)) == RetCode.PARAMETER_INVALID


def test_one_of_a_few() -> None:
    assert one_of({"O": "asc"}, "O", ("asc", "desc")) == "asc"
    assert code(lambda: one_of({"O": "up"}, "O", ("asc", "desc"))) == RetCode.PARAMETER_INVALID
