"""The small texts of risk rules: `3/1h`, `08:00-20:00 hold`."""

import re
from typing import NamedTuple

LONGEST_WINDOW = 86_400  # seconds; what is older is remembered by nobody
MOST = 1_000  # messages a limit may allow
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LIMIT = re.compile(r"(\d{1,6})/(\d{1,6})([smh])", re.ASCII)
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})(?: (hold|refuse))?", re.ASCII)


class Limit(NamedTuple):
    """So many messages within so many seconds."""

    most: int
    seconds: int


class Hours(NamedTuple):
    """From when until when, minutes of the recipient's day, and what becomes of a message outside of them."""

    start: int
    end: int
    refuse: bool = False  # else it is held


def read_limit(text: str) -> Limit:
    """Return the limit meant by `COUNT/WINDOW`, as `3/1h` or `1/30s`; raises `ValueError`."""
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"must be COUNT/WINDOW such as 3/1h or 1/30s, not {text!r}")
    limit = Limit(int(found[1]), int(found[2]) * _SECONDS[found[3]])
    if not 1 <= limit.most <= MOST or not 1 <= limit.seconds <= LONGEST_WINDOW:
        raise ValueError(f"must be 1 to {MOST} messages within 1s to 24h, not {text!r}")
    return limit


def read_hours(text: str) -> Hours:
    """Return the hours meant by `HH:MM-HH:MM [hold|refuse]`; raises `ValueError`."""
    found = _HOURS.fullmatch(" ".join(text.split()))
    if found is None:
        raise ValueError(f"must be HH:MM-HH:MM, then hold or refuse, as 08:00-20:00 hold; not {text!r}")
    start, end = (int(found[n]) * 60 + int(found[n + 1]) for n in (1, 3))
    if int(found[2]) > 59 or int(found[4]) > 59 or not 0 <= start < end <= 24 * 60:
        raise ValueError(f"must begin before it ends, within one day, not {text!r}")
    return Hours(start, end, found[5] == "refuse")
