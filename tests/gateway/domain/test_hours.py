"""Promotion by the recipient's clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.limits import Hours
from gateway.domain.hours import opens_at

DAYTIME = Hours(8 * 60, 20 * 60)
MALAYSIA = ("Asia/Kuala_Lumpur",)


def ms(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        ("2026-03-02 07:59:59", "2026-03-02 08:00"),
        ("2026-03-02 08:00", None),
        ("2026-03-02 19:59:59", None),
        ("2026-03-02 20:00", "2026-03-03 08:00"),
        ("2026-12-31 23:30", "2027-01-01 08:00"),
    ],
)
def test_the_clock_of_the_recipient_counts(now: str, begins: str | None) -> None:
    zone = "Asia/Kuala_Lumpur"
    wanted = 0 if begins is None else ms(begins, zone)
    assert opens_at(ms(now, zone), MALAYSIA, DAYTIME) == wanted


def test_all_the_zones_a_number_may_be_in_must_agree() -> None:
    zones = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")  # UTC+7, +8, +9
    assert opens_at(ms("2026-03-02 08:30", "Asia/Jayapura"), zones, DAYTIME) == ms(
        "2026-03-02 08:00", "Asia/Jakarta"
    )
    assert opens_at(ms("2026-03-02 08:00", "Asia/Jakarta"), zones, DAYTIME) == 0
    # evening in the east comes first
    late = ms("2026-03-02 20:00", "Asia/Jayapura")
    assert opens_at(late, zones, DAYTIME) == ms("2026-03-03 08:00", "Asia/Jakarta")


def test_zones_without_a_common_minute_never_open() -> None:
    zones = ("Asia/Shanghai", "America/Puerto_Rico")  # twelve hours apart
    assert opens_at(ms("2026-03-02 12:00"), zones, DAYTIME) is None


def test_the_clock_is_put_forward_over_the_beginning() -> None:
    early = Hours(2 * 60 + 15, 3 * 60 + 30)  # in Berlin there is no 02:15 that night
    now = ms("2026-03-29 01:00", "Europe/Berlin")
    begins = opens_at(now, ("Europe/Berlin",), early)
    assert begins is not None
    assert (
        datetime.fromtimestamp(begins / 1000, ZoneInfo("Europe/Berlin")).isoformat()
        == "2026-03-29T03:15:00+02:00"
    )


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    night = Hours(2 * 60, 3 * 60)
    first = ms("2026-10-25 00:30")  # 02:30 summer time
    assert opens_at(first, ("Europe/Berlin",), night) == 0
    assert opens_at(first + 3_600_000, ("Europe/Berlin",), night) == 0  # 02:30 again


zones = st.sampled_from(
    [
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ]
)


@given(
    st.integers(1_760_000_000, 1_800_000_000),
    st.lists(zones, min_size=1, max_size=2, unique=True),
    st.integers(0, 23),
    st.integers(1, 24),
)
def test_the_answer_is_the_first_minute_that_suits_all(
    now: int, places: list[str], start: int, length: int
) -> None:
    hours = Hours(start * 60, min(24, start + length) * 60)

    def suits(moment: int) -> bool:
        times = [datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(place)) for place in places]
        return all(hours.start <= time.hour * 60 + time.minute < hours.end for time in times)

    found = opens_at(now * 1000, places, hours)
    if found == 0:
        assert suits(now)
        return
    assert not suits(now)
    # every quarter of an hour: no zone here begins at another minute
    first = next((t for t in range(now - now % 900 + 900, now + 3 * 86_400, 900) if suits(t)), None)
    assert found == (None if first is None else first * 1000)
