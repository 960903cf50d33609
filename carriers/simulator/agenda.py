"""What is to happen later: actions ordered by time. Pure; time passed in."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any


class Agenda:
    """Actions, each with its argument and the moment it is due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._order = count()  # keeps equal moments in the order they were given

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: float, action: Callable[[Any], None], argument: Any) -> None:
        """Call `action(argument)` once it is `when`."""
        heappush(self._heap, (when, next(self._order), action, argument))

    def next_due(self) -> float | None:
        """Return when the next action is due, or None if there is none."""
        return self._heap[0][0] if self._heap else None

    def run_due(self, now: float) -> None:
        """Carry out everything due by `now`, in order of time."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            _, _, action, argument = heappop(heap)
            action(argument)
