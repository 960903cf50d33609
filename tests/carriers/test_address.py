"""Senders as carriers write them: whose country a number without one belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.address import Handset, read_handset, region_of
from carriers.smpp.vocabulary import Ton

UNKNOWN, INTERNATIONAL, NATIONAL, ALPHANUMERIC = (
    Ton.UNKNOWN,
    Ton.INTERNATIONAL,
    Ton.NATIONAL,
    Ton.ALPHANUMERIC,
)


@pytest.mark.parametrize(
    ("source", "ton", "country", "digits"),
    [
        ("60123456789", INTERNATIONAL, "MY", "60123456789"),
        ("+60123456789", INTERNATIONAL, "", "60123456789"),
        ("0060123456789", UNKNOWN, "", "60123456789"),
        # national, with and without what is dialled in front
        ("123456789", NATIONAL, "MY", "60123456789"),
        ("0123456789", NATIONAL, "MY", "60123456789"),
        ("0123456789", NATIONAL, "60", "60123456789"),
        ("13800138000", NATIONAL, "CN", "8613800138000"),
        ("2025550123", NATIONAL, "US", "12025550123"),
        ("12025550123", NATIONAL, "US", "12025550123"),
        ("3123456789", NATIONAL, "IT", "393123456789"),
        ("0612345678", NATIONAL, "IT", "390612345678"),  # there the zero is the number's own
        ("89161234567", NATIONAL, "RU", "79161234567"),  # and there the trunk prefix is no zero
        # the type says national, the number says what country
        ("+60123456789", NATIONAL, "CN", "60123456789"),
        ("0060123456789", NATIONAL, "CN", "60123456789"),
        ("60123456789", NATIONAL, "MY", "60123456789"),
        # of unknown type: national if it looks so
        ("0123456789", UNKNOWN, "MY", "60123456789"),
        ("123456789", UNKNOWN, "MY", "60123456789"),
        ("60123456789", UNKNOWN, "MY", "60123456789"),
        ("13800138000", UNKNOWN, "CN", "8613800138000"),
        ("8613800138000", UNKNOWN, "CN", "8613800138000"),
        ("60123456789", UNKNOWN, "SG", "60123456789"),
        ("60123456789", UNKNOWN, "CN", "60123456789"),
        ("0123456789", UNKNOWN, "", "0123456789"),
        # no handset's number at all
        ("12345", UNKNOWN, "MY", "12345"),
        ("Acme", ALPHANUMERIC, "MY", "Acme"),
        ("123456789", ALPHANUMERIC, "MY", "123456789"),
        ("", NATIONAL, "MY", ""),
    ],
)
def test_a_sender_is_read_by_its_type_and_the_channels_country(
    source: str, ton: int, country: str, digits: str
) -> None:
    assert read_handset(source, ton, country) == Handset(digits)


@pytest.mark.parametrize(
    ("source", "country"),
    [("123456789", ""), ("0123456789", ""), ("12345", "MY"), ("123456789", "ZZ"), ("123456789", "999")],
)
def test_a_national_number_nobody_can_place_stays_as_it_came_and_says_so(source: str, country: str) -> None:
    assert read_handset(source, NATIONAL, country) == Handset(source, national=True)


def test_a_country_is_a_region_or_a_calling_code() -> None:
    known = [region_of(country) for country in ("MY", "60", "1", "44")]
    assert known == ["MY", "MY", "US", "GB"]
    assert [region_of(country) for country in ("ZZ", "999", "870")] == [None, None, None]


@given(st.text(max_size=25), st.integers(0, 255), st.sampled_from(["", "MY", "1", "39", "ZZ"]))
def test_no_sender_makes_it_raise_or_lose_a_letter(source: str, ton: int, country: str) -> None:
    digits = read_handset(source, ton, country).digits
    assert len(digits) >= len(source.strip()) - 3
