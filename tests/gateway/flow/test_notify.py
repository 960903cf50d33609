"""Outbox to endpoints over real HTTP and a real SQLite store: what is stored is told, and noted as told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config.schema import CallbackSettings
from gateway.clock import SystemClock
from gateway.domain.account import Account, Directory
from gateway.domain.inbound import order_key
from gateway.errors import StoreUnavailable
from gateway.flow.batch import Row
from gateway.flow.endpoint import MEMORY
from gateway.flow.notify import Notifier, body
from gateway.live import Live
from gateway.metrics import Metrics
from gateway.store import tables
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.journal import Journal
from gateway.tasks import Tasks
from tests.support.database import prepared_store
from tests.support.receiver import Receiver, answers, never_answers, receiver, takes

QUICK = CallbackSettings(
    allow_private=True,
    timeout=0.3,
    burst_interval=0.02,
    slow_schedule=(0.05,),
    batch=10,
)


class Office:
    """A store, a journal and a notifier for accounts `a` and `b`."""

    def __init__(self, store: Store, urls: dict[str, str | None], settings: CallbackSettings) -> None:
        self.store = store
        self.settings = settings
        self.committed = asyncio.Event()
        self.journal = Journal(store, on_commit=lambda _rows, _seconds: self.committed.set())
        self.directory = Live(directory(urls))
        self.metrics = Metrics()
        self.clock = SystemClock()
        self.notifier = Notifier(
            store, self.journal, self.directory, settings, self.clock, self.metrics
        )  # fmt: skip

    async def stores(
        self, numbers: range, account: str = "a", *, offer: bool = True, age_ms: int = 0
    ) -> None:
        """Commit reports as the flow does, then offer them."""
        made = self.clock.now_ms() - age_ms
        rows: list[Row] = [
            (n, account, n, json.dumps({"SessionNo": "s", "Phone": str(n)}), made, made, 0, None, None)
            for n in numbers
        ]
        await self.journal.append(Changes(outbox=rows))
        if offer:
            self.notifier.offer(rows)

    async def outcomes(self) -> dict[int, tuple[int, str | None]]:
        """Return attempts and outcome of every report that is done."""
        done = select(tables.outbox).where(tables.outbox.c.done_at.is_not(None))
        rows = await self.store.read(lambda connection: connection.execute(done).all())
        return {row.id: (row.attempts, row.outcome) for row in rows}

    async def until_done(self, count: int) -> dict[int, tuple[int, str | None]]:
        """Return the outcomes once `count` reports are done."""
        async with asyncio.timeout(20):
            self.committed.set()
            while await self.committed.wait():
                self.committed.clear()
                if len(found := await self.outcomes()) >= count:
                    return found
        raise AssertionError("unreachable")


def directory(urls: dict[str, str | None]) -> Directory:
    return Directory.of([Account(id_, id_, True, url, None, {}) for id_, url in urls.items()], [])


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = prepared_store(tmp_path)
    yield opened
    opened.close()


@asynccontextmanager
async def office(
    store: Store,
    urls: dict[str, str | None],
    settings: CallbackSettings = QUICK,
    before: Callable[[Office], Any] | None = None,
) -> AsyncIterator[Office]:
    """Run an office."""
    made = Office(store, urls, settings)
    async with Tasks() as outer:
        outer.job("journal", made.journal.run())
        if before is not None:
            await before(made)
        async with Tasks() as tasks:
            tasks.helper("notify", made.notifier.run())
            yield made
            tasks.stop()
        await made.journal.close()


@pytest.fixture
async def customer() -> AsyncIterator[Receiver]:
    async with receiver() as running:
        yield running


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    async with receiver() as running:
        yield running


def phones(items: list[dict[str, Any]]) -> list[int]:
    return [int(item["Phone"]) for item in items]


def test_the_body_joins_the_stored_items() -> None:
    rows = [
        (1, "a", 1, '{"Phone":"优"}', 0, 0, 0, None, None),
        (2, "a", 2, '{"Phone":"2"}', 0, 0, 0, None, None),
    ]
    assert json.loads(body(rows)) == {"MsgType": 2, "Data": [{"Phone": "优"}, {"Phone": "2"}]}


def test_replies_are_told_as_what_they_are() -> None:
    row = (1, "a", order_key("60123"), '{"Phone":"(60)123"}', 0, 0, 0, None, None)
    assert json.loads(body([row])) == {"MsgType": 0, "Data": [{"Phone": "(60)123"}]}


async def test_replies_and_reports_share_an_endpoint_and_no_post(store: Store, customer: Receiver) -> None:
    async with office(store, {"a": customer.url}) as o:
        made = o.clock.now_ms()
        keys = [n if n % 3 else order_key(str(n % 2)) for n in range(1, 31)]
        rows: list[Row] = [
            (n, "a", key, json.dumps({"Phone": str(n)}), made, made, 0, None, None)
            for n, key in enumerate(keys, 1)
        ]
        await o.journal.append(Changes(outbox=rows))
        o.notifier.offer(rows)
        await o.until_done(30)
    for kind, fits in ((0, lambda n: n % 3 == 0), (2, lambda n: n % 3)):
        told = phones([item for b in customer.bodies if b["MsgType"] == kind for item in b["Data"]])
        assert sorted(told) == [n for n in range(1, 31) if fits(n)]
        for odd in (0, 1):
            mine = [n for n in told if n % 2 == odd]
            assert kind == 2 or mine == sorted(mine)


async def test_reports_go_out_in_order_in_batches_and_are_noted(store: Store, customer: Receiver) -> None:
    async with office(store, {"a": customer.url}) as o:
        await o.stores(range(1, 26))
        done = await o.until_done(25)
    assert phones([item for b in customer.bodies for item in b["Data"]]) == list(range(1, 26))
    assert max(len(b["Data"]) for b in customer.bodies) == 10
    assert set(done.values()) == {(1, "delivered")}


async def test_what_an_earlier_run_left_is_delivered_at_the_next_start(
    store: Store, customer: Receiver
) -> None:
    async def earlier(o: Office) -> None:
        await o.stores(range(1, 2501), offer=False)

    settings = CallbackSettings(allow_private=True, batch=500)
    async with office(store, {"a": customer.url}, settings, before=earlier) as o:
        await o.stores(range(3001, 3101))
        await o.until_done(2600)
    assert sorted(phones(customer.taken)) == [*range(1, 2501), *range(3001, 3101)]


async def test_more_than_memory_holds_goes_out_from_the_store_each_once(
    store: Store, customer: Receiver
) -> None:
    settings = CallbackSettings(allow_private=True, batch=500)
    async with office(store, {"a": customer.url}, settings) as o:
        for first in range(1, 3 * MEMORY, 1000):
            await o.stores(range(first, first + 1000))
        await o.until_done(3 * MEMORY)
    assert sorted(phones(customer.taken)) == list(range(1, 3 * MEMORY + 1))


async def test_a_dead_endpoint_harms_no_other(store: Store, customer: Receiver, other: Receiver) -> None:
    customer.behaviour = never_answers
    async with office(store, {"a": customer.url, "b": other.url}) as o:
        await o.stores(range(1, 101), "a")
        await customer.until(lambda: len(customer.bodies) >= 1)
        await o.stores(range(201, 301), "b")
        done = await o.until_done(100)
    assert set(done) == set(range(201, 301))
    assert sorted(phones(other.taken)) == list(range(201, 301))


async def test_an_endpoint_that_comes_back_gets_everything_once(store: Store, customer: Receiver) -> None:
    customer.behaviour = never_answers
    async with office(store, {"a": customer.url}) as o:
        await o.stores(range(1, 101))
        await customer.until(lambda: len(customer.bodies) >= 8)  # past the burst
        customer.behaviour = takes
        done = await o.until_done(100)
    assert sorted(phones(customer.taken)) == list(range(1, 101))
    assert all(outcome == "delivered" for _, outcome in done.values())
    assert max(attempts for attempts, _ in done.values()) > 3


async def test_every_attempt_is_counted(store: Store, customer: Receiver) -> None:
    customer.behaviour = answers("busy", 503)
    async with office(store, {"a": customer.url}) as o:
        await o.stores(range(1, 2))
        await customer.until(lambda: len(customer.bodies) == 2)
        customer.behaviour = takes
        done = await o.until_done(1)
    assert done == {1: (len(customer.bodies), "delivered")}


async def test_a_waiting_report_says_why(store: Store, customer: Receiver) -> None:
    customer.behaviour = answers('{"code":7}')
    waiting = select(tables.outbox.c.outcome, tables.outbox.c.attempts).where(tables.outbox.c.attempts > 0)
    async with office(store, {"a": customer.url}) as o:
        await o.stores(range(1, 2))
        async with asyncio.timeout(20):
            found: Any = []
            while not found and await o.committed.wait():
                o.committed.clear()
                found = await store.read(lambda c: c.execute(waiting).all())
    assert found[0].outcome == "waiting: answer has code 7"


async def test_a_report_too_old_is_given_up_visibly(store: Store, customer: Receiver) -> None:
    customer.behaviour = answers("busy", 503)
    settings = CallbackSettings(allow_private=True, burst_interval=0.01, give_up_after=60.0)
    async with office(store, {"a": customer.url}, settings) as o:
        await o.stores(range(1, 4), age_ms=61_000)
        done = await o.until_done(3)
        assert o.metrics.callbacks.reports.child("gave_up").value == 3
    assert {outcome for _, outcome in done.values()} == {"gave_up: HTTP 503"}


async def test_a_bad_report_holds_up_only_itself(store: Store, customer: Receiver) -> None:
    async def refuses_seven(request: Any) -> Any:
        document = json.loads(await request.read())
        if any(item["Phone"] == "7" for item in document["Data"]):
            return await answers('{"code":1}')(request)
        customer.taken += document["Data"]
        return await takes(request)

    customer.behaviour = refuses_seven
    async with office(store, {"a": customer.url}) as o:
        await o.stores(range(1, 31))
        done = await o.until_done(29)
    assert set(done) == set(range(1, 31)) - {7}
    assert sorted(phones(customer.taken)) == [n for n in range(1, 31) if n != 7]


async def test_a_new_url_takes_effect_at_once(store: Store, customer: Receiver, other: Receiver) -> None:
    customer.behaviour = never_answers
    slow = CallbackSettings(allow_private=True, timeout=0.1, burst_retries=0, slow_schedule=(3600.0,))
    async with office(store, {"a": customer.url}, slow) as o:
        await o.stores(range(1, 6))
        await customer.until(lambda: len(customer.bodies) == 1)
        o.directory.value = directory({"a": other.url})
        await o.until_done(5)
    assert sorted(phones(other.taken)) == [1, 2, 3, 4, 5]


async def test_without_a_url_what_waits_is_noted_as_such(store: Store, customer: Receiver) -> None:
    customer.behaviour = never_answers
    slow = CallbackSettings(allow_private=True, timeout=0.1, burst_retries=0, slow_schedule=(3600.0,))
    async with office(store, {"a": customer.url}, slow) as o:
        await o.stores(range(1, 6))
        await customer.until(lambda: len(customer.bodies) == 1)
        o.directory.value = directory({"a": None})
        done = await o.until_done(5)
    assert {outcome for _, outcome in done.values()} == {"no_url"}


async def test_what_was_on_its_way_when_the_url_went_is_noted_as_such_too(
    store: Store, customer: Receiver
) -> None:
    gone = asyncio.Event()

    async def refuses_later(request: Any) -> Any:
        await gone.wait()
        return await answers('{"code":1}')(request)

    customer.behaviour = refuses_later
    patient = CallbackSettings(allow_private=True, burst_interval=0.01)
    async with office(store, {"a": customer.url}, patient) as o:
        await o.stores(range(1, 2))
        await customer.until(lambda: len(customer.bodies) == 1)
        o.directory.value = directory({"a": None})
        o.notifier._look_for_moves()
        gone.set()
        async with asyncio.timeout(5):
            done = await o.until_done(1)
    assert done == {1: (1, "no_url")}


async def test_a_private_target_is_refused_unless_allowed(store: Store, customer: Receiver) -> None:
    guarded = CallbackSettings(burst_interval=0.01, give_up_after=60.0)
    async with office(store, {"a": customer.url}, guarded) as o:
        await o.stores(range(1, 2), age_ms=61_000)
        done = await o.until_done(1)
    assert customer.bodies == []
    assert "127.0.0.1 is not a public address" in str(done[1][1])


async def test_a_store_that_fails_for_a_while_is_asked_again(
    store: Store, customer: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.flow.notify.STORE_RETRY", 0.02)
    async with office(store, {"a": customer.url}) as o:
        real, failures = o.journal.post, [2]

        def failing(changes: Changes, on_done: Callable[[Exception | None], None]) -> None:
            if changes.outbox_moves and failures[0]:
                failures[0] -= 1
                on_done(StoreUnavailable("disk full"))
            else:
                real(changes, on_done)

        monkeypatch.setattr(o.journal, "post", failing)
        await o.stores(range(1, 6))
        await o.until_done(5)
    assert sorted(phones(customer.taken)) == [1, 2, 3, 4, 5]


async def test_drain_returns_when_all_is_delivered_and_recorded(store: Store, customer: Receiver) -> None:
    async with office(store, {"a": customer.url}) as o:
        await o.stores(range(1, 36))
        async with asyncio.timeout(10):
            await o.notifier.drain()
        assert len(await o.outcomes()) == 35


async def test_drain_does_not_wait_for_an_endpoint_that_is_down(store: Store, customer: Receiver) -> None:
    customer.behaviour = never_answers
    async with office(store, {"a": customer.url}) as o:
        await o.stores(range(1, 6))
        await customer.until(lambda: len(customer.bodies) >= 2)
        async with asyncio.timeout(10):
            await o.notifier.drain()
    assert customer.taken == []
