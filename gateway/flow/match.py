"""Finds the message a receipt speaks of: by channel and id, in every form ids take; first in memory, then
in the store."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from carriers.message_id import IdForms, same_handset
from carriers.results import Receipt
from gateway.domain.message import Message
from gateway.flow.kept import Parked
from gateway.flow.sent import Sent, SentIndex
from gateway.store import messages as stored
from gateway.store.engine import Store


@dataclass(slots=True)
class Arrived:
    """A receipt being settled."""

    channel: str
    receipt: Receipt
    early_id: int | None = None  # it was kept, and its answer has come since
    match_id: str = ""
    sent: Sent | None = None
    from_store: bool = False
    settled: bool = False  # the store holds a final receipt for this segment already


class Matcher:
    """Resolves receipts in batches."""

    def __init__(self, store: Store, index: SentIndex, forms: Mapping[str, IdForms]) -> None:
        self._store = store
        self._index = index
        self._forms = defaultdict(
            IdForms, forms
        )  # receipts are kept for channels that are configured no more

    async def resolve(self, batch: Sequence[Arrived], earlier: Callable[[], Awaitable[None]]) -> None:
        """Fill in `match_id` and `sent`; both stay empty for ids no answer has named yet.

        `earlier` is waited for before the store is read: what is still on its way there is not to be missed.
        What its caller does with those before it lets go of the loop, no answer has missed. Raises
        `StoreUnavailable`.
        """
        missing = [arrived for arrived in batch if not self._in_memory(arrived)]
        if missing:
            await earlier()
            await self._in_store(missing)
            for arrived in missing:
                if arrived.sent is None:
                    self._in_memory(arrived)  # its answer may have come while we looked

    def parked_for(self, channel: str, answered_id: str, phone: str) -> Parked | None:
        """Take the kept receipt that speaks of this answered id and handset, if there is one."""
        for match_id in self._forms[channel].early(answered_id):
            found = self._index.kept.take(channel, match_id, phone)
            if found is not None:
                return found
        return None

    def _in_memory(self, arrived: Arrived) -> bool:
        channel, receipt = arrived.channel, arrived.receipt
        forms = self._forms[channel]
        for match_id in forms.candidates(receipt.message_id):
            sent = self._index.get(channel, match_id)
            if sent is not None and same_handset(receipt.source, sent.message.phone):
                arrived.match_id = match_id
                arrived.sent = sent
                forms.matched(receipt.message_id, match_id)
                return True
        return False

    async def _in_store(self, missing: Sequence[Arrived]) -> None:
        keys = {
            (arrived.channel, match_id)
            for arrived in missing
            for match_id in self._forms[arrived.channel].candidates(arrived.receipt.message_id)
        }
        wanted = sorted(keys)
        rows, messages = await self._store.read(lambda connection: stored.matched(connection, wanted))
        found: dict[tuple[str, str], list[stored.SegmentRow]] = {}
        for row in rows:
            found.setdefault((row.channel, row.match_id), []).append(row)
        for arrived in missing:
            self._pick(arrived, found, messages)

    def _pick(
        self,
        arrived: Arrived,
        found: Mapping[tuple[str, str], Sequence[stored.SegmentRow]],
        messages: Mapping[int, Message],
    ) -> None:
        channel, receipt = arrived.channel, arrived.receipt
        forms = self._forms[channel]
        for match_id in forms.candidates(receipt.message_id):
            # ids come round again after months: the newest segment that fits is meant
            for row in reversed(found.get((channel, match_id), ())):
                message = messages.get(row.message_id)
                if message is None or not same_handset(receipt.source, message.phone):
                    continue
                known = self._index.doubtful.get(row.message_id, message)
                arrived.match_id = match_id
                arrived.sent = Sent(known, row.part, None)
                arrived.from_store = True
                arrived.settled = row.receipt_state is not None
                forms.matched(receipt.message_id, match_id)
                return

        forms.missed()
