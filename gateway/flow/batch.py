"""What shares one POST, and when a POST that failed is tried again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from config.schema import CallbackSettings

Row = tuple[Any, ...]  # gateway.store.changes.OUTBOX
ID, MESSAGE_ID, PAYLOAD, CREATED_AT, ATTEMPTS = 0, 2, 3, 4, 6


def retry_delay(settings: CallbackSettings, failures: int) -> float:
    """Return the seconds to wait after the `failures`-th failure in a row (1 is the first)."""
    if failures <= settings.burst_retries:
        return settings.burst_interval
    schedule = settings.slow_schedule
    return schedule[min(failures - settings.burst_retries, len(schedule)) - 1]


def is_reply(row: Row) -> bool:
    """Whether a row tells of a handset's message, not of one of ours (gateway.domain.inbound.order_key)."""
    return bool(row[MESSAGE_ID] < 0)


@dataclass(slots=True)
class Batch:
    """Reports that share one POST."""

    rows: list[Row]
    serial: int  # order of first departure
    tries: int = 0
    due: float = 0.0
    started: float = 0.0

    def ids(self) -> Iterable[int]:
        """Return the outbox ids in it."""
        return (row[ID] for row in self.rows)

    @property
    def replies(self) -> bool:
        """Whether it holds handsets' messages; it never holds both."""
        return bool(self.rows) and is_reply(self.rows[0])


@dataclass(slots=True)
class Failed:
    """What a failure means for its batch: when the next try is, and what is too old for one."""

    waiting: list[Row]
    given_up: list[Row]
    delay: float
