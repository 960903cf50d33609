"""What time it is where a number is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from phonenumbers import (
    SUPPORTED_REGIONS,
    PhoneNumberType,
    country_code_for_region,
    example_number_for_type,
)
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from routing.zones import NOWHERE, zones_of

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
SHARING = ("KZ", "YT", "BQ")  # their numbers are known by their own prefixes


@pytest.mark.parametrize(
    ("digits", "zones"),
    [
        ("8618500000123", ("Asia/Shanghai",)),
        ("12125550123", ("America/New_York",)),
        ("16045550123", ("America/Vancouver",)),
        ("74951234567", ("Europe/Moscow",)),
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


@pytest.mark.parametrize(
    ("digits", "far"),
    [
        ("79141234567", {"Europe/Moscow", "Asia/Vladivostok", "Asia/Kamchatka"}),
        ("61412345678", {"Australia/Sydney", "Australia/Perth"}),
        ("34612345678", {"Europe/Madrid", "Atlantic/Canary"}),
        ("64211234567", {"Pacific/Auckland", "Pacific/Chatham"}),
    ],
)
def test_a_mobile_number_may_be_in_any_zone_of_its_country(digits: str, far: set[str]) -> None:
    """The table names the zone of the capital alone, and it would be three in the morning in Vladivostok."""
    assert far <= set(zones_of(digits))


@pytest.mark.parametrize(
    "region", [name for name in sorted(SUPPORTED_REGIONS) if country_code_for_region(name) != 1]
)
@pytest.mark.parametrize("kind", [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE])
def test_no_zone_is_missed_that_the_library_finds_by_the_whole_number(region: str, kind: int) -> None:
    """North America is left out: an area code there says more than the library makes of it."""
    number = example_number_for_type(region, kind)
    if number is None or region in SHARING:
        pytest.skip("no such numbers, or they belong to a part of the country behind the code")
    digits = f"{number.country_code}{number.national_number}"
    offsets = {ZoneInfo(zone).utcoffset(NOON) for zone in time_zones_for_number(number)}
    assert offsets <= {ZoneInfo(zone).utcoffset(NOON) for zone in zones_of(digits)}
