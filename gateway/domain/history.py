"""What was accepted lately, compactly: who got something, by which template, with which text, and when.

A ring of plain 64-bit numbers. Entries of numbers that share a bucket are chained, newest first, so that
looking a number up passes what is recent and stops at what is too old: nothing is ever cleaned up. Names are
hashed to 64 bits; among a million entries two names share theirs once in ten million million.

Times must not fall from one entry to the next, so they come from a clock that does not step.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from config.limits import MOST


class Entry(NamedTuple):
    """One message that was accepted."""

    at: int  # ms
    template: int
    text: int


NOTHING: Sequence[Entry] = ()


class History:
    """Remembers the newest `size` entries at least."""

    def __init__(self, size: int, span: int) -> None:
        """`span`: ms after which nobody asks for an entry any more; what is lost younger is counted."""
        self.size = 1 << max(size - 1, 1).bit_length()
        self._span = span
        self._slots = self.size - 1
        self._buckets = (self.size >> 1) - 1 or 1
        self._heads = array("q", bytes(8 * (self._buckets + 1)))  # the newest entry of each bucket; 0: none
        # entry n stands at n % size; they grow until the ring is full
        self._who, self._at = array("q"), array("q")
        self._template, self._text, self._before = array("q"), array("q"), array("q")
        self._next = 0  # number of the entry to come, less one: entries count from 1
        self.lost = 0  # entries given up before their time

    def __len__(self) -> int:
        """Return how many entries are kept, old ones included."""
        return len(self._who)

    def recent(self, who: int, since: int) -> Sequence[Entry]:
        """Return the entries of `who` later than `since`, newest first.

        The newest `MOST` of them: no limit asks for more.
        """
        number = self._heads[who & self._buckets]
        lowest = self._next - self.size
        found: list[Entry] | None = None
        while number > lowest and number:
            slot = (number - 1) & self._slots
            at = self._at[slot]
            if at <= since:
                break
            if self._who[slot] == who:
                found = found if found is not None else []
                found.append(Entry(at, self._template[slot], self._text[slot]))
                if len(found) == MOST:
                    break
            number = self._before[slot]
        return NOTHING if found is None else found

    def add(self, who: int, entry: Entry) -> int:
        """Remember `entry`; return its number, to `drop` it by."""
        number = self._next = self._next + 1
        bucket = who & self._buckets
        before = self._heads[bucket]
        self._heads[bucket] = number
        slot = (number - 1) & self._slots
        if slot == len(self._who):
            self._who.append(who)
            self._at.append(entry[0])
            self._template.append(entry[1])
            self._text.append(entry[2])
            self._before.append(before)
            return number
        if self._at[slot] > entry[0] - self._span and self._who[slot]:
            self.lost += 1
        self._who[slot] = who
        self._at[slot], self._template[slot], self._text[slot] = entry
        self._before[slot] = before
        return number

    def drop(self, numbers: Sequence[int]) -> None:
        """Forget entries by their numbers, as if they had not been added."""
        lowest = self._next - self.size
        for number in numbers:
            if number > lowest:
                # nobody's hash is 0 (see `key`); the entry stays in its chain for those behind it
                self._who[(number - 1) & self._slots] = 0


def key(*names: str) -> int:
    """Return what `names` are remembered by in this process; never 0."""
    return hash(names) or 1
