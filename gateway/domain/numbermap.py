"""Telephone numbers with a few bits each, a million of them in less than 25 MB.

Open addressing in arrays of 64-bit numbers: 15 digits take 50 bits, the flags the rest. The arrays are many
and small, so that growing never takes longer than some milliseconds.
"""

from array import array
from collections.abc import Iterator

FLAG_BITS = 10
_FLAGS = (1 << FLAG_BITS) - 1
_SMALLEST = 8
_SHARDS = 255
_MIX = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio: spreads numbers that follow each other
_WORD = (1 << 64) - 1


class NumberMap:
    """Number → flags; a number without flags is not there."""

    __slots__ = ("_count", "_shards", "_used")

    def __init__(self) -> None:
        self._shards: dict[int, array[int]] = {}
        self._used: dict[int, int] = {}  # places taken in each, those of removed numbers included
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> int:
        """Return the flags of `number`, 0 if it is not there."""
        mixed = number * _MIX & _WORD
        shard = self._shards.get(mixed & _SHARDS)
        if shard is None:
            return 0
        last = len(shard) - 1
        place = mixed >> 32 & last
        while found := shard[place]:
            if found >> FLAG_BITS == number:
                return found & _FLAGS
            place = place + 1 & last
        return 0

    def __setitem__(self, number: int, flags: int) -> None:
        """Give `number` these flags; 0 removes it."""
        self.change(number, flags, ~flags)

    def change(self, number: int, on: int, off: int = 0) -> None:
        """Switch some flags of `number` on and others off, in one look; without any it is not there."""
        mixed = number * _MIX & _WORD
        name = mixed & _SHARDS
        shard = self._shards.get(name)
        if shard is None:
            if not on:
                return
            shard = self._shards[name] = array("Q", bytes(8 * _SMALLEST))
            self._used[name] = 0
        place = _place(shard, number, mixed)
        found = shard[place]
        before = found & _FLAGS
        flags = before & ~off | on
        if flags == before:
            return
        self._count += bool(flags) - bool(before)
        shard[place] = number << FLAG_BITS | flags
        if not found:
            self._used[name] += 1
            if self._used[name] * 4 > len(shard) * 3:
                self._grow(name, shard)

    def _grow(self, name: int, shard: "array[int]") -> None:
        """Copy what has flags to where there is room: a third to two thirds full."""
        kept = [found for found in shard if found & _FLAGS]
        size = max(_SMALLEST, 1 << (len(kept) * 2).bit_length())
        larger = array("Q", bytes(8 * size))
        for found in kept:
            number = found >> FLAG_BITS
            larger[_place(larger, number, number * _MIX & _WORD)] = found
        self._shards[name] = larger
        self._used[name] = len(kept)

    def items(self) -> Iterator[tuple[int, int]]:
        """Yield every number and its flags, in no order."""
        for shard in self._shards.values():
            for found in shard:
                if found & _FLAGS:
                    yield found >> FLAG_BITS, found & _FLAGS


def _place(shard: "array[int]", number: int, mixed: int) -> int:
    """Return where `number` stands in `shard`, or would."""
    last = len(shard) - 1
    place = mixed >> 32 & last
    while (found := shard[place]) and found >> FLAG_BITS != number:
        place = place + 1 & last
    return place
