"""The memory of what was submitted and waits for its receipt: bounded, and never the only record.

What falls out of it is found again in the store, by the same key.
"""

from typing import NamedTuple

from carriers.results import Receipt
from gateway.domain.message import Message, State
from gateway.flow.parts import Flight

PARKED = 20_000  # early receipts remembered; more are found by the store's sweep
_GENERATION = 25_000  # at most two generations per gateway are kept


class Sent(NamedTuple):
    """One submitted segment."""

    message: Message
    part: int
    flight: Flight | None  # of a long message


class Parked(NamedTuple):
    """A receipt that came before the answer that names its id."""

    id: int  # in `early_receipts`
    channel: str
    receipt: Receipt


class SentIndex:
    """Submitted segments by (channel, match id), the youngest two generations of them."""

    def __init__(self, generation: int = _GENERATION) -> None:
        self._generation = generation
        self._young: dict[tuple[str, str], Sent] = {}
        self._old: dict[tuple[str, str], Sent] = {}
        self.parked: dict[tuple[str, str], Parked] = {}
        # sent and never answered, or taken in part: a late answer, and a receipt, must find the very object
        # that waits or queues again. The sweep forgets them once they are decided and that is stored
        self.doubtful: dict[int, Message] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def add(self, channel: str, match_id: str, sent: Sent) -> None:
        """Remember a segment the carrier took."""
        if len(self._young) >= self._generation:
            self._old = self._young
            self._young = {}
        self._young[channel, match_id] = sent

    def get(self, channel: str, match_id: str) -> Sent | None:
        """Return the segment, if it is still remembered."""
        key = (channel, match_id)
        return self._young.get(key) or self._old.get(key)

    @property
    def in_doubt(self) -> int:
        """How many messages are in doubt and not decided yet."""
        return sum(message.state is State.IN_DOUBT for message in self.doubtful.values())

    def doubtful_for(self, channel: str, phone: str) -> Message | None:
        """Return the only message to this handset that waits in doubt on that channel, if there is one."""
        found = [
            message
            for message in self.doubtful.values()
            if message.state is State.IN_DOUBT and message.channel == channel and message.phone == phone
        ]
        return found[0] if len(found) == 1 else None

    def forget(self, channel: str, match_id: str) -> None:
        """Drop a segment whose final receipt is stored."""
        key = (channel, match_id)
        if self._young.pop(key, None) is None:
            self._old.pop(key, None)
