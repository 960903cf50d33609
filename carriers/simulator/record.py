"""The carrier's own account of what happened: one JSON object a line, appended before anybody is answered.

It outlives both sides: a line is handed to the operating system before the answer leaves, so a SIGKILL of
the gateway or of the simulator takes nothing back. Started again on the same file, the simulator knows
which receipts were never acknowledged.

Events: `start`, `bind`, `close`, `submit` (every submit_sm, `status` 0 when it was taken), `receipt` (each
deliver_sm sent) and `acknowledged` (each deliver_sm_resp). `at` is unix seconds, `session` numbers the
connections since start, `text` is the user data in hexadecimal, header included; `tlvs` and `fault` stand
there if there were any.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from carriers.simulator.behaviour import OUTCOMES, Outcome

# An ESME that answers a deliver_sm with one of these wants it again, later; any other error is final.
TEMPORARY = frozenset({0x08, 0x14, 0x45, 0x58, 0x64, 0x67, 0xFE, 0xFF})

Event = dict[str, Any]


@dataclass(slots=True)
class Pending:
    """A receipt the ESME has not acknowledged yet."""

    message_id: str  # as the answer gave it
    system_id: str
    source: str  # of the message, so the receipt's destination
    destination: str
    outcome: Outcome
    submitted_at: float  # unix seconds
    attempts: int = 0  # deliver_sm sent so far


class Recorder:
    """Appends events to a file; without a path it does nothing."""

    def __init__(self, path: Path | None) -> None:
        self.enabled = path is not None
        self._lines: list[bytes] = []
        self._file = -1
        if path is not None:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._end_torn_line()

    def add(self, event: Event) -> None:
        """Take one event; it reaches the file with the next `flush`."""
        self._lines.append(orjson.dumps(event))

    def flush(self) -> None:
        """Hand every event taken to the operating system; raises OSError if it takes not all."""
        if self._lines:
            data = b"\n".join(self._lines) + b"\n"
            self._lines.clear()
            self._write(data)

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, data: bytes) -> None:
        written = os.write(self._file, data)
        while written < len(data):
            written += os.write(self._file, data[written:])

    def _end_torn_line(self) -> None:
        """Close off a line cut short by a kill, so that the next one starts on its own."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            self._write(b"\n")


def read_record(path: Path) -> Iterator[Event]:
    """Yield the events of a record in order; a line cut short by a kill is skipped."""
    with path.open("rb") as lines:
        for line in lines:
            try:
                event = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            yield event


def unacknowledged(events: Iterable[Event]) -> list[Pending]:
    """Return the receipts still owed: taken, due a receipt, not acknowledged for good; oldest first."""
    owed: dict[str, Pending] = {}
    for event in events:
        kind = event["event"]
        if kind == "submit" and event["status"] == 0 and event["receipt"]:
            owed[event["id"]] = _pending(event)
        elif kind == "acknowledged" and event["status"] not in TEMPORARY:
            owed.pop(event["id"], None)
    return list(owed.values())


def _pending(event: Event) -> Pending:
    """Rebuild the receipt a recorded submit_sm is owed."""
    return Pending(
        event["id"],
        event["system_id"],
        event["source"],
        event["destination"],
        OUTCOMES[event["receipt"]],
        event["at"],
    )
