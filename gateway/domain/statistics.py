"""What the statistics count: how a message stands, what it costs, and which day it belongs to."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from gateway.domain.message import State

QUARTER_MS = 900_000  # a day of any time zone begins with a quarter of an hour of UTC


class Standing(IntEnum):
    """What has become of a message; the value says which pair of `COUNTERS` counts it beside the first."""

    OPEN = 0
    SUCCESS = 1
    FAILED = 2
    UNKNOWN = 3
    SUBMIT_FAILED = 4


# messages and segments: all of them, then by standing; then what the customer told of their use
COUNTERS = (
    "messages", "segments", "success", "success_segments", "failed", "failed_segments", "unknown",
    "unknown_segments", "submit_failed", "submit_failed_segments", "used", "unused",
)  # fmt: skip
USED, UNUSED = COUNTERS.index("used"), COUNTERS.index("unused")

_STANDINGS = {
    State.DELIVERED: Standing.SUCCESS,
    State.UNDELIVERED: Standing.FAILED,
    State.REJECTED: Standing.FAILED,
    State.UNKNOWN: Standing.UNKNOWN,
}
_BEFORE_SUBMISSION = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED})


def standing(state: int, submitted: bool) -> Standing:
    """Return how a message in `state` counts; `submitted`: the carrier had taken it."""
    if state in _BEFORE_SUBMISSION:
        return Standing.FAILED if submitted else Standing.SUBMIT_FAILED
    return _STANDINGS.get(State(state), Standing.OPEN)


def cost(state: int, segments: int, sent_segments: int) -> int:
    """Return the segments a message counts for: those the carrier took, once it took no more."""
    return sent_segments or segments if state >= State.DELIVERED else segments


def share(part: int, whole: int) -> float:
    """Return `part` in percent of `whole`, with two decimals; 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0


class Calendar:
    """Says which day a moment belongs to, in the time zone that was set at that moment."""

    def __init__(self, zones: Iterable[tuple[int, str]] = ()) -> None:
        """`zones`: since when (unix ms) which zone holds, the first of them before that too; none: UTC."""
        self._zones = [(since, ZoneInfo(name)) for since, name in sorted(zones)] or [(0, ZoneInfo("UTC"))]
        self._days: dict[int, str] = {}

    def day(self, at_ms: int) -> str:
        """Return the day of `at_ms` as YYYY-MM-DD."""
        return self.day_of_quarter(at_ms // QUARTER_MS)

    def day_of_quarter(self, quarter: int) -> str:
        """Return the day of a quarter of an hour, counted from 1970."""
        day = self._days.get(quarter)
        if day is None:
            if len(self._days) > 10_000:
                self._days.clear()
            zone = self._zone(quarter * QUARTER_MS)
            day = datetime.fromtimestamp(quarter * 900, zone).date().isoformat()
            self._days[quarter] = day
        return day

    def span(self, day: date) -> tuple[int, int]:
        """Return from when to when (unix ms, the end not included) moments may belong to `day`."""
        starts = [_start(day, zone) for _, zone in self._zones]
        ends = [_start(day + timedelta(days=1), zone) for _, zone in self._zones]
        return min(starts), max(ends)

    def _zone(self, at_ms: int) -> ZoneInfo:
        found = self._zones[0][1]
        for since, zone in self._zones:
            if since <= at_ms:
                found = zone
        return found


def _start(day: date, zone: ZoneInfo) -> int:
    """Return the first moment of `day`: where clocks jump over midnight, that is when they do."""
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    return int(midnight.timestamp()) * 1000
