"""The memory of what was submitted and waits for its receipt: bounded, and never the only record.

What falls out of it is found again in the store, by the same key.
"""

from collections.abc import Mapping
from typing import NamedTuple

from carriers.message_id import canonical_id
from carriers.results import Receipt
from gateway.domain.message import Message, State
from gateway.flow.kept import KeptReceipts
from gateway.flow.parts import Flight
from gateway.ids import id_at

_GENERATION = 25_000  # at most two generations per gateway are kept


class Sent(NamedTuple):
    """One submitted segment."""

    message: Message
    part: int
    flight: Flight | None  # of a long message


_ByHandset = dict[tuple[str, str], list[str]]  # (channel, phone) → match ids


class SentIndex:
    """Submitted segments by (channel, match id), the youngest two generations of them."""

    def __init__(self, generation: int = _GENERATION) -> None:
        self._generation = generation
        self._young: dict[tuple[str, str], Sent] = {}
        self._old: dict[tuple[str, str], Sent] = {}
        # the ids submitted to each handset, by generation; kept from the first receipt without an id on
        self._to_handset: tuple[_ByHandset, _ByHandset] | None = None
        self.kept = KeptReceipts()
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
            if self._to_handset is not None:
                self._to_handset = self._to_handset[1], {}
        self._young[channel, match_id] = sent
        if self._to_handset is not None:
            _note(self._to_handset[1], channel, match_id, sent)

    def get(self, channel: str, match_id: str) -> Sent | None:
        """Return the segment, if it is still remembered."""
        key = (channel, match_id)
        return self._young.get(key) or self._old.get(key)

    @property
    def in_doubt(self) -> int:
        """How many messages are in doubt and not decided yet."""
        return sum(message.state is State.IN_DOUBT for message in self.doubtful.values())

    def meant_by(self, channel: str, receipt: Receipt, kept_id: int | None = None) -> tuple[str, Sent] | None:
        """Return the only message a receipt can mean whose id tells nothing, with its match id.

        That is the one to its handset in doubt on that channel; if the receipt names no id at all, the one
        that waits for a receipt there too. `kept_id`: the receipt came when this id was given out.
        """
        phone = receipt.source
        found = [
            ("", Sent(message, 1, None))
            for message in self.doubtful.values()
            if message.state is State.IN_DOUBT and message.channel == channel and message.phone == phone
        ]
        if not canonical_id(receipt.message_id):
            found += self._submitted_to(channel, phone)
        if len(found) != 1:
            return None
        message = found[0][1].message
        earlier = kept_id is not None and kept_id < id_at(message.sent_at or 0)
        return None if earlier or message.segments > 1 else found[0]

    def _submitted_to(self, channel: str, phone: str) -> list[tuple[str, Sent]]:
        """Return what this handset was sent and has no receipt of, as far as memory knows."""
        if self._to_handset is None:
            self._to_handset = _by_handset(self._old), _by_handset(self._young)
        match_ids = [id_ for ids in self._to_handset for id_ in ids.get((channel, phone), ())]
        found = ((id_, self.get(channel, id_)) for id_ in match_ids)
        return [(id_, sent) for id_, sent in found if sent and sent.message.state is State.SUBMITTED]

    def forget(self, channel: str, match_id: str) -> None:
        """Drop a segment whose final receipt is stored."""
        key = (channel, match_id)
        if self._young.pop(key, None) is None:
            self._old.pop(key, None)


def _by_handset(generation: Mapping[tuple[str, str], Sent]) -> _ByHandset:
    found: _ByHandset = {}
    for (channel, match_id), sent in generation.items():
        _note(found, channel, match_id, sent)
    return found


def _note(found: _ByHandset, channel: str, match_id: str, sent: Sent) -> None:
    found.setdefault((channel, sent.message.phone), []).append(match_id)
