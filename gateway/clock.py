"""Two clocks: the wall for what people read, the monotonic one for every timer."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the flow gets its time from, so that tests can own it."""

    def now_ms(self) -> int:
        """Return unix time in milliseconds; may step when the machine's clock is set."""

    def monotonic(self) -> float:
        """Return seconds that never step back."""


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Return unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        return time.monotonic()
