"""Requests a second, key by key."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.web.rate import KeyRate


def test_a_seconds_worth_may_come_at_once_then_one_by_one() -> None:
    rate = KeyRate(5)
    assert [rate.allow("a", 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [rate.allow("a", 0.2) for _ in range(2)] == [True, False]
    assert [rate.allow("a", 10.0) for _ in range(6)] == [True] * 5 + [False]


def test_keys_do_not_share() -> None:
    rate = KeyRate(1)
    assert [rate.allow("a", 0.0), rate.allow("a", 0.0), rate.allow("b", 0.0)] == [True, False, True]


def test_less_than_one_a_second() -> None:
    rate = KeyRate(0.1)
    assert [rate.allow("a", now) for now in (0.0, 9.0, 10.0)] == [True, False, True]


def test_no_limit() -> None:
    assert all(KeyRate(0).allow("a", 0.0) for _ in range(1000))


@given(st.floats(0.5, 50), st.lists(st.floats(0, 0.5), max_size=80))
def test_over_any_time_no_more_than_the_rate_and_one_seconds_worth(
    per_second: float, pauses: list[float]
) -> None:
    rate, now, passed = KeyRate(per_second), 0.0, 0
    for pause in pauses:
        now += pause
        passed += rate.allow("a", now)
    assert passed <= max(1.0, per_second) + now * per_second + 1e-3
