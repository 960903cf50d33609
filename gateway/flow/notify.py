"""Step 4 of 4: tell the customers. Outbox rows become POSTs; what became of each is recorded.

Endpoints share nothing that one of them could use up: no worker, no connection limit, no name lookup pool.
An endpoint with nothing to do is forgotten; one that is down costs a timer.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from config.schema import CallbackSettings
from gateway.clock import Clock
from gateway.domain.account import Directory
from gateway.errors import StoreUnavailable
from gateway.flow.batch import ATTEMPTS, ID, PAYLOAD, Batch, Failed, Row, is_reply
from gateway.flow.callback import CallbackClient, Reply, Verdict
from gateway.flow.endpoint import PAGE, Endpoint
from gateway.live import Live
from gateway.metrics import Metrics
from gateway.store import outbox
from gateway.store.changes import Changes, Parts
from gateway.store.engine import Store
from gateway.tasks import Tasks

log = structlog.get_logger(__name__)

T = TypeVar("T")

DELIVERED, GAVE_UP, NO_URL = "delivered", "gave_up", "no_url"
LOOK = 0.5  # seconds between two looks for changed callback URLs
STORE_RETRY = 1.0  # seconds until a failed read or write of the store is tried again

_account = itemgetter(1)


class Posts(Protocol):
    """The part of the journal that is used here."""

    def post(self, changes: Parts, on_done: Callable[[Exception | None], None]) -> None:
        """Commit `changes`, then call `on_done` on the event loop."""


class Notifier:
    """Delivers status reports at least once, in order per endpoint, for as long as they are worth it."""

    def __init__(
        self,
        store: Store,
        journal: Posts,
        directory: Live[Directory],
        settings: CallbackSettings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._journal = journal
        self._directory = directory
        self._settings = settings
        self._clock = clock
        self._metrics = metrics.callbacks
        self._client = CallbackClient(settings)
        self._endpoints: dict[str, Endpoint] = {}
        self._timers: dict[str, tuple[float, asyncio.TimerHandle]] = {}
        self._tasks: Tasks | None = None
        self._draining: asyncio.Event | None = None
        self._records = 0
        metrics.before_scrape(self._set_levels)

    def __repr__(self) -> str:
        failing = sum(1 for endpoint in self._endpoints.values() if endpoint.failures)
        return f"<Notifier {len(self._endpoints)} endpoints, {failing} failing, {self._held()} reports held>"

    def offer(self, rows: Sequence[Row]) -> None:
        """Take newly committed outbox rows, in the order of their commits."""
        now = self._clock.monotonic()
        for account_id, group in groupby(rows, _account):
            endpoint = self._endpoint(account_id)
            endpoint.offer(list(group), now)
            self._pump(endpoint)

    async def run(self) -> None:
        """Deliver until cancelled; what is not delivered then stays in the outbox for the next start."""
        async with self._client, Tasks() as tasks:
            self._tasks = tasks
            try:
                await self._resume()
                directory = self._directory.value
                while True:
                    await asyncio.sleep(LOOK)
                    if self._directory.value is not directory:
                        directory = self._directory.value
                        self._look_for_moves()
            finally:
                self._tasks = None
                for _, timer in self._timers.values():
                    timer.cancel()
                self._timers.clear()

    async def drain(self) -> None:
        """Return once what memory holds for endpoints that are up has been delivered and recorded."""
        if self._tasks is None:
            return
        self._draining = asyncio.Event()
        for endpoint in list(self._endpoints.values()):
            self._pump(endpoint)
        self._check_drained()
        await self._draining.wait()

    # one endpoint

    def _endpoint(self, account_id: str, *, spilled: bool = False) -> Endpoint:
        endpoint = self._endpoints.get(account_id)
        if endpoint is None:
            endpoint = Endpoint(account_id, self._settings, spilled, self._url(account_id))
            self._endpoints[account_id] = endpoint
        return endpoint

    def _url(self, account_id: str) -> str | None:
        account = self._directory.value.accounts.get(account_id)
        return account.callback_url if account is not None else None

    def _pump(self, endpoint: Endpoint) -> None:
        """Start whatever `endpoint` may do now, and set the timer for what it may do later."""
        if self._tasks is None:
            return
        now = self._clock.monotonic()
        if endpoint.url is None and (endpoint.queue or endpoint.deferred):
            self._settle(endpoint, endpoint.moved(None), NO_URL)
        linger = {"linger": 0.0} if self._draining is not None else {}
        while endpoint.url is not None and (batch := endpoint.take(now, **linger)) is not None:
            self._tasks.job("callback", self._push(endpoint, endpoint.url, batch))
        if endpoint.wants_page(now) and self._draining is None:
            after = endpoint.begin_page()
            self._tasks.job("callback page", self._load(endpoint, after))
        self._set_timer(endpoint, now)
        if endpoint.idle and self._endpoints.get(endpoint.account_id) is endpoint:
            del self._endpoints[endpoint.account_id]
        self._check_drained()

    def _set_timer(self, endpoint: Endpoint, now: float) -> None:
        due = endpoint.next_due(now)
        timer = self._timers.get(endpoint.account_id)
        if due is None:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.0, due - now)
        if timer is not None:
            set_for, handle = timer
            if set_for <= when:
                return
            handle.cancel()
        # uvloop's handles do not all tell when they are due
        handle = loop.call_at(when, self._on_timer, endpoint.account_id)
        self._timers[endpoint.account_id] = when, handle

    def _on_timer(self, account_id: str) -> None:
        del self._timers[account_id]
        endpoint = self._endpoints.get(account_id)
        if endpoint is not None:
            self._pump(endpoint)

    def _look_for_moves(self) -> None:
        for endpoint in list(self._endpoints.values()):
            url = self._url(endpoint.account_id)
            if url != endpoint.url:
                log.info("callback URL changed", account=endpoint.account_id, removed=url is None)
                self._settle(endpoint, endpoint.moved(url), NO_URL)
                self._pump(endpoint)

    # one POST

    async def _push(self, endpoint: Endpoint, url: str, batch: Batch) -> None:
        started = self._clock.monotonic()
        verdict = await self._client.post(url, body(batch.rows))
        now = self._clock.monotonic()
        self._metrics.seconds.observe(now - started)
        self._metrics.posts.add(1, verdict.reply.value)
        if verdict.reply is Reply.TAKEN:
            if endpoint.failures:
                log.info("callback endpoint is back", account=endpoint.account_id)
            endpoint.taken(batch)
            self._settle(endpoint, batch.rows, DELIVERED, tried=1)
        else:
            self._failed(endpoint, batch, verdict, now)
        self._pump(endpoint)

    def _failed(self, endpoint: Endpoint, batch: Batch, verdict: Verdict, now: float) -> None:
        if not endpoint.failures:
            log.warning("callback failed", account=endpoint.account_id, detail=verdict.detail)
        note = endpoint.unreachable if verdict.reply is Reply.UNREACHABLE else endpoint.refused
        failed = note(batch, now, self._clock.now_ms())
        self._note_attempt(failed, verdict.detail)
        self._settle(endpoint, failed.given_up, f"{GAVE_UP}: {verdict.detail}", tried=1)

    def _note_attempt(self, failed: Failed, detail: str) -> None:
        """Let the store show how often and why a report failed; nothing depends on it."""
        next_at = self._clock.now_ms() + int(failed.delay * 1000)
        moves = [(row[ID], next_at, row[ATTEMPTS], None, f"waiting: {detail}") for row in failed.waiting]
        if moves:
            self._post(moves, lambda error: None)

    # the store

    async def _resume(self) -> None:
        """Find the accounts whose reports an earlier run has left."""
        for account_id in await self._read(outbox.accounts_waiting):
            endpoint = self._endpoint(account_id, spilled=True)
            if not endpoint.spilled and not endpoint.loading:  # offered to before we came to look
                endpoint.release()
        for endpoint in list(self._endpoints.values()):
            self._pump(endpoint)

    async def _load(self, endpoint: Endpoint, after: int) -> None:
        rows = await self._read(partial(_page, endpoint.account_id, after))
        endpoint.end_page(rows, self._clock.monotonic())
        old = endpoint.outdated(self._clock.now_ms())
        self._settle(endpoint, old, f"{GAVE_UP}: the endpoint is down")
        self._pump(endpoint)

    async def _read(self, query: Callable[[Connection], T]) -> T:
        while True:
            try:
                return await self._store.read(query)
            except StoreUnavailable as error:
                log.warning("the outbox cannot be read", error=str(error))
                await asyncio.sleep(STORE_RETRY)

    def _settle(self, endpoint: Endpoint, rows: Sequence[Row], outcome: str, *, tried: int = 0) -> None:
        """Record that `rows` need no further POST; repeated until the store takes it."""
        if not rows:
            return
        self._records += 1
        endpoint.unrecorded[self._records] = list(rows)
        now_ms = self._clock.now_ms()
        moves = [(row[ID], now_ms, row[ATTEMPTS] + tried, now_ms, outcome) for row in rows]
        kind = outcome.partition(":")[0]
        self._metrics.reports.add(len(rows), kind)
        if kind == GAVE_UP:
            log.error(
                "status reports given up", account=endpoint.account_id, reports=len(rows), detail=outcome
            )
        self._record(endpoint, self._records, moves)

    def _record(self, endpoint: Endpoint, record: int, moves: list[Row]) -> None:
        self._post(moves, partial(self._recorded, endpoint, record, moves))

    def _recorded(self, endpoint: Endpoint, record: int, moves: list[Row], error: Exception | None) -> None:
        if error is None:
            del endpoint.unrecorded[record]
            self._pump(endpoint)
        elif self._tasks is not None:
            asyncio.get_running_loop().call_later(STORE_RETRY, self._record, endpoint, record, moves)

    def _post(self, moves: list[Row], on_done: Callable[[Exception | None], None]) -> None:
        try:
            self._journal.post(Changes(outbox_moves=moves), on_done)
        except StoreUnavailable as error:
            on_done(error)

    # what is to be seen

    def _check_drained(self) -> None:
        if self._draining is not None and not any(_at_work(e) for e in self._endpoints.values()):
            self._draining.set()

    def _held(self) -> int:
        return sum(endpoint.held() for endpoint in self._endpoints.values())

    def _set_levels(self) -> None:
        self._metrics.waiting.set(self._held())
        self._metrics.failing.set(sum(1 for endpoint in self._endpoints.values() if endpoint.failures))


def body(rows: Sequence[Row]) -> bytes:
    """Return the POST's body: the stored items, all of one kind, joined."""
    items = ",".join([row[PAYLOAD] for row in rows]).encode()
    return (b'{"MsgType":0,"Data":[' if is_reply(rows[0]) else b'{"MsgType":2,"Data":[') + items + b"]}"


def _page(account_id: str, after: int, connection: Connection) -> list[Row]:
    return outbox.waiting_after(connection, account_id, after, PAGE)


def _at_work(endpoint: Endpoint) -> bool:
    if endpoint.in_flight or endpoint.unrecorded:
        return True
    return bool(endpoint.queue) and not endpoint.failures and endpoint.url is not None
