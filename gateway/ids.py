"""Time-sortable 63-bit ids in unbroken blocks, and the UUIDs that carry them."""

import os
import uuid
from itertools import count

EPOCH_MS = 1_577_836_800_000  # 2020-01-01: 41 bits of milliseconds last until 2089
_COUNTER_BITS = 22


class _Entropy:
    """The system's random bytes, fetched a few hundred at a time: a system call for each id would cost more
    than everything else about it."""

    __slots__ = ("_at", "_bytes")

    _FETCH = 512

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def bits(self, count: int) -> int:
        """Return `count` random bits, never given out before."""
        size = (count + 7) // 8
        if self._at + size > len(self._bytes):
            self._bytes, self._at = os.urandom(self._FETCH), 0
        chunk = self._bytes[self._at : self._at + size]
        self._at += size
        return int.from_bytes(chunk) >> (size * 8 - count)


_entropy = _Entropy()
_PROCESS = (
    f"{_entropy.bits(32):08x}-{_entropy.bits(16):04x}-4{_entropy.bits(12):03x}-a{_entropy.bits(12):03x}-"
)
_requests = count(_entropy.bits(40))


class IdSource:
    """Gives out ids that always rise, also when the clock steps back or the process restarts."""

    def __init__(self, above: int = 0) -> None:
        """Never give out an id ≤ `above` (the highest one in the store)."""
        self._last = above

    def take(self, count: int, now_ms: int) -> int:
        """Return the first of `count` ids that follow each other without a gap."""
        first = max(self._last + 1, (now_ms - EPOCH_MS) << _COUNTER_BITS)
        self._last = first + count - 1
        return first


def id_at(now_ms: int) -> int:
    """Return the lowest id that may have been given out at `now_ms`."""
    return (now_ms - EPOCH_MS) << _COUNTER_BITS


def session_no(submission_id: int) -> str:
    """Return a UUID version 7 (RFC 9562 §5.7) that carries `submission_id` beside 52 random bits.

    The millisecond is the UUID's timestamp; the id's counter fills `rand_a` and the top of `rand_b`.
    """
    ms = (submission_id >> _COUNTER_BITS) + EPOCH_MS & 0xFFFF_FFFF_FFFF
    counter = submission_id & ((1 << _COUNTER_BITS) - 1)
    version, variant = 7 << 12 | counter >> 10, 2 << 10 | counter & 0x3FF
    text = f"{ms << 80 | version << 64 | variant << 52 | _entropy.bits(52):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def request_id() -> str:
    """Return a UUID (version 4) to name one request by: a name, not a secret, so counting on will do."""
    return f"{_PROCESS}{next(_requests):012x}"


def submission_id(session: str) -> int | None:
    """Return the id inside a `session_no`, or None if it is not one of ours.

    Whoever uses it compares the stored session number too: the random bits are what cannot be guessed.
    """
    try:
        value = uuid.UUID(session).int
    except ValueError:
        return None
    if (value >> 76) & 0xF != 7 or len(session) != 36:
        return None
    counter = ((value >> 64) & 0xFFF) << 10 | (value >> 52) & 0x3FF
    found = ((value >> 80) - EPOCH_MS) << _COUNTER_BITS | counter
    return found if 0 <= found < 1 << 63 else None
