"""How many requests a second each key may make."""


class KeyRate:
    """One generic cell rate limiter per key; a second's worth may come at once.

    Memory follows the number of keys asked about, so ask about known ones only.
    """

    def __init__(self, per_second: float) -> None:
        """`per_second` 0: no limit."""
        self._gap = 1.0 / per_second if per_second else 0.0
        self._burst = max(1.0, self._gap)
        self._full_at: dict[str, float] = {}

    def allow(self, key: str, now: float) -> bool:
        """Count a request at `now` (monotonic seconds) and say whether it is within the limit."""
        if not self._gap:
            return True
        due = max(self._full_at.get(key, now), now) + self._gap
        if due - now > self._burst + 1e-9:  # the sums of many gaps are not exact
            return False
        self._full_at[key] = due
        return True
