"""Rates and hours as people write them."""

import pytest

from config.limits import Hours, Limit, read_hours, read_limit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("1/30s", Limit(1, 30)),
        ("3/1h", Limit(3, 3600)),
        ("10/24h", Limit(10, 86_400)),
        (" 5/2m ", Limit(5, 120)),
    ],
)
def test_a_rate_is_a_count_and_a_window(text: str, limit: Limit) -> None:
    assert read_limit(text) == limit


@pytest.mark.parametrize(
    "text", ["", "3", "3/h", "0/1h", "3/0s", "3/25h", "1001/1h", "-1/1h", "3/1d", "３/1h"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        read_limit(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("08:00-20:00", Hours(480, 1200)),
        ("8:00-20:30  refuse", Hours(480, 1230, refuse=True)),
        ("00:00-24:00 hold", Hours(0, 1440)),
    ],
)
def test_hours_are_a_beginning_and_an_end(text: str, hours: Hours) -> None:
    assert read_hours(text) == hours


@pytest.mark.parametrize(
    "text", ["", "08:00", "20:00-08:00", "08:00-08:00", "08:60-20:00", "08:00-24:01", "8-20 hold"]
)
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_hours(text)
