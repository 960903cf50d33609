"""The variables of a verification template."""

import pytest

from gateway.domain.variables import bad_variable


@pytest.mark.parametrize("value", ["1", "1234567", "aB3", "0"])
def test_up_to_seven_letters_or_digits_are_fine(value: str) -> None:
    assert bad_variable([value], 7) is None


@pytest.mark.parametrize("value", ["", "12345678", "12 34", "12-34", "１２３４", "码", "12\n", "é", "1.5"])
def test_anything_else_is_not_and_the_place_is_named_but_never_the_value(value: str) -> None:
    told = bad_variable(["1234", value], 7)
    assert told == "variable 2 must be 1 to 7 letters or digits"


def test_the_length_is_a_setting() -> None:
    assert bad_variable(["12345678"], 8) is None
    assert bad_variable(["12345"], 4) is not None
