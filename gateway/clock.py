"""Two clocks: one for what people read and what outlives the process, one for every timer."""

import time
from collections.abc import Callable
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

NANOSECONDS = 1_000_000_000
MILLISECOND = 1_000_000  # nanoseconds
INTERVAL = NANOSECONDS  # between two looks at the wall
SLEW = 0.1  # how much faster or slower than time itself a step of the wall is followed
STEP = 1.0  # seconds; what NTP corrects by slewing stays far below


class Clock(Protocol):
    """Where the flow gets its time from, so that tests can own it."""

    def now_ms(self) -> int:
        """Return unix time in milliseconds; never steps, neither back nor ahead."""

    def monotonic(self) -> float:
        """Return seconds that never step back."""


def _since_boot_ns() -> int:
    """Return nanoseconds nobody can set, the time a suspended machine sleeps included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class SystemClock:
    """The machine's clocks, unhurried by whoever sets them.

    Unix time begins as the wall's and passes as time does. When the wall steps (somebody sets it, or a time
    server corrects it), what waits must not expire at once and no window may open twice: the difference is
    made up at a tenth of the time that passes, and told in the log. A restart begins with the wall again.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = _since_boot_ns
    ) -> None:
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        self._base = steady_ns()  # where the current stretch begins …
        self._base_ns = wall_ns()  # … and what time it was
        self._rate = 1.0
        self._end = self._base + INTERVAL
        self._behind = 0.0  # seconds, when last looked

    def now_ms(self) -> int:
        """Return unix time in milliseconds."""
        return self._now_ns() // MILLISECOND

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        return time.monotonic()

    def behind(self) -> float:
        """Return by how many seconds the wall is ahead of `now_ms`: near 0, unless somebody set it."""
        return (self._wall_ns() - self._now_ns()) / NANOSECONDS

    def _now_ns(self) -> int:
        steady = self._steady_ns()
        if steady >= self._end:
            self._follow(steady)
        return self._base_ns + int((steady - self._base) * self._rate)

    def _follow(self, steady: int) -> None:
        """Begin the next stretch, at the rate that brings it as near to the wall as may be."""
        self._base_ns += int(INTERVAL * self._rate) + steady - self._end
        self._base, self._end = steady, steady + INTERVAL
        behind_ns = self._wall_ns() - self._base_ns
        self._rate = 1.0 + max(-SLEW, min(SLEW, behind_ns / INTERVAL))
        before, self._behind = self._behind, behind_ns / NANOSECONDS
        if abs(self._behind - before) >= STEP:
            log.warning(
                "the machine's clock was set; followed slowly, at once by a restart", behind=self._behind
            )
