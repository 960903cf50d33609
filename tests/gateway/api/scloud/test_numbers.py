"""Recipients: each number once, in order, as first written; the bad ones named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.numbers import LONGEST_GIVEN, read_recipients
from routing.number import NumberReader
from tests.support.scloud import PLAN

READER = NumberReader(PLAN, "CN")


def test_order_and_spelling_are_the_customers() -> None:
    found = read_recipients(["(60)123456789", "18500000123", "+60123456789"], READER)
    assert [(one.phone, one.given, one.country) for one in found] == [
        ("60123456789", "(60)123456789", "MY"),
        ("8618500000123", "18500000123", "CN"),
    ]


def test_one_bad_number_refuses_all_and_is_named() -> None:
    with pytest.raises(Refusal) as caught:
        read_recipients(["18500000123", "(60)1", "x" * 100], READER)
    assert caught.value.code is RetCode.PHONE_INVALID
    assert caught.value.message == f"Phone number invalid: (60)1, {'x' * LONGEST_GIVEN}"


@given(st.lists(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), max_size=30))
def test_every_different_number_is_there_once(given_: list[str]) -> None:
    assert [one.given for one in read_recipients(given_, READER)] == list(dict.fromkeys(given_))


@given(st.lists(st.text(max_size=50), max_size=5))
def test_what_passes_can_be_stored(given_: list[str]) -> None:
    try:
        found = read_recipients(given_, READER)
    except Refusal:
        return
    assert all(one.phone.isascii() and one.phone.isdigit() and "\0" not in one.given for one in found)
