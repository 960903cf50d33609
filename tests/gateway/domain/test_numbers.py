"""Whose a destination is: the longest number first, then the channel's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.numbers import NumberTable, OwnedNumber, bare, handset


def owned(id_: int, number: str, extend: str = "", channel: str = "") -> OwnedNumber:
    return OwnedNumber(id_, channel, number, extend, f"acc-{id_}", f"org-{id_}")


TABLE = NumberTable(
    [
        owned(1, "1069"),
        owned(2, "1069", "01"),
        owned(3, "106902"),
        owned(4, "1069", channel="beta"),
        owned(5, "", channel="gamma"),
        owned(6, "6512345678"),
    ]
)


@pytest.mark.parametrize(
    ("channel", "destination", "owner"),
    [
        ("alpha", "1069", (1, "")),
        ("alpha", "106999", (1, "99")),
        ("alpha", "106901", (2, "01")),
        ("alpha", "10690188", (2, "0188")),
        ("alpha", "10690288", (3, "88")),
        ("beta", "106999", (4, "99")),
        ("beta", "10690188", (2, "0188")),  # more of the number beats the channel's own
        ("gamma", "77777", (5, "")),
        ("gamma", "1069", (1, "")),
        ("alpha", "+6512345678", (6, "")),
        ("alpha", "77777", None),
        ("alpha", "106", None),
        ("alpha", "", None),
    ],
)
def test_the_longest_number_wins_then_the_channels_own(
    channel: str, destination: str, owner: tuple[int, str] | None
) -> None:
    found = TABLE.owner(channel, destination)
    assert (found and (found.owned.id, found.extend_code)) == owner


def test_a_longer_number_says_more_than_a_shorter_one_with_extend_codes() -> None:
    table = NumberTable([owned(1, "106901"), owned(2, "1069", "01")])
    found = table.owner("alpha", "10690155")
    assert found
    assert (found.owned.id, found.extend_code) == (1, "55")


def test_one_owner_for_everything() -> None:
    found = NumberTable([owned(1, "")]).owner("any", "whatever")
    assert found
    assert (found.owned.id, found.extend_code) == (1, "")


@given(st.lists(st.text("0123", max_size=4), max_size=8), st.text("0123", max_size=6))
def test_it_is_the_longest_prefix_there_is(numbers: list[str], destination: str) -> None:
    table = NumberTable([owned(n, number) for n, number in enumerate(numbers)])
    assert len(table) == len(set(numbers))
    found = table.owner("alpha", destination)
    fitting = [number for number in numbers if destination.startswith(number)]
    assert (found.owned.number if found else None) == max(fitting, key=len, default=None)


@pytest.mark.parametrize(
    ("source", "digits"),
    [
        ("+60123", "60123"),
        ("0060123", "60123"),
        ("60123", "60123"),
        (" 60123", "60123"),
        ("Acme", "Acme"),
        ("", ""),
    ],
)
def test_a_handset_is_written_in_one_way(source: str, digits: str) -> None:
    assert handset(source) == digits


def test_a_number_is_written_without_a_plus() -> None:
    assert bare("+1069 ") == "1069"
