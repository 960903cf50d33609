"""Parts of handsets' messages become whole messages. Time is an argument, monotonic seconds.

A message is known by (channel, source, destination, reference, total). Parts come in any order, twice, late
or never; references come round again. Nothing that comes in is left out of what comes out:

- a part again with the same octets is a repetition, also of a message just finished;
- a part again with other octets begins a second message of the same name; both are flagged, since which
  further part belongs to which is then a guess (the older message gets it);
- when its time is over a message goes out with the parts it has; what comes later is its remainder;
- when too many parts wait the oldest message gives way.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from carriers.smpp.userdata import UserData
from gateway.domain.inbound import Completion

REMEMBERED = 600.0  # seconds a finished message is remembered: carriers repeat what they think was lost


class Key(NamedTuple):
    """What parts of one message have in common."""

    channel: str
    source: str
    destination: str
    reference: int
    total: int


@dataclass(frozen=True, slots=True)
class Part:
    """One `deliver_sm`, stored."""

    id: int  # its row's
    channel: str
    source: str
    destination: str
    received_at: int  # unix ms
    data: UserData
    digest: bytes  # of what it carries: the same octets, the same part
    national: bool = False  # `source` is a national number, and nobody can tell of which country

    @property
    def key(self) -> Key | None:
        """The message it belongs to; None: it is one by itself."""
        place = self.data.place
        if place is None:
            return None
        return Key(self.channel, self.source, self.destination, place.reference, place.total)


def digest_of(data_coding: int, payload: bytes, *more: str) -> bytes:
    """Return a short name for what a part carries."""
    return blake2b(repr((data_coding, payload, more)).encode(), digest_size=16).digest()


@dataclass(slots=True)
class Whole:
    """One message, as whole as it gets."""

    id: int
    total: int
    parts: dict[int, Part]  # by number; never empty
    completion: Completion
    missing: tuple[int, ...] = ()
    duplicates: tuple[int, ...] = ()  # rows of parts that were repeated meanwhile
    conflict: bool = False
    remainder_of: int | None = None

    @property
    def first(self) -> Part:
        """The part that came first."""
        return min(self.parts.values(), key=lambda part: part.id)


class Repeat(NamedTuple):
    """A part that a finished message has already."""

    part_id: int
    message_id: int


@dataclass(slots=True)
class _Waiting:
    key: Key
    deadline: float
    expected: int  # a bit for each number: sets would take 8 KiB for a message of 255 parts
    parts: dict[int, Part] = field(default_factory=dict)
    duplicates: list[int] = field(default_factory=list)
    conflict: bool = False
    remainder_of: int | None = None


@dataclass(slots=True)
class _Finished:
    id: int
    key: Key
    forget_at: float
    digests: dict[int, bytes]
    missing: int  # a bit for each number


class Reassembly:
    """All messages that wait for parts, oldest first."""

    def __init__(self, timeout: float, capacity: int, new_id: Callable[[], int]) -> None:
        """`capacity`: parts held at most, and parts of finished messages remembered at most."""
        self._timeout = timeout
        self._capacity = capacity
        self._new_id = new_id
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()  # in order of their deadlines
        self._by_key: dict[Key, list[int]] = {}
        self._finished: OrderedDict[int, _Finished] = OrderedDict()
        self._finished_by_key: dict[Key, list[int]] = {}
        self._serial = 0
        self._held = 0
        self._remembered = 0
        self._unsure: dict[bytes, list[int]] = {}
        self._unsure_until = 0.0
        self._wholes: list[Whole] = []
        self._repeats: list[Repeat] = []

    def __repr__(self) -> str:
        return f"<Reassembly {len(self._waiting)} messages, {self._held} parts waiting>"

    @property
    def held(self) -> int:
        """How many parts wait."""
        return self._held

    def add(self, part: Part, now: float, *, deadline: float | None = None) -> None:
        """Take a part; `deadline`: of the message it begins, if that is not the usual one."""
        key, place = part.key, part.data.place
        if key is None or place is None:
            self._add_whole(part, now)
            return
        self._forget(now)
        if self._is_repeat(key, place.number, part):
            return
        if not self._joins(key, place.number, part, now):
            self._begin(key, place.number, part, now + self._timeout if deadline is None else deadline)
            self._complete_if_whole(next(reversed(self._waiting)), now)
        while self._held > self._capacity:
            self._close(next(iter(self._waiting)), Completion.MEMORY_FULL, now)

    def expire(self, now: float) -> None:
        """Finish the messages whose time is over."""
        while self._waiting:
            serial, group = next(iter(self._waiting.items()))
            if group.deadline > now:
                break
            self._close(serial, Completion.TIMED_OUT, now)

    def next_deadline(self) -> float | None:
        """Return when `expire` next has something to do."""
        return next(iter(self._waiting.values())).deadline if self._waiting else None

    def take(self) -> tuple[list[Whole], list[Repeat]]:
        """Hand over, and forget, what has come out since the last call, in order."""
        wholes, self._wholes = self._wholes, []
        repeats, self._repeats = self._repeats, []
        return wholes, repeats

    # what an earlier run has left

    def remember(self, key: Key, message_id: int, digests: dict[int, bytes], now: float) -> None:
        """Know a message an earlier run has finished."""
        missing = _all_of(key.total) & ~_bits(digests)
        self._keep(_Finished(message_id, key, now + REMEMBERED, digests, missing))

    def unsure(self, digests: Iterable[tuple[bytes, int]], now: float) -> None:
        """Know messages of one piece whose acknowledgement may have been lost: (digest, message).

        Each that comes once more soon is a repetition. At other times the same text again is a new message:
        people do say the same thing twice.
        """
        if now >= self._unsure_until:
            self._unsure.clear()
        self._unsure_until = now + REMEMBERED
        for digest, message_id in digests:
            self._unsure.setdefault(digest, []).append(message_id)
            if len(self._unsure) > self._capacity:
                del self._unsure[next(iter(self._unsure))]

    # one part

    def _add_whole(self, part: Part, now: float) -> None:
        known = self._unsure.get(part.digest)
        if known and now < self._unsure_until:
            self._repeats.append(Repeat(part.id, known.pop()))
            if not known:
                del self._unsure[part.digest]
            return
        self._wholes.append(Whole(self._new_id(), 1, {1: part}, Completion.WHOLE))

    def _is_repeat(self, key: Key, number: int, part: Part) -> bool:
        for serial in self._by_key.get(key, ()):
            group = self._waiting[serial]
            known = group.parts.get(number)
            if known is not None and known.digest == part.digest:
                group.duplicates.append(part.id)
                return True
        for message_id in reversed(self._finished_by_key.get(key, ())):
            if self._finished[message_id].digests.get(number) == part.digest:
                self._repeats.append(Repeat(part.id, message_id))
                return True
        return False

    def _joins(self, key: Key, number: int, part: Part, now: float) -> bool:
        for serial in self._by_key.get(key, ()):
            group = self._waiting[serial]
            if not group.expected >> number & 1:
                continue
            if number not in group.parts:
                group.parts[number] = part
                self._held += 1
                self._complete_if_whole(serial, now)
                return True
            group.conflict = True
        return False

    def _begin(self, key: Key, number: int, part: Part, deadline: float) -> None:
        rivals = [self._waiting[serial] for serial in self._by_key.get(key, ())]
        group = _Waiting(key, deadline, _all_of(key.total), {number: part})
        group.conflict = any(rival.conflict for rival in rivals)
        for message_id in reversed(self._finished_by_key.get(key, ()) if not rivals else ()):
            finished = self._finished[message_id]
            if finished.missing >> number & 1:
                group.expected, group.remainder_of = finished.missing, message_id
                finished.missing = 0  # whatever comes now belongs to the remainder
                break
        self._serial += 1
        self._held += 1
        self._waiting[self._serial] = group
        self._by_key.setdefault(key, []).append(self._serial)

    # the end of a message

    def _complete_if_whole(self, serial: int, now: float) -> None:
        group = self._waiting[serial]
        if len(group.parts) == group.expected.bit_count():
            self._close(serial, Completion.JOINED, now)

    def _close(self, serial: int, completion: Completion, now: float) -> None:
        group = self._waiting.pop(serial)
        _without(self._by_key, group.key, serial)
        self._held -= len(group.parts)
        missing = group.expected & ~_bits(group.parts)
        whole = Whole(
            self._new_id(),
            group.key.total,
            group.parts,
            completion,
            tuple(number for number in range(1, group.key.total + 1) if missing >> number & 1),
            tuple(group.duplicates),
            group.conflict,
            group.remainder_of,
        )
        self._wholes.append(whole)
        digests = {number: part.digest for number, part in group.parts.items()}
        self._keep(_Finished(whole.id, group.key, now + REMEMBERED, digests, missing))

    def _keep(self, finished: _Finished) -> None:
        self._finished[finished.id] = finished
        self._finished_by_key.setdefault(finished.key, []).append(finished.id)
        self._remembered += len(finished.digests)
        while self._remembered > self._capacity and len(self._finished) > 1:
            self._drop_oldest()

    def _forget(self, now: float) -> None:
        while self._finished and next(iter(self._finished.values())).forget_at <= now:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        message_id, finished = self._finished.popitem(last=False)
        _without(self._finished_by_key, finished.key, message_id)
        self._remembered -= len(finished.digests)


def _all_of(total: int) -> int:
    return (1 << total + 1) - 2


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def _without(index: dict[Key, list[int]], key: Key, value: int) -> None:
    """Take `value` out of the list at `key`; an empty list goes too."""
    values = index[key]
    values.remove(value)
    if not values:
        del index[key]
