"""Check digits of company and identity numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import is_credit_code, is_id_number

# made up for the standards' worked examples: no company, no person
CREDIT = "91350100M000100Y43"
PERSON = "11010519491231002X"


def test_the_standards_examples_are_good() -> None:
    assert is_credit_code(CREDIT)
    assert is_credit_code(f" {CREDIT.lower()} ")
    assert is_id_number(PERSON)
    assert is_id_number(PERSON.lower())


@pytest.mark.parametrize(
    "text", ["", "91350100M000100Y4", CREDIT + "1", "91350100M000100Y4O", "９" + CREDIT[1:]]
)
def test_another_form_is_no_credit_code(text: str) -> None:
    assert not is_credit_code(text)


@pytest.mark.parametrize(
    "text", ["", PERSON[:-1], PERSON + "1", "110105194913310021", "110105194912321026", "１" + PERSON[1:]]
)
def test_another_form_is_no_identity_number(text: str) -> None:
    assert not is_id_number(text)


@given(st.integers(0, 16), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_noticed(place: int, digit: str) -> None:
    if PERSON[place] != digit:
        assert not is_id_number(PERSON[:place] + digit + PERSON[place + 1 :])
    if CREDIT[place] != digit:
        assert not is_credit_code(CREDIT[:place] + digit + CREDIT[place + 1 :])
