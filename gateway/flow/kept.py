"""Receipts that nobody has claimed yet, as far as memory has room: each is a row of `early_receipts` too."""

from typing import NamedTuple

import orjson

from carriers.message_id import canonical_id
from carriers.results import Receipt, ReceiptState

PARKED = 20_000  # receipts remembered; more are found by the store's sweep


class Parked(NamedTuple):
    """A receipt that came before the answer that names its id, or that names none."""

    id: int  # in `early_receipts`
    channel: str
    receipt: Receipt


class KeptReceipts:
    """Kept receipts, found by channel and id or by channel and handset."""

    def __init__(self, limit: int = PARKED) -> None:
        self._limit = limit
        self._kept: dict[int, Parked] = {}
        self._by_id: dict[tuple[str, str], int] = {}  # without those that name no id
        self._by_handset: dict[tuple[str, str], list[int]] = {}  # oldest first

    def __len__(self) -> int:
        return len(self._kept)

    def knows(self, channel: str, match_id: str) -> bool:
        """Return whether a receipt with this canonical id is kept here; never so for an empty one."""
        return (channel, match_id) in self._by_id

    def add(self, parked: Parked) -> None:
        """Remember `parked`, if there is room."""
        if len(self._kept) >= self._limit or parked.id in self._kept:
            return
        self._kept[parked.id] = parked
        if match_id := canonical_id(parked.receipt.message_id):
            self._by_id[parked.channel, match_id] = parked.id
        self._by_handset.setdefault((parked.channel, parked.receipt.source), []).append(parked.id)

    def take(self, channel: str, match_id: str) -> Parked | None:
        """Remove and return the receipt with this canonical id, if it is kept here."""
        id_ = self._by_id.get((channel, match_id))
        if id_ is None:
            return None
        parked = self._kept[id_]
        self.remove(id_)
        return parked

    def remove(self, id_: int) -> None:
        """Forget the receipt that is this row of `early_receipts`, if it is kept here."""
        parked = self._kept.pop(id_, None)
        if parked is None:
            return
        channel, receipt = parked.channel, parked.receipt
        self._by_id.pop((channel, canonical_id(receipt.message_id)), None)
        of_handset = self._by_handset[channel, receipt.source]
        of_handset.remove(id_)
        if not of_handset:
            del self._by_handset[channel, receipt.source]

    def of_handset(self, channel: str, phone: str, since_id: int) -> list[Parked]:
        """Return the receipts from this handset kept since `since_id`, oldest first."""
        ids = self._by_handset.get((channel, phone), ())
        return [self._kept[id_] for id_ in ids if id_ >= since_id]


def dump_receipt(receipt: Receipt) -> str:
    """Return `receipt` as the JSON kept in `early_receipts`."""
    return orjson.dumps(
        {
            "message_id": receipt.message_id,
            "state": receipt.state.value,
            "stat": receipt.stat,
            "error": receipt.error,
            "source": receipt.source,
            "done_at": receipt.done_at,
        }
    ).decode()


def load_receipt(text: str) -> Receipt:
    """Return the receipt that `dump_receipt` wrote."""
    fields = orjson.loads(text)
    return Receipt(
        message_id=fields["message_id"],
        state=ReceiptState(fields["state"]),
        stat=fields["stat"],
        error=fields["error"],
        source=fields["source"],
        done_at=fields["done_at"],
    )
