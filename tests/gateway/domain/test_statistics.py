"""How messages count, and which day is theirs."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.message import State
from gateway.domain.statistics import COUNTERS, QUARTER_MS, Calendar, Standing, cost, share, standing

DAY_MS = 86_400_000
ZONES = ["UTC", "Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "Africa/Cairo"]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("state", "submitted", "expected"),
    [
        (State.ACCEPTED, False, Standing.OPEN),
        (State.QUEUED, False, Standing.OPEN),
        (State.HELD, False, Standing.OPEN),
        (State.SENDING, False, Standing.OPEN),
        (State.IN_DOUBT, False, Standing.OPEN),
        (State.SUBMITTED, True, Standing.OPEN),
        (State.DELIVERED, True, Standing.SUCCESS),
        (State.UNDELIVERED, True, Standing.FAILED),
        (State.REJECTED, True, Standing.FAILED),
        (State.EXPIRED, True, Standing.FAILED),  # told by a receipt
        (State.EXPIRED, False, Standing.SUBMIT_FAILED),  # its validity ended in the queue
        (State.FAILED, False, Standing.SUBMIT_FAILED),
        (State.CANCELLED, False, Standing.SUBMIT_FAILED),
        (State.UNKNOWN, True, Standing.UNKNOWN),
        (State.UNKNOWN, False, Standing.UNKNOWN),  # given up in doubt
    ],
)
def test_every_state_counts_somewhere(state: State, submitted: bool, expected: Standing) -> None:
    assert standing(state, submitted) is expected


@pytest.mark.parametrize("state", State)
def test_no_final_state_is_left_open(state: State) -> None:
    assert (standing(state, True) is Standing.OPEN) == (not state.final)


def test_each_standing_has_its_pair_of_counters() -> None:
    for one in Standing:
        name = "messages" if one is Standing.OPEN else one.name.lower()
        assert COUNTERS[2 * one] == name
        assert COUNTERS[2 * one + 1] == ("segments" if one is Standing.OPEN else f"{name}_segments")


def test_a_message_costs_what_the_carrier_took_of_it() -> None:
    assert cost(State.SENDING, 3, 1) == 3
    assert cost(State.DELIVERED, 3, 3) == 3
    assert cost(State.UNDELIVERED, 3, 1) == 1  # the rest was refused
    assert cost(State.FAILED, 3, 0) == 3  # what was not submitted


def test_a_share_has_two_decimals_and_nothing_has_none() -> None:
    assert share(1, 3) == 33.33
    assert share(2, 3) == 66.67
    assert share(5, 5) == 100.0
    assert share(0, 0) == 0.0


def test_midnight_is_that_of_the_zone() -> None:
    shanghai = Calendar([(0, "Asia/Shanghai")])
    assert shanghai.day(ms("2026-11-23T15:59:59.999+00:00")) == "2026-11-23"
    assert shanghai.day(ms("2026-11-23T16:00:00+00:00")) == "2026-11-24"


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # clocks jump over midnight: the day begins at one
        ("Asia/Shanghai", date(2026, 3, 29), 24),
        ("Asia/Kathmandu", date(2026, 3, 29), 24),  # a quarter of an hour beside the others
    ],
)
def test_a_day_lasts_as_long_as_its_zone_has_it(zone: str, day: date, hours: int) -> None:
    calendar = Calendar([(0, zone)])
    begin, end = calendar.span(day)
    assert end - begin == hours * 3_600_000
    assert [calendar.day(at) for at in (begin - 1, begin, end - 1, end)] == [
        (day - timedelta(days=1)).isoformat(),
        day.isoformat(),
        day.isoformat(),
        (day + timedelta(days=1)).isoformat(),
    ]


@given(zone=st.sampled_from(ZONES), at=st.integers(ms("2024-01-01T00:00Z"), ms("2035-01-01T00:00Z")))
def test_the_day_is_what_a_clock_on_the_wall_says(zone: str, at: int) -> None:
    calendar = Calendar([(0, zone)])
    day = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date()
    assert calendar.day(at) == day.isoformat()
    begin, end = calendar.span(day)
    assert begin <= at < end


def test_another_zone_counts_from_its_time_on_and_changes_nothing_before() -> None:
    change = ms("2026-11-23T10:00Z")
    calendar = Calendar([(change, "America/New_York"), (0, "Asia/Shanghai")])
    assert calendar.day(ms("2026-11-22T17:00Z")) == "2026-11-23"
    assert calendar.day(change - 1) == "2026-11-23"
    assert calendar.day(ms("2026-11-24T03:00Z")) == "2026-11-23"
    assert calendar.day(ms("2026-11-24T05:00Z")) == "2026-11-24"
    begin, end = calendar.span(date(2026, 11, 23))
    assert (begin, end) == (ms("2026-11-22T16:00Z"), ms("2026-11-24T05:00Z"))


def test_without_a_zone_days_are_utcs() -> None:
    assert Calendar().day(0) == "1970-01-01"
    assert Calendar().day(DAY_MS - 1) == "1970-01-01"
    assert Calendar().day(DAY_MS) == "1970-01-02"
    assert Calendar().day_of_quarter(DAY_MS // QUARTER_MS) == "1970-01-02"


def test_a_calendar_that_has_seen_years_forgets_and_is_right_still() -> None:
    calendar = Calendar()
    for quarter in range(30_000):
        assert (
            calendar.day_of_quarter(quarter) == (date(1970, 1, 1) + timedelta(days=quarter // 96)).isoformat()
        )
