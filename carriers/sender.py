"""Which segment goes next, when, and by which link: order, window and rate of one channel. Time passed in."""

import math
from collections.abc import Sequence
from typing import Protocol

from carriers.results import Segment
from carriers.sendqueue import SendQueue
from carriers.throttle import Throttle

AHEAD = 0.1  # seconds of rate that may wait here; the rest waits where it can still be re-routed


class Way(Protocol):
    """A link bound for sending."""

    @property
    def room(self) -> int:
        """How many segments may go now."""

    def submit(self, segments: Sequence[Segment], now: float) -> None:
        """Send `segments`, not more than `room`."""


class Sender:
    """The segments a channel holds, and the links they may go by.

    The parts of a message follow each other on one link, as long as it is there.
    """

    def __init__(self, window: int, rate: float) -> None:
        """`window` is one link's, `rate` the channel's."""
        self.queue = SendQueue()
        self.throttle = Throttle(rate)
        self.sent = 0  # repeats included
        self._window = window
        self._ways: list[Way] = []
        self._last: tuple[Way, int] | None = None  # where the last segment went, and its order

    def __bool__(self) -> bool:
        return bool(self._ways)

    @property
    def window(self) -> int:
        """How many segments all links together may leave unanswered."""
        return len(self._ways) * self._window

    def join(self, way: Way) -> None:
        """Send by `way` too; it is known already or not."""
        if way not in self._ways:
            self._ways.append(way)

    def leave(self, way: Way) -> None:
        """Send by `way` no more."""
        if way in self._ways:
            self._ways.remove(way)

    def room(self, now: float) -> int:
        """Return how many segments would be taken and sent about now."""
        throttle = self.throttle
        if now < throttle.paused_until:
            return 0
        room = sum(way.room for way in self._ways)
        if throttle.current != math.inf:
            room = min(room, throttle.available(now) + max(1, int(throttle.current * AHEAD)))
        return max(0, room - len(self.queue))

    def pump(self, now: float) -> float | None:
        """Send what waits as far as windows and rate allow; return when the rate will allow more."""
        throttle, queue = self.throttle, self.queue
        while (head := queue.head()) is not None and (way := self._way_for(head)) is not None:
            weight = head.part.weight
            if not throttle.admits(weight, now):
                return throttle.next_at(now, weight)
            batch = queue.take(min(way.room, throttle.available(now)) if weight == 1 else 1)
            batch = self._whole_messages(batch, way)
            throttle.take(weight if weight > 1 else len(batch), now)
            self.sent += len(batch)
            self._last = (way, batch[-1].order)
            self._ways.remove(way)  # to the end: of links with equal room the longest unused goes next
            self._ways.append(way)
            way.submit(batch, now)
        return None

    def _way_for(self, head: Segment) -> Way | None:
        """Return the link `head` may go by now."""
        ways = self._ways
        if len(ways) == 1:
            return ways[0] if ways[0].room else None
        if not ways:
            return None
        part = head.part
        if part.number > 1 and self._last is not None and self._last[1] == head.order - 1:
            way = self._last[0]
            if way in ways:
                return way if way.room else None
        best = max(ways, key=_room)
        return best if best.room >= min(part.total - part.number + 1, self._window) else None

    def _whole_messages(self, batch: list[Segment], way: Way) -> list[Segment]:
        """Cut off a message at the end that the link has no room to finish; another may have."""
        last = batch[-1]
        begun = last.part.number
        if len(self._ways) == 1 or begun == last.part.total or way.room > len(batch):
            return batch
        if begun >= len(batch) or batch[-begun].order != last.order - begun + 1:
            return batch
        self.queue.untake(batch[-begun:])
        return batch[:-begun]


def _room(way: Way) -> int:
    return way.room
