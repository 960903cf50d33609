"""Receipts that nobody has claimed yet, as far as memory has room: each is a row of `early_receipts` too."""

from typing import NamedTuple

import orjson

from carriers.message_id import canonical_id, same_handset
from carriers.results import Receipt, ReceiptState

PARKED = 20_000  # receipts remembered, the newest; older ones are found by the store's sweep


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
        # without those that name no id; several where a carrier gives one to several handsets
        self._by_id: dict[tuple[str, str], list[int]] = {}
        self._by_handset: dict[tuple[str, str], list[int]] = {}  # oldest first

    def __len__(self) -> int:
        return len(self._kept)

    def knows(self, channel: str, receipt: Receipt) -> bool:
        """Return whether one from this handset with this id is kept here; never so if it names none."""
        known = self._by_id.get((channel, canonical_id(receipt.message_id)), ())
        return any(self._kept[id_].receipt.source == receipt.source for id_ in known)

    def add(self, parked: Parked) -> None:
        """Remember `parked`; where there is no room the oldest one gives way."""
        if parked.id in self._kept:
            return
        if len(self._kept) >= self._limit:
            self.remove(next(iter(self._kept)))
        self._kept[parked.id] = parked
        if match_id := canonical_id(parked.receipt.message_id):
            self._by_id.setdefault((parked.channel, match_id), []).append(parked.id)
        self._by_handset.setdefault((parked.channel, parked.receipt.source), []).append(parked.id)

    def take(self, channel: str, match_id: str, phone: str) -> Parked | None:
        """Remove and return the oldest receipt with this canonical id that can be from this handset."""
        for id_ in self._by_id.get((channel, match_id), ()):
            parked = self._kept[id_]
            if same_handset(parked.receipt.source, phone):
                self.remove(id_)
                return parked
        return None

    def remove(self, id_: int) -> None:
        """Forget the receipt that is this row of `early_receipts`, if it is kept here."""
        parked = self._kept.pop(id_, None)
        if parked is None:
            return
        channel, receipt = parked.channel, parked.receipt
        if match_id := canonical_id(receipt.message_id):
            _take_out(self._by_id, (channel, match_id), id_)
        _take_out(self._by_handset, (channel, receipt.source), id_)

    def of_handset(self, channel: str, phone: str, since_id: int) -> list[Parked]:
        """Return the receipts from this handset kept since `since_id`, oldest first."""
        ids = self._by_handset.get((channel, phone), ())
        return [self._kept[id_] for id_ in ids if id_ >= since_id]


def _take_out(index: dict[tuple[str, str], list[int]], key: tuple[str, str], id_: int) -> None:
    index[key].remove(id_)
    if not index[key]:
        del index[key]


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
