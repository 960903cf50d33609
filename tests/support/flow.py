"""The whole flow on a real store, with a channel that does exactly what a test tells it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from carriers.results import (
    Answer,
    AnswerSink,
    Arrivals,
    ArrivalSink,
    Disposition,
    Fate,
    Inbound,
    Receipt,
    ReceiptState,
    Segment,
    StateSink,
)
from carriers.status import ChannelStatus, Counters, LinkStatus
from config.schema import (
    CarrierConfig,
    ChannelConfig,
    DeliverySettings,
    Network,
    PriceSettings,
    RiskMode,
    RiskSettings,
    RouteConfig,
    Settings,
)
from gateway.domain.account import Account, Directory
from gateway.domain.message import Message, Purpose, Reason, State
from gateway.flow.accept import Accepted, Draft, Recipient, Request
from gateway.flow.context import Context
from gateway.flow.parts import PartOf
from gateway.flow.pipeline import Pipeline
from gateway.live import Live
from gateway.metrics import Metrics
from gateway.store import ledger, tables
from gateway.store.changes import Changes, Parts
from gateway.store.engine import Store, open_store
from gateway.store.journal import Journal
from gateway.tasks import Tasks
from tests.support.database import prepare
from tests.support.messages import NOON_MS

ACCOUNT = "acc-one"
BALANCE = 100_000_000  # micro-units
PRICE = 50_000  # a segment's
LONG = "【Acme】" + "x" * 120  # UTF-16: two segments


class SetClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.ms = NOON_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    def pass_(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


class ScriptedChannel:
    """Takes segments as the real one does; answers and receipts come when the test says so."""

    def __init__(
        self, config: ChannelConfig, answers: AnswerSink, arrivals: ArrivalSink, state: StateSink
    ) -> None:
        self.config = config
        self._answers, self._arrivals, self._state = answers, arrivals, state
        self.up = True
        self.sent: list[Segment] = []  # every segment ever given to it
        self.unanswered: list[Segment] = []
        self.counters = Counters()
        self.links: list[LinkStatus] = []
        self._ids = 0
        self._submitted = asyncio.Event()

    @property
    def most(self) -> int:
        return self.config.window * self.config.links

    def room(self, now: float) -> int:
        return self.most - len(self.unanswered) if self.up else 0

    def submit(self, segments: Sequence[Segment], now: float) -> None:
        self.sent += segments
        self.unanswered += segments
        self._submitted.set()

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def drain(self) -> None:
        self.accept()

    def status(self) -> ChannelStatus:
        return ChannelStatus(self.up, self.links, 0, len(self.unanswered), self.most, 0.0, 0.0, self.counters)

    # what a test plays

    async def until_sent(self, count: int) -> list[Segment]:
        """Wait until `count` segments are unanswered and return them."""
        async with asyncio.timeout(10):
            while len(self.unanswered) < count:
                self._submitted.clear()
                await self._submitted.wait()
        return self.unanswered

    def answer(self, segments: Sequence[Segment], **fields: Any) -> list[str]:
        """Answer `segments`, with a new id each unless `fields` say otherwise; return the ids."""
        answers = []
        for segment in list(segments):
            self.unanswered.remove(segment)
            self._ids += 1
            answers.append(
                Answer(segment.ref, **{"fate": Fate.ACCEPTED, "message_id": f"{self._ids:x}"} | fields)
            )
        self._answers(self.config.id, answers)
        return [answer.message_id for answer in answers]

    def accept(self) -> list[str]:
        """Accept all that is unanswered."""
        return self.answer(self.unanswered)

    def refuse(self, status: int, disposition: Disposition) -> None:
        """Refuse all that is unanswered."""
        self.answer(self.unanswered, fate=Fate.REFUSED, status=status, disposition=disposition, message_id="")

    def late(self, segment: Segment, message_id: str = "", **fields: Any) -> None:
        """Answer a segment that is in doubt already: it was accepted, unless `fields` say otherwise."""
        answer: dict[str, Any] = {"fate": Fate.ACCEPTED, "message_id": message_id, "late": True} | fields
        self._answers(self.config.id, [Answer(segment.ref, **answer)])

    def go(self, *, up: bool) -> None:
        """Come up or go down; what is unanswered is lost on the way down."""
        self.up = up
        if not up and self.unanswered:
            self.answer(self.unanswered, fate=Fate.IN_DOUBT, message_id="")
        self._state(self.config.id)

    async def receipt(
        self, *message_ids: str, state: ReceiptState = ReceiptState.DELIVERED, source: str = ""
    ) -> bool:
        """Bring receipts in one read; return whether they were acknowledged."""
        words = {ReceiptState.DELIVERED: "DELIVRD", ReceiptState.UNDELIVERED: "UNDELIV"}
        stat = words.get(state, state.name)
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        receipts = [Receipt(one, state, stat, "", source) for one in message_ids]
        self._arrivals(self.config.id, Arrivals(receipts, [], done.set_result))
        async with asyncio.timeout(10):
            return await done

    async def brings(self, *inbound: Inbound, answered: bool = True) -> bool:
        """Bring what handsets sent in one read; return whether it was to be acknowledged.

        `answered` False: the link is gone before the carrier can be told.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def reply(stored: bool) -> bool:
            done.set_result(stored)
            return answered

        self._arrivals(self.config.id, Arrivals([], list(inbound), reply))
        async with asyncio.timeout(10):
            return await done


