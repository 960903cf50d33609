"""What the gateway and its writer process say to each other: length-prefixed `marshal`, plain values only.

`marshal` is the fastest there is for tuples of numbers and texts and cannot run code; both ends are the same
interpreter, so that its format may change with the version does not matter here.
"""

import marshal
import struct
from collections.abc import Sequence
from typing import Any

from gateway.errors import RowRefused, StoreUnavailable
from gateway.store.committer import Outcome

_HEAD = struct.Struct("!Q")
_UNAVAILABLE, _REFUSED = 0, 1


class Frames:
    """Cuts a byte stream, fed in any fragments, into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[Any]:
        """Return the messages that are whole now."""
        buffer = self._buffer
        buffer += data
        messages: list[Any] = []
        start = 0
        while len(buffer) - start >= _HEAD.size:
            (size,) = _HEAD.unpack_from(buffer, start)
            end = start + _HEAD.size + size
            if len(buffer) < end:
                break
            messages.append(marshal.loads(memoryview(buffer)[start + _HEAD.size : end]))
            start = end
        if start:
            del buffer[:start]
        return messages


def frame(message: Any) -> bytes:
    """Return one message framed; raises ValueError for anything but plain values."""
    body = marshal.dumps(message)
    return _HEAD.pack(len(body)) + body


def dump_outcomes(outcomes: Sequence[Outcome]) -> list[tuple[int, str] | None]:
    """Return outcomes as plain values."""
    return [None if outcome is None else (_code(outcome), str(outcome)) for outcome in outcomes]


def _code(error: Exception) -> int:
    return _REFUSED if isinstance(error, RowRefused) else _UNAVAILABLE


def load_outcomes(message: Sequence[tuple[int, str] | None]) -> list[Outcome]:
    """Return what `dump_outcomes` was given."""
    return [
        None if outcome is None else (RowRefused if outcome[0] == _REFUSED else StoreUnavailable)(outcome[1])
        for outcome in message
    ]
