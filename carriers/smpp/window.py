"""Requests of ours that wait for their answer, and the sequence numbers they carry."""

from typing import Final

from carriers.smpp.events import FaultKind
from carriers.smpp.vocabulary import SEQUENCE_MAX, CommandId

LATE_KEPT: Final = 4096  # expired requests still matched when answered late; the oldest are forgotten first


class Control:
    """The ref of the session's own requests: bind, enquire_link, unbind. They are outside the window."""


CONTROL: Final = Control()

Pending = tuple[object, int, float]  # ref, command_id of the answer, when it was sent


class Window:
    """At most `limit` unanswered requests, by sequence number, oldest first."""

    __slots__ = ("_controls", "_last", "_wrapped", "late", "limit", "pending")

    def __init__(self, limit: int, last_sequence: int = 0) -> None:
        self.limit = limit
        self.pending: dict[int, Pending] = {}
        self.late: dict[int, Pending] = {}
        self._controls = 0
        self._last = last_sequence
        self._wrapped = False

    def __repr__(self) -> str:
        return f"<Window {self.in_flight} of {self.limit} in flight, {len(self.late)} late>"

    @property
    def in_flight(self) -> int:
        """How many requests wait, the session's own left out."""
        return len(self.pending) - self._controls

    @property
    def room(self) -> int:
        """How many more may be sent."""
        return max(0, self.limit - self.in_flight)

    def next_sequence(self) -> int:
        """Return a number that nothing in flight has: 1 first, 1 again after 0x7FFFFFFF (§5.1.4)."""
        sequence = self._last
        while True:
            if sequence < SEQUENCE_MAX:
                sequence += 1
            else:
                sequence, self._wrapped = 1, True
            if sequence not in self.pending and sequence not in self.late:
                self._last = sequence
                return sequence

    def add(self, sequence: int, ref: object, response_id: int, now: float) -> None:
        """Remember a request; call it before its bytes can reach the peer."""
        self.pending[sequence] = (ref, response_id, now)
        if ref is CONTROL:
            self._controls += 1

    def settle(self, sequence: int, response_id: int) -> tuple[Pending, bool] | FaultKind:
        """Forget the request a response answers; return it and whether it had expired, or what is wrong."""
        entry = self.pending.get(sequence)
        late = entry is None
        if entry is None:
            entry = self.late.get(sequence)
        if entry is None:
            used = self.was_used(sequence)
            return FaultKind.DUPLICATE_ANSWER if used else FaultKind.UNSOLICITED_ANSWER
        if response_id not in (entry[1], CommandId.GENERIC_NACK):
            return FaultKind.MISMATCHED_ANSWER
        if late:
            del self.late[sequence]
        else:
            self._drop(sequence)
        return entry, late

    def _drop(self, sequence: int) -> Pending:
        entry = self.pending.pop(sequence)
        if entry[0] is CONTROL:
            self._controls -= 1
        return entry

    def was_used(self, sequence: int) -> bool:
        """Return whether `sequence` was given to a request of ours at some time."""
        return 0 < sequence <= (SEQUENCE_MAX if self._wrapped else self._last)

    def oldest(self) -> float | None:
        """Return when the oldest unanswered request was sent."""
        for _, _, sent_at in self.pending.values():
            return sent_at
        return None

    def expire(self, timeout: float, now: float) -> list[object]:
        """Move requests unanswered for `timeout` aside; return their refs, the session's own left out."""
        overdue = []
        for sequence, entry in self.pending.items():
            if entry[2] + timeout > now:
                break
            overdue.append(sequence)
        refs = []
        for sequence in overdue:
            entry = self._drop(sequence)
            self.late[sequence] = entry
            if entry[0] is not CONTROL:
                refs.append(entry[0])
        while len(self.late) > LATE_KEPT:
            del self.late[next(iter(self.late))]
        return refs

    def clear(self) -> list[tuple[int, object]]:
        """Forget everything; return sequence and ref of what was unanswered and had not expired."""
        left = [(sequence, entry[0]) for sequence, entry in self.pending.items() if entry[0] is not CONTROL]
        self.pending.clear()
        self.late.clear()
        self._controls = 0
        return left
