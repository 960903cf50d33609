"""How fast a channel may send: paced by GCRA, capped over every second, slowed by the carrier's protests.

Pure: time enters as `now` (monotonic seconds). Counts are segments, over all links of the channel.
"""

from collections import deque
from math import inf

NO_LIMIT = 1 << 30  # what `available` says when nothing limits

_SLACK = 1.005  # the carrier's second is measured at its end of a line that jitters
_BURST = 0.1  # seconds of rate that may go at once: what a late timer may catch up
_EPSILON = 1e-9  # rounding of sums of intervals, far below what any timer can do

# AIMD. Carriers refuse in bursts; a mild cut that repeats finds the rate they bear with little loss.
_DECREASE = 0.7
_DEEPEST = 0.25  # one protest never cuts deeper, however little was sent just before
_RECOVERY = 0.05  # of the full rate, for each second's worth of segments taken
_FREE_AGAIN = 4.0  # without a contract rate: limits end at so many times the rate that was too much
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0


class Throttle:
    """Says when the next segments may go. Ask `available` or `admits`, then `take` what was sent."""

    __slots__ = (
        "_cap", "_in_window", "_mark", "_next", "_pause", "_period", "_sent",
        "current", "paused_until", "rate",
    )  # fmt: skip

    def __init__(self, rate: float) -> None:
        """`rate` is the contract's, in segments a second; 0: no limit until the carrier protests."""
        self.rate = rate
        self.current = rate or inf  # segments a second now
        self.paused_until = -inf
        self._cap = max(1, int(rate)) if rate else NO_LIMIT
        self._period = max(1.0, 1.0 / rate) * _SLACK if rate else 1.0
        self._sent: deque[tuple[float, int]] = deque()
        self._in_window = 0
        self._next = -inf  # GCRA's theoretical arrival time
        self._mark = rate  # the rate that recovery steps are a part of
        self._pause = _FIRST_PAUSE

    def available(self, now: float) -> int:
        """Return how many segments may go now."""
        if now < self.paused_until:
            return 0
        sent = self._sent
        if sent and sent[0][0] + self._period <= now:
            self._forget(now)
        room = self._cap - self._in_window
        if self.current != inf:
            ahead = now + _BURST - self._next
            if ahead < -_EPSILON:
                return 0
            paced = int(min(ahead, _BURST) * self.current + _EPSILON) + 1
            room = min(paced, room)
        return max(room, 0)

    def admits(self, weight: int, now: float) -> bool:
        """Return whether one part that counts for `weight` segments may go now.

        It may weigh more than the pace lets go at once, since it cannot be divided: the debt is paid by
        those behind it. One that outweighs a whole second goes when nothing else is in that second.
        """
        return self.next_at(now, weight) <= now

    def next_at(self, now: float, weight: int = 1) -> float:
        """Return when a part of `weight` may go if nothing else is taken; `now` if it may go now."""
        self._forget(now)
        at = max(now, self.paused_until, self._free_at(weight))
        if self.current != inf and self._next - _BURST > at + _EPSILON:
            at = self._next - _BURST
        return at

    def take(self, count: int, now: float) -> None:
        """Count `count` segments as sent now."""
        self._in_window += count
        if self.current != inf:
            self._next = max(self._next, now) + count / self.current
        sent = self._sent
        # without a cap the window only measures, and hundredths of a second are exact enough
        if sent and now - sent[-1][0] <= (0.0 if self.rate else 0.01):
            count += sent[-1][1]
            now = sent.pop()[0]
        sent.append((now, count))

    def throttled(self, now: float) -> None:
        """Note a refusal for going too fast: pause, then go on slower.

        Refusals that come in during the pause answer what was sent before it and say nothing new.
        """
        if now < self.paused_until:
            return
        self._forget(now)
        measured = self._in_window / self._period
        if self.current == inf:
            self.current = self._mark = max(measured, 1.0)
        slowed = max(min(self.current, measured) * _DECREASE, self.current * _DEEPEST)
        self.current = max(slowed, min(1.0, self.rate or 1.0))
        self.paused_until = now + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def succeeded(self, count: int, now: float) -> None:
        """Note segments the carrier took: the rate recovers step by step."""
        if self.current >= (self.rate or inf) or now < self.paused_until:
            return
        self._pause = _FIRST_PAUSE
        self.current += self._mark * _RECOVERY * count / self.current
        if self.rate:
            self.current = min(self.current, self.rate)
        elif self.current >= self._mark * _FREE_AGAIN:
            self.current = inf

    def _forget(self, now: float) -> None:
        sent = self._sent
        while sent and sent[0][0] + self._period <= now:
            self._in_window -= sent.popleft()[1]

    def _free_at(self, weight: int) -> float:
        """Return when the window has room for `weight`, or is empty."""
        excess = self._in_window + weight - self._cap
        if excess <= 0:
            return -inf
        at = -inf
        for sent_at, count in self._sent:
            at = sent_at + self._period
            excess -= count
            if excess <= 0:
                break
        return at
