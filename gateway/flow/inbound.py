"""Handsets' messages: stored parts become messages, find their owner and go to the customer.

The parts are durable and acknowledged before they come here (`settle`), and wait in the store as well as in
memory: what is not finished when the gateway ends goes on at the next start.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError

from carriers.address import read_handset
from carriers.results import Inbound as MO
from carriers.smpp.userdata import read_user_data
from gateway.domain.account import Directory
from gateway.domain.inbound import Completion, Ownership, Wish
from gateway.domain.reassembly import REMEMBERED, Part, Reassembly, Repeat, Whole, digest_of
from gateway.errors import StoreUnavailable
from gateway.flow.context import Context
from gateway.flow.outcome import Outbox
from gateway.flow.owners import Owners
from gateway.live import Live
from gateway.store import inbound as stored
from gateway.store.changes import Row
from gateway.store.inbound import Facts, Finished, Obey

log = structlog.get_logger(__name__)

INTERVAL = 0.25  # seconds between two looks while something waits
RETRY = 0.5  # seconds until what the store did not take is tried again
GRACE = 15.0  # seconds a part of an earlier run waits at least: the carrier may be about to send the rest
MOST_UNFINISHED = 50_000  # messages that may wait to be written; then carriers are asked to come again
_BATCH = 500  # messages in one transaction
_PAGE = 2_000
_RECENT_MS = 60_000  # before the last part of the earlier run: its acknowledgements may have been lost


class Inbound:
    """Puts messages together and writes them."""

    def __init__(
        self, context: Context, directory: Live[Directory], outbox: Outbox, obey: Mapping[Wish, Obey]
    ) -> None:
        """`obey`: what to do, in the message's transaction, for those who wish it."""
        self._store = context.store
        self._clock = context.clock
        self._ids = context.ids
        self._outbox = outbox
        self._obey = obey
        self._channels = context.channels
        self._metrics = context.metrics.inbound
        settings = context.settings.inbound
        self._timeout = settings.timeout
        self._parts = Reassembly(settings.timeout, settings.max_waiting, self._new_id)
        self._owners = Owners(context.settings, context.channels, directory)
        self._unfinished: deque[Whole] = deque()
        self._repeats: list[Repeat] = []
        self._last_wholes: list[tuple[bytes, int]] = []  # digests and ids
        self._assigned = True  # there may be some from before
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        context.metrics.before_scrape(lambda: self._metrics.waiting.set(self._parts.held))

    def __repr__(self) -> str:
        return f"<Inbound {self._parts!r}, {len(self._unfinished)} messages to be written>"

    @property
    def full(self) -> bool:
        """Whether so much waits to be written that no more should come."""
        return len(self._unfinished) >= MOST_UNFINISHED

    # what comes in

    def arrived(self, rows: Sequence[Row]) -> None:
        """Take `INBOUND` rows that are committed."""
        now = self._clock.monotonic()
        for part in self._readable(rows):
            self._metrics.parts.add(1, part.channel)
            self._parts.add(part, now)
        self._collect()
        self._wake.set()

    def unanswered(self, channel_id: str, inbound: Sequence[MO]) -> None:
        """Know that the carrier will send these, of the last rows, again: its link was lost meanwhile."""
        digests = {
            digest_of(one.data_coding, one.payload, channel_id, one.source, one.destination)
            for one in inbound
        }
        again = [known for known in self._last_wholes if known[0] in digests]
        self._parts.unsure(again, self._clock.monotonic())

    def look_for_assigned(self) -> None:
        """Take up what an operator has given to somebody."""
        self._assigned = True
        self._wake.set()

    async def resume(self) -> None:
        """Go on with what the last run left; raises `StoreUnavailable`."""
        await self._remember()
        after = 0
        while rows := await self._store.read(partial(stored.waiting_parts, after_id=after, limit=_PAGE)):
            after = rows[-1][0]
            now, now_ms = self._clock.monotonic(), self._clock.now_ms()
            for part in self._readable(rows):
                left = self._timeout - max(0, now_ms - part.received_at) / 1000
                grace = min(GRACE, self._timeout)
                self._parts.add(part, now, deadline=now + min(self._timeout, max(left, grace)))
            self._collect()
            await self._finish_all()

    async def _remember(self) -> None:
        """Know what was finished last: carriers send again what they have no answer for."""
        rows = await self._store.read(partial(stored.newest_parts, limit=_PAGE))
        belongs = {row[0]: message_id for row, message_id in rows}
        parts = [(part, belongs[part.id]) for part in self._readable(row for row, _ in rows)]
        now = self._clock.monotonic()
        last = max((part.received_at for part, _ in parts), default=0)
        since, known = last - _RECENT_MS, last - int(REMEMBERED * 1000)
        joined: dict[int, list[Part]] = {}
        unsure: list[tuple[bytes, int]] = []
        for part, message_id in parts:
            if part.key is None and part.received_at >= since:
                unsure.append((part.digest, message_id))
            elif part.key is not None and part.received_at >= known:
                joined.setdefault(message_id, []).append(part)
        self._parts.unsure(unsure, now)
        for message_id, of_one in joined.items():
            key = of_one[0].key
            if key is not None:
                digests = {part.data.place.number: part.digest for part in of_one if part.data.place}
                self._parts.remember(key, message_id, digests, now)

    # what goes on

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("handsets' messages wait for the store", error=str(error))
                await asyncio.sleep(RETRY)
                self._wake.set()

    def _pause(self) -> float | None:
        return INTERVAL if self._parts.held else None

    async def look(self) -> None:
        """Finish what is complete or out of time; raises `StoreUnavailable`, and nothing is forgotten."""
        self._parts.expire(self._clock.monotonic())
        self._collect()
        await self._finish_all()
        if self._assigned:
            self._assigned = False
            try:
                while await self._forward_assigned():
                    pass
            except StoreUnavailable:
                self._assigned = True
                raise

    async def drain(self) -> None:
        """Write what is complete; what is not waits in the store for the next start."""
        with contextlib.suppress(StoreUnavailable):
            await self._finish_all()

    def _collect(self) -> None:
        wholes, repeats = self._parts.take()
        self._last_wholes = [(w.first.digest, w.id) for w in wholes if w.completion is Completion.WHOLE]
        self._unfinished += wholes
        self._repeats += repeats

    async def _finish_all(self) -> None:
        async with self._one_at_a_time:
            while self._unfinished or self._repeats:
                batch = [self._unfinished[n] for n in range(min(_BATCH, len(self._unfinished)))]
                repeats = self._repeats[:_BATCH]
                await self._finish(batch, repeats)
                for _ in batch:
                    self._unfinished.popleft()
                del self._repeats[: len(repeats)]

    async def _finish(self, wholes: Sequence[Whole], repeats: Sequence[Repeat]) -> None:
        """Write messages; one that cannot be written must not keep the others from it."""
        phones = [whole.first.source for whole in wholes]
        facts = await self._store.read(
            partial(stored.facts, phones=phones, known_version=self._owners.version)
        )
        now_ms = self._clock.now_ms()
        finished = list(self._read(wholes, facts, now_ms))
        try:
            await self._write(finished, repeats)
        except SQLAlchemyError as error:
            log.error("handsets' messages refused together, writing them one by one", error=str(error))
            for one in finished:
                await self._write_alone([one], [])
            await self._write_alone([], repeats)

    async def _write_alone(self, finished: Sequence[Finished], repeats: Sequence[Repeat]) -> None:
        try:
            await self._write(finished, repeats)
        except SQLAlchemyError as error:  # its parts stay, and are tried again at the next start
            log.error("a handset's message refused by the store", error=str(error))

    async def _write(self, finished: Sequence[Finished], repeats: Sequence[Repeat]) -> None:
        write = partial(stored.finish, finished=finished, repeats=repeats, obey=self._obey.get)
        changed = await self._store.write(write)
        self._outbox.offer([one.outbox for one in finished if one.outbox is not None])
        self._count(finished, repeats, changed)

    async def _forward_assigned(self) -> bool:
        """Queue the callbacks of a batch of assigned messages; whether there was one."""
        due = await self._store.read(partial(stored.assigned, limit=_BATCH))
        if not due:
            return False
        now_ms = self._clock.now_ms()
        moved = [(message, self._owners.callback(message, now_ms)) for message in due]
        try:
            await self._store.write(partial(stored.forward, moved=moved))
        except SQLAlchemyError as error:
            log.error("assigned messages refused by the store", error=str(error))
            return False
        self._outbox.offer([row for _, row in moved if row is not None])
        return True

    # details

    def _readable(self, rows: Iterable[Row]) -> Iterator[Part]:
        """Read stored parts; one that breaks its reader must not stop the gateway, now and at every start."""
        for row in rows:
            try:
                part = self._part(row)
            except Exception:
                log.exception("a part of a handset's message cannot be read; it stays", part=row[0])
                continue
            yield part

    def _read(self, wholes: Iterable[Whole], facts: Facts, now_ms: int) -> Iterator[Finished]:
        for whole in wholes:
            try:
                finished = self._owners.read(whole, facts, now_ms)
            except Exception:
                log.exception("a handset's message cannot be read; its parts stay", part=whole.first.id)
                continue
            yield finished

    def _part(self, row: Row) -> Part:
        id_, channel, source, destination, data_coding, esm_class, payload_hex, tlvs, received_at, ton = row
        payload = bytes.fromhex(payload_hex or "")
        config = self._channels.get(channel)
        alphabet = config.default_alphabet if config is not None else "gsm"
        pairs = tuple((tag, bytes.fromhex(value)) for tag, value in orjson.loads(tlvs))
        data = read_user_data(esm_class, data_coding, payload, pairs, alphabet)
        # a message of one piece is known by everything; parts are looked up by their key
        more = (channel, source or "", destination) if data.place is None else ()
        digest = digest_of(data_coding, payload, *more)
        sender = read_handset(source or "", ton or 0, config.country if config is not None else "")
        return Part(id_, channel, sender.digits, destination, received_at, data, digest, sender.national)

    def _new_id(self) -> int:
        return self._ids.take(1, self._clock.now_ms())

    def _count(self, finished: Iterable[Finished], repeats: Sequence[Repeat], changed: int) -> None:
        metrics = self._metrics
        for one in finished:
            message = one.message
            metrics.messages.add(1, message.channel, message.completion.name.lower())
            if message.ownership is Ownership.NOBODY:
                metrics.unowned.add(1, message.channel)
            if message.wish is not Wish.NONE:
                metrics.wishes.add(1, message.wish.name.lower())
            metrics.duplicates.add(len(one.duplicates))
        metrics.duplicates.add(len(repeats))
        metrics.granted.add(changed)
