"""Segments a channel has taken and not yet sent, in the order they were given. Pure."""

from bisect import bisect
from collections import deque
from collections.abc import Sequence
from operator import attrgetter

from carriers.results import Segment

_by_order = attrgetter("order")


class SendQueue:
    """Keeps the order: what the carrier refused for going too fast goes again before all that followed it."""

    def __init__(self) -> None:
        self._fresh: deque[Segment] = deque()
        self._again: deque[Segment] = deque()  # by order; each was taken before, so it precedes `_fresh`
        self._orders = 0

    def __len__(self) -> int:
        return len(self._fresh) + len(self._again)

    def add(self, segments: Sequence[Segment], now: float) -> None:
        """Append new segments."""
        order = self._orders
        for segment in segments:
            order += 1
            segment.order = order
            segment.given_at = now
        self._orders = order
        self._fresh.extend(segments)

    def put_back(self, segment: Segment) -> None:
        """Take a segment that was sent and must go again; it gets its old place."""
        at = bisect(self._again, segment.order, key=_by_order)
        self._again.insert(at, segment)

    def head(self) -> Segment | None:
        """Return what goes next."""
        if self._again:
            return self._again[0]
        return self._fresh[0] if self._fresh else None

    def take(self, limit: int) -> list[Segment]:
        """Remove and return up to `limit` segments that count one each; a heavier one goes alone."""
        taken: list[Segment] = []
        for source in (self._again, self._fresh):
            while source and len(taken) < limit:
                heavy = source[0].part.weight > 1
                if heavy and taken:
                    return taken
                taken.append(source.popleft())
                if heavy:
                    return taken
        return taken

    def untake(self, segments: Sequence[Segment]) -> None:
        """Give back the end of what `take` just returned."""
        self._again.extendleft(reversed(segments))

    def clear(self) -> list[Segment]:
        """Remove and return everything, in order."""
        everything = [*self._again, *self._fresh]
        self._again.clear()
        self._fresh.clear()
        return everything
