"""Amounts: exact both ways, and nothing that is not an amount."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.money import MAX_AMOUNT, MICRO, format_amount, parse_amount


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("0", 0),
        ("12", 12 * MICRO),
        ("0.045", 45_000),
        ("-3.5", -3_500_000),
        ("+1.000001", 1_000_001),
        (" 7 ", 7 * MICRO),
    ],
)
def test_an_amount_is_read_exactly(text: str, micro: int) -> None:
    assert parse_amount(text) == micro


@pytest.mark.parametrize(
    "text", ["", ".5", "5.", "1e3", "1,000", "0.0000001", "NaN", "inf", "--1", "1 2", "１２", "9" * 14, "1_0"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_amount(text)


def test_an_amount_that_would_not_fit_the_store_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        parse_amount("9999999999999")


@given(st.integers(-MAX_AMOUNT, MAX_AMOUNT))
def test_what_is_written_reads_back_unchanged(micro: int) -> None:
    assert parse_amount(format_amount(micro)) == micro


def test_amounts_are_written_with_at_least_two_decimals() -> None:
    assert [format_amount(one) for one in (0, 45_000, -3_500_000, 1)] == [
        "0.00",
        "0.045",
        "-3.50",
        "0.000001",
    ]
