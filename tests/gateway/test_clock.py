"""The system clock."""

import time

from gateway.clock import SystemClock


def test_wall_time_is_unix_milliseconds() -> None:
    before = time.time() * 1000
    assert before - 1 <= SystemClock().now_ms() <= time.time() * 1000 + 1


def test_monotonic_time_never_steps_back() -> None:
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()
