"""The composition root: builds every part, starts them in order, stops them in reverse."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from carriers.channel import Channel
from config.schema import Network, Settings
from gateway.admin import call as admin
from gateway.admin.door import mount
from gateway.api.scloud.app import listen
from gateway.api.scloud.call import Services
from gateway.auth.keys import Keyring
from gateway.auth.links import LinkSigner
from gateway.clock import SystemClock
from gateway.domain.account import Directory
from gateway.domain.message import Message
from gateway.errors import StoreUnavailable
from gateway.flow.context import Context
from gateway.flow.keyuse import KeyUse
from gateway.flow.login import Logins
from gateway.flow.operators import OneTime, first_admin, first_words
from gateway.flow.papers import Papers
from gateway.flow.pipeline import Pipeline
from gateway.flow.probe import Probe, probe
from gateway.flow.records import Records
from gateway.flow.replay import ReplayWindow
from gateway.flow.review import Reviews
from gateway.flow.rules import RuleFile
from gateway.flow.watch import Watch
from gateway.live import Live
from gateway.metrics import Metrics
from gateway.store import messages as stored
from gateway.store import operators, reads, recount
from gateway.store.accounts import load_directory
from gateway.store.engine import Store, open_store
from gateway.store.journal import Journal
from gateway.store.keyring import open_keyring
from gateway.store.process import ProcessWriter
from gateway.store.retention import Retention
from gateway.tasks import Tasks
from gateway.version import VERSION
from gateway.web.address import ClientAddress
from gateway.web.health import STOPPING, Health, admin_app, is_served
from routing.number import NumberReader
from routing.plan import NumberPlan

log = structlog.get_logger(__name__)

# The writer thread gives the interpreter lock up at every statement and may wait this long to get it back:
# the default of 5 ms would make a commit of twenty statements take a tenth of a second on a busy loop.
SWITCH_INTERVAL = 0.0001

# Messages live for seconds and form no cycles: looking through them every 700 allocations, as is the default,
# would take more time than the messages themselves.
GC_THRESHOLD = (50_000, 20, 50)


async def serve(settings: Settings, network: Network, tell: Callable[[str], None]) -> int:
    """Run the gateway until SIGTERM or SIGINT; return the exit code.

    What could not be drained within the limit is durable, and goes on at the next start. The first start of a
    store makes the operator `admin` and gives the password for the first log-in to `tell`, once.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if await is_served(settings.http.admin):
        # before the store is touched: its schema is not ours to change either
        log.error("cannot serve", error=f"another gateway serves at {settings.http.admin}")
        return 1
    store = open_store(settings.store.url)
    code = 0
    try:
        await asyncio.to_thread(store.migrate)
        await asyncio.to_thread(_first_admin, store, tell)
        await _run(settings, network, store, stop)
    except* StoreUnavailable as failures:
        for reason in dict.fromkeys(map(str, _leaves(failures))):
            log.error("cannot serve", error=reason)
        code = 1
    finally:
        store.close()
    return code


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _first_admin(store: Store, tell: Callable[[str], None]) -> None:
    if store.read_now(operators.any_exists):
        return
    now_ms = SystemClock().now_ms()
    one_time = OneTime.make(now_ms)
    if store.transaction(lambda connection: first_admin(connection, one_time, now_ms)):
        tell(first_words(one_time))


async def _run(settings: Settings, network: Network, store: Store, stop: asyncio.Event) -> None:
    """Keep the journal around everything else: it starts first and ends last."""
    metrics, clock = Metrics(VERSION), SystemClock()

    def on_commit(rows: int, seconds: float) -> None:
        metrics.store.commit_rows.observe(rows)
        metrics.store.commit_seconds.observe(seconds)

    def set_levels() -> None:
        metrics.process.tasks.set(len(asyncio.all_tasks()))
        metrics.process.clock_behind.set(clock.behind())

    metrics.before_scrape(set_levels)
    writer = ProcessWriter(settings.store.url)
    journal = Journal(store, settings.store.max_batch, on_commit=on_commit, writer=writer)
    async with Tasks() as tasks:
        tasks.job("journal", journal.run(), told=(StoreUnavailable,))  # `serve` says why it ends
        try:
            await journal.started()
            await probe(journal, clock)  # before carriers see us: does it take writes at all
            context = await Context.load(settings, network, store, journal, clock, metrics)
            gateway = await Gateway.build(context)
            gc.collect()
            gc.freeze()  # what lives as long as the process need not be looked through again
            gc.set_threshold(*GC_THRESHOLD)
            await gateway.run(stop)
        finally:
            await journal.close()


