"""Prices: the most specific line wins, and no line means not on offer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import PURPOSES, PriceSettings
from gateway.domain.message import Purpose
from gateway.domain.pricing import PriceList

LINES = (
    PriceSettings(amount="1"),
    PriceSettings(amount="2", purpose="promotion"),
    PriceSettings(amount="3", country="sg"),
    PriceSettings(amount="4", country="SG", purpose="verification"),
)


@pytest.mark.parametrize(
    ("country", "purpose", "unit"),
    [
        ("CN", Purpose.NOTIFICATION, 1),
        ("CN", Purpose.PROMOTION, 2),
        ("SG", Purpose.PROMOTION, 3),
        ("SG", Purpose.VERIFICATION, 4),
    ],
)
def test_the_most_specific_line_wins(country: str, purpose: Purpose, unit: int) -> None:
    prices = PriceList(LINES)
    assert prices.price(country, purpose, 1) == unit * 1_000_000
    assert prices.price(country, purpose, 3) == 3 * unit * 1_000_000


def test_what_no_line_covers_is_not_on_offer() -> None:
    prices = PriceList([PriceSettings(amount="0.1", country="SG")])
    assert prices.price("MY", Purpose.NOTIFICATION, 1) is None
    assert prices.price("MY", Purpose.NOTIFICATION, 1) is None  # remembered as well
    assert PriceList(()).price("SG", Purpose.PROMOTION, 1) is None


def test_a_price_of_nothing_is_a_price() -> None:
    assert PriceList([PriceSettings(amount="0")]).price("MY", Purpose.NOTIFICATION, 2) == 0


@pytest.mark.parametrize(
    "lines",
    [
        (PriceSettings(amount="-1"),),
        (PriceSettings(amount="much"),),
        (PriceSettings(amount="1", purpose="marketing"),),
        (PriceSettings(amount="1", country="sg"), PriceSettings(amount="2", country="SG")),
    ],
)
def test_a_wrong_line_is_refused(lines: tuple[PriceSettings, ...]) -> None:
    with pytest.raises(ValueError, match=r"price|amount"):
        PriceList(lines)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["*", "CN", "SG"]), st.sampled_from([*PURPOSES, "*"])), st.integers(0, 9)
    ),
    st.sampled_from(["CN", "SG", "MY"]),
    st.sampled_from(Purpose),
)
def test_order_in_the_file_does_not_matter(
    known: dict[tuple[str, str], int], country: str, purpose: Purpose
) -> None:
    lines = [
        PriceSettings(amount=str(unit), country=where, purpose=what) for (where, what), unit in known.items()
    ]
    expected = PriceList(lines).price(country, purpose, 1)
    assert PriceList(reversed(lines)).price(country, purpose, 1) == expected
