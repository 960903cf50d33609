"""How long a link waits before it connects again. Pure; time passed in."""

from random import Random

from config.schema import TimerConfig


class Backoff:
    """Doubles the wait after each failure, with jitter and a cap; starts over only after a stable bind.

    Jitter takes up to half off: links that fell together do not all come back in the same moment.
    """

    def __init__(self, timers: TimerConfig, random: Random) -> None:
        self._timers = timers
        self._random = random
        self._failures = 0
        self._bound_at: float | None = None

    def bound(self, now: float) -> None:
        """Note that the session is bound since `now`."""
        self._bound_at = now

    def after_end(self, now: float, *, credentials: bool = False) -> float:
        """Return the seconds to wait after a connection failed or ended at `now`.

        With `credentials` (the carrier refused who we are) not less than `backoff_credentials`: trying
        faster helps nobody and locks accounts.
        """
        timers = self._timers
        if self._bound_at is not None and now - self._bound_at >= timers.stable_after:
            self._failures = 0
        self._bound_at = None
        full = min(timers.backoff_base * 2.0 ** min(self._failures, 32), timers.backoff_cap)
        self._failures += 1
        wait = full * self._random.uniform(0.5, 1.0)
        return max(wait, timers.backoff_credentials) if credentials else wait