class Gateway:
    """The flow between its two listeners, and the helpers beside it."""

    @classmethod
    async def build(cls, context: Context) -> "Gateway":
        """Read what must be in memory and wire the parts; nothing moves yet."""
        key_file = Path(context.settings.security.master_key_file)
        keyring = await asyncio.to_thread(open_keyring, context.store, key_file)
        zone, now_ms = context.settings.api.time_zone, context.clock.now_ms()
        await context.store.write(partial(recount.begin, zone=zone, now_ms=now_ms))
        directory = Live(await context.store.read(lambda connection: load_directory(connection, keyring)))
        rules = await asyncio.to_thread(RuleFile, context.settings.review)
        return cls(Pipeline(context, directory, Channel), directory, keyring, rules)

    def __init__(
        self, pipeline: Pipeline, directory: Live[Directory], keyring: Keyring, rules: RuleFile
    ) -> None:
        self._pipeline = pipeline
        self._context = context = pipeline.context
        self._unready = ["starting"]
        api = context.settings.api
        self._replay = ReplayWindow(api.dedup_window, context.clock)
        self._uses = KeyUse(context.store)
        self._watch = Watch(context, keyring, directory, pipeline.followers)
        take_over, metrics = self._watch.take_over, context.metrics
        self._reviews = Reviews(context.store, rules, context.clock, metrics.review, take_over)
        signer = LinkSigner(keyring.derived("links to files"))
        self._papers = Papers(context.store, context.settings.files, signer, context.clock)
        numbers = NumberReader(NumberPlan(), api.default_country)
        self._services = Services(
            directory=directory,
            accept=pipeline.accept,
            receipts=self._receipts,
            records=Records(context),
            replay=self._replay,
            used=self._uses.note,
            numbers=numbers,
            reviews=self._reviews,
            papers=self._papers,
            texts=pipeline.risk.texts,
            lists=pipeline.risk.lists,
            settings=api,
            metrics=context.metrics.api,
            clock=context.clock,
        )
        self._logins = Logins(context.store, context.settings.admin, context.clock, context.metrics.admin)
        self._admin = admin.Services(
            store=context.store,
            keyring=keyring,
            clock=context.clock,
            logins=self._logins,
            reviews=self._reviews,
            papers=self._papers,
            numbers=numbers,
            metrics=context.metrics.admin,
            client=ClientAddress(context.settings.http.trusted_proxies),
            currency=context.settings.delivery.currency,
            token_max_days=context.settings.admin.token_max_days,
            status=self._status,
            channels=self._channel_status,
            take_over=take_over,
        )
        settings = context.settings
        store = settings.store
        self._helpers: dict[str, Callable[[], Any]] = pipeline.helpers | {
            "watch": self._watch.run,
            "key use": self._uses.run,
            "probe": Probe(context.journal, context.clock).run,
            "reviews": self._reviews.run,
            "files": self._papers.run,
            "retention": Retention(
                context.store, store, context.clock, metrics.store, settings.inbound.recall_days
            ).run,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Recover, open up, work until `stop`, then drain in reverse order; the journal must run."""
        async with Tasks() as helpers:
            await self._work(stop, helpers)
            helpers.stop()
        self._reviews.close()
        self._papers.close()
        log.info("stopped")

    async def _work(self, stop: asyncio.Event, helpers: Tasks) -> None:
        in_doubt = await self._pipeline.recover()
        since = self._context.clock.now_ms() - int(self._context.settings.api.dedup_window * 1000)
        recent = partial(stored.recent_requests, since_ms=since)
        self._replay.preload(await self._context.store.read(recent))
        http = self._context.settings.http
        health = Health(
            VERSION,
            self._context.metrics.render,
            self._reasons,
            self._channel_status,
            lambda: self._watch.revisions,
        )
        async with AsyncExitStack() as private, AsyncExitStack() as public:
            private.callback(self._logins.close)
            desk = admin_app(health)
            mount(desk, self._admin)
            await _listen(private, desk, http.admin)
            host, port = _endpoint(http.public)
            await public.enter_async_context(listen(self._services, http, host, port))
            # after the listeners: who cannot open them leaves the carriers' binds to the one who could
            for name, run in self._helpers.items():
                helpers.helper(name, run())
            for channel_id, channel in self._pipeline.channels.items():
                helpers.helper(f"channel {channel_id}", channel.run())
            self._unready = []
            log.info("serving", public=http.public, admin=http.admin, in_doubt=in_doubt)
            await stop.wait()
            log.info("stopping")
            self._unready = [STOPPING]
            await public.aclose()
            await self._uses.flush()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._context.settings.delivery.shutdown_limit):
                    await self._pipeline.drain()

    async def _receipts(self, account_id: str, sessions: Sequence[str]) -> Mapping[str, Sequence[Message]]:
        finals = partial(reads.final_messages, account_id=account_id, sessions=sessions)
        return await self._context.store.read(finals)

    def _status(self) -> Mapping[str, object]:
        reasons = self._reasons()
        about = {"version": VERSION, "ready": not reasons, "reasons": reasons}
        return about | self._pipeline.levels.as_dict()

    def _reasons(self) -> list[str]:
        """Return why no submission would be taken now; empty: it would."""
        failure = self._context.journal.failure
        return [*self._unready, *([f"the store does not commit: {failure}"] if failure else [])]

    def _channel_status(self) -> Mapping[str, Mapping[str, object]]:
        return self._pipeline.levels.channels()


async def _listen(stack: AsyncExitStack, app: web.Application, address: str) -> None:
    """Serve `app` at `host:port`."""
    host, port = _endpoint(address)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port, backlog=1024).start()


def _endpoint(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