def reply(text: str, *, source: str = "60120000001", destination: str = "10690001") -> Inbound:
    """Return a handset's message of one piece."""
    return Inbound(source, destination, 8, 0, text.encode("utf-16-be"))


def reply_parts(*texts: str, reference: int = 7, **address: str) -> list[Inbound]:
    """Return the parts of a handset's long message."""
    whole = [reply(text, **address) for text in texts]
    for number, part in enumerate(whole, 1):
        part.esm_class = 0x40
        part.payload = bytes((5, 0, 3, reference, len(texts), number)) + part.payload
    return whole


class SlowReads:
    """Makes what the store answers wait for the test: `done` once it was read, `go_on` lets it be told."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done = asyncio.Event()
        self.go_on = asyncio.Event()
        self._read = store.read
        monkeypatch.setattr(store, "read", self._slowly)

    async def _slowly(self, query: Callable[[Connection], Any]) -> Any:
        found = await self._read(query)
        self.done.set()
        await self.go_on.wait()
        return found


class SlowCommits:
    """Makes rows that are appended to the journal wait for the test."""

    def __init__(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        self._held: deque[tuple[Parts, asyncio.Future[None]]] = deque()
        self._append = journal.append
        self._came = asyncio.Event()
        monkeypatch.setattr(journal, "append", self._slowly)

    def _slowly(self, changes: Parts) -> "asyncio.Future[None]":
        if not list(changes):
            return self._append(changes)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held.append((changes, written))
        self._came.set()
        return written

    async def until(self, count: int) -> None:
        """Return once `count` units wait for their commit."""
        async with asyncio.timeout(10):
            while len(self._held) < count:
                self._came.clear()
                await self._came.wait()

    async def still(self, count: int) -> None:
        """Prove that no more than `count` wait, however often the loop turns."""
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(self._held) == count

    async def let_go(self, error: Exception | None = None) -> None:
        """Commit the oldest, or fail it."""
        changes, written = self._held.popleft()
        if error is not None:
            written.set_exception(error)
            return
        await self._append(changes)
        written.set_result(None)


def channel_config(name: str, **changes: Any) -> ChannelConfig:
    return replace(ChannelConfig(id=name, host="127.0.0.1", port=1, system_id="test", window=10), **changes)


class Rig:
    """A running pipeline and what surrounds it."""

    def __init__(self, store: Store, pipeline: Pipeline, clock: SetClock, directory: Live[Directory]) -> None:
        self.store = store
        self.pipeline = pipeline
        self.clock = clock
        self.directory = directory
        self._keys = 0

    def channel(self, name: str = "alpha") -> ScriptedChannel:
        channel = self.pipeline.channels[name]
        assert isinstance(channel, ScriptedChannel)
        return channel

    async def accept(
        self,
        count: int = 1,
        text: str = "【Acme】Your code is 246810",
        purpose: Purpose = Purpose.VERIFICATION,
        first: int = 1,
    ) -> Accepted:
        """Send `text` to `count` handsets."""
        self._keys += 1
        people = [Recipient(f"6012{n:07d}", f"(60)12{n:07d}", "MY") for n in range(first, first + count)]
        draft = Draft("UTA000000000001", purpose, text, people)
        return await self.pipeline.accept(
            Request(ACCOUNT, "org-one", None, [draft], f"{self._keys:032x}", lambda session: session)
        )

    async def accept_texts(self, *texts: str, purpose: Purpose = Purpose.VERIFICATION) -> Accepted:
        """Send several texts to one handset in one request."""
        self._keys += 1
        person = Recipient("60120000001", "(60)120000001", "MY")
        drafts = [Draft("UTA000000000001", purpose, text, [person]) for text in texts]
        return await self.pipeline.accept(
            Request(ACCOUNT, "org-one", None, drafts, f"{self._keys:032x}", lambda session: session)
        )

    async def settled(self) -> None:
        """Return once all that has been recorded is committed and acted upon."""
        for _ in range(3):
            await self.pipeline.context.journal.append(Changes())
            await asyncio.sleep(0)

    async def rows(self, table: Any = tables.messages, **where: Any) -> list[dict[str, Any]]:
        """Return rows of the store, oldest first."""
        await self.settled()

        def query(connection: Connection) -> list[dict[str, Any]]:
            asked = select(table).filter_by(**where).order_by(next(iter(table.primary_key)))
            return [dict(row) for row in connection.execute(asked).mappings()]

        return await self.store.read(query)

    async def balance(self) -> tuple[int, int, int]:
        """Return what the account has: available, reserved, captured; memory must agree."""
        (row,) = await self.rows(tables.balances, account_id=ACCOUNT)
        assert self.pipeline.context.funds.available(ACCOUNT) == row["available"]
        return row["available"], row["reserved"], row["captured"]


async def states(rig: Rig) -> list[tuple[State, Reason]]:
    """Return where every message is and why, oldest first."""
    return [(State(row["state"]), Reason(row["reason"])) for row in await rig.rows()]


def network(*channels: ChannelConfig) -> Network:
    names = tuple(channel.id for channel in channels)
    return Network(
        carrier=(CarrierConfig(id="carrier", channel=channels),),
        route=(RouteConfig(id="all", channels=names),),
    )


def settings(risk: RiskSettings | None = None, **delivery: Any) -> Settings:
    """Return settings with one price for all, and no risk control unless a test is about it."""
    risk = risk or RiskSettings(mode=RiskMode.OFF)
    return Settings(delivery=DeliverySettings(**delivery), risk=risk, price=(PriceSettings(amount="0.05"),))


def _opened(path: Path | str) -> Store:
    if isinstance(path, Path) and not path.exists():
        prepare(path)
    store = open_store(path if isinstance(path, str) else f"sqlite:///{path}")
    store.migrate()
    return store


@asynccontextmanager
async def flow(
    path: Path | str,
    *channels: ChannelConfig,
    options: Settings | None = None,
    clock: SetClock | None = None,
    helpers: Sequence[str] = ("settle", "refill"),
) -> AsyncIterator[Rig]:
    """Run the flow on the SQLite file at `path`, made on first use, or on the database whose URL it is.

    Leaving it drains nothing.
    """
    store = _opened(path)
    store.transaction(_account_once)
    account = Account(ACCOUNT, "One", True, "http://127.0.0.1:1/", None, {})
    directory = Live(Directory.of([account], []))
    clock = clock or SetClock()
    configs = channels or (channel_config("alpha"),)
    journal = Journal(store)
    try:
        async with Tasks() as outer:
            outer.job("journal", journal.run())
            await journal.started()
            options = options or settings()
            context = await Context.load(options, network(*configs), store, journal, clock, Metrics("test"))
            pipeline = Pipeline(context, directory, ScriptedChannel)
            try:
                async with Tasks() as tasks:
                    await pipeline.recover()
                    await pipeline.sweeper.resume()
                    for name in helpers:
                        tasks.helper(name, pipeline.helpers[name]())
                    yield Rig(store, pipeline, clock, directory)
                    tasks.stop()
            finally:
                await journal.close()
    finally:
        store.close()


def _account_once(connection: Connection) -> None:
    if connection.execute(select(tables.accounts.c.id)).first() is None:
        values = {"id": ACCOUNT, "name": "One", "state": "active", "created_at": NOON_MS}
        connection.execute(insert(tables.accounts).values(**values))
        ledger.credit(connection, ACCOUNT, BALANCE, NOON_MS, "opening")


def message_of(segment: Segment) -> Message:
    """Return the message a segment belongs to."""
    ref = segment.ref
    message = ref.flight.message if isinstance(ref, PartOf) else ref
    assert isinstance(message, Message)
    return message
