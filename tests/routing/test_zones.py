"""What time it is where a number is."""

from zoneinfo import ZoneInfo

import pytest
from phonenumbers.tzdata import TIMEZONE_DATA

from routing.zones import NOWHERE, zones_of


@pytest.mark.parametrize(
    ("digits", "zones"),
    [
        ("8618500000123", ("Asia/Shanghai",)),
        ("12125550123", ("America/New_York",)),
        ("16045550123", ("America/Vancouver",)),
        ("79161234567", ("Europe/Moscow",)),
        ("976136234567", ("Asia/Choibalsan", "Asia/Ulaanbaatar")),
        ("870123456789", NOWHERE),
        ("", NOWHERE),
    ],
)
def test_a_number_has_the_zones_of_its_longest_known_prefix(digits: str, zones: tuple[str, ...]) -> None:
    assert zones_of(digits) == zones


def test_every_zone_of_the_numbers_is_one_that_is_known_here() -> None:
    for zone in {zone for zones in TIMEZONE_DATA.values() for zone in zones} | set(NOWHERE):
        assert ZoneInfo(zone).key == zone
