"""The composition root: builds every part, starts them in order, stops them in reverse."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from carriers.channel import Channel
from carriers.message_id import IdForms
from config.schema import Network, Settings
from gateway.api.scloud.app import MAX_LINE, public_app
from gateway.api.scloud.call import Services
from gateway.auth.keys import Keyring, read_master_key
from gateway.clock import SystemClock
from gateway.domain.account import Directory
from gateway.domain.message import Message
from gateway.domain.pricing import PriceList
from gateway.flow.accept import Accept
from gateway.flow.answers import Answers
from gateway.flow.dispatch import Dispatcher
from gateway.flow.funds import Funds
from gateway.flow.lanes import Lanes
from gateway.flow.levels import Levels
from gateway.flow.match import Matcher
from gateway.flow.notify import Notifier
from gateway.flow.outcome import Outcomes
from gateway.flow.parts import PartCache
from gateway.flow.recover import Recovery
from gateway.flow.refill import Refill
from gateway.flow.replay import ReplayWindow
from gateway.flow.sent import SentIndex
from gateway.flow.settle import Settler
from gateway.flow.sweep import Sweeper
from gateway.flow.watch import Watch
from gateway.ids import IdSource
from gateway.live import Live
from gateway.metrics import Metrics
from gateway.store import messages as stored
from gateway.store import reads
from gateway.store.accounts import load_directory
from gateway.store.changes import Changes
from gateway.store.engine import Store, open_store
from gateway.store.journal import Journal
from gateway.store.ledger import balances
from gateway.store.retention import Retention
from gateway.tasks import Tasks
from gateway.web.health import Health, admin_app
from routing.number import NumberReader
from routing.plan import NumberPlan
from routing.table import RouteTable

log = structlog.get_logger(__name__)

# The writer thread gives the interpreter lock up at every statement and may wait this long to get it back:
# the default of 5 ms would make a commit of twenty statements take a tenth of a second on a busy loop.
SWITCH_INTERVAL = 0.0003


async def serve(settings: Settings, network: Network) -> int:
    """Run the gateway until SIGTERM or SIGINT; return the exit code. Whatever is not drained by then is durable."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    store = open_store(settings.store.url)
    try:
        await asyncio.to_thread(store.migrate)
        gateway = await Gateway.build(settings, network, store)
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be looked through again
        await gateway.run(stop)
    finally:
        store.close()
    return 0


class Gateway:
    """Every part of one running gateway."""

    @classmethod
    async def build(cls, settings: Settings, network: Network, store: Store) -> "Gateway":
        """Read what must be in memory and wire the parts; nothing moves yet."""
        keyring = Keyring(read_master_key(Path(settings.security.master_key_file)))
        directory = Live(await store.read(lambda connection: load_directory(connection, keyring)))
        available, last_seq = await store.read(balances)
        ids = IdSource(await store.read(stored.highest_id))
        gateway = cls(settings, network, store, directory, Funds(available, last_seq), ids)
        gateway.helpers["watch"] = Watch(store, keyring, directory, gateway.funds).run
        return gateway

    def __init__(
        self,
        settings: Settings,
        network: Network,
        store: Store,
        directory: Live[Directory],
        funds: Funds,
        ids: IdSource,
    ) -> None:
        self._settings = settings
        self._store = store
        self.funds = funds
        self._unready = ["starting"]
        clock = SystemClock()
        self._metrics = metrics = Metrics(version("scloud-sms"))
        self._journal = Journal(store, settings.store.max_batch, self._on_commit)
        self._notifier = Notifier(store, self._journal, directory, settings.callbacks, clock, metrics)
        self._outcomes = Outcomes(funds, directory, self._notifier, metrics, settings.api.receipt_language)
        self._configs = network.channels
        self._routes = RouteTable.of(network)
        self._lanes = Lanes(settings.delivery.memory_window)
        self._clock = clock
        self._wire_flow(ids)
        self._replay = ReplayWindow(settings.api.dedup_window, clock)
        self._services = Services(
            directory=directory,
            accept=self._accept(ids),
            receipts=self._receipts,
            replay=self._replay,
            numbers=NumberReader(NumberPlan(), settings.api.default_country),
            settings=settings.api,
            metrics=metrics.api,
            clock=clock,
        )

    def _wire_flow(self, ids: IdSource) -> None:
        store, journal, clock, configs = self._store, self._journal, self._clock, self._configs
        outcomes, lanes, metrics, delivery = self._outcomes, self._lanes, self._metrics, self._settings.delivery
        index = SentIndex()
        forms = {id_: IdForms(config.receipt_id_form) for id_, config in configs.items()}
        matcher = Matcher(store, index, forms)
        self._dispatcher = dispatcher = Dispatcher(journal, lanes, PartCache(configs), outcomes, clock)
        self._settler = settler = Settler(store, journal, index, matcher, outcomes, ids, clock, metrics)
        answers = Answers(dispatcher, settler, outcomes, configs, delivery, clock, metrics)
        self._channels = {
            id_: Channel(config, answers, settler.arrived, dispatcher.state_changed)
            for id_, config in configs.items()
        }
        dispatcher.attach(self._channels)
        self._recovery = Recovery(store, journal, lanes, answers, settler, outcomes, clock)
        self.helpers: dict[str, Callable[[], Any]] = {
            "settle": settler.run,
            "refill": Refill(store, lanes, dispatcher, index).run,
            "sweep": Sweeper(store, dispatcher, settler, outcomes, configs, delivery, clock).run,
            "levels": Levels(store, self._channels, index, journal, clock, metrics).run,
            "retention": Retention(store, self._settings.store, clock, metrics.store).run,
            "notify": self._notifier.run,
        }

    def _accept(self, ids: IdSource) -> Accept:
        settings = self._settings
        return Accept(
            self._journal, self._dispatcher, self._outcomes, self.funds, Live(self._routes), self._configs,
            Live(PriceList(settings.price)), settings.delivery, ids, self._clock, self._metrics,
            settings.http.max_pending,
        )  # fmt: skip

    async def run(self, stop: asyncio.Event) -> None:
        """Recover, open up, work until `stop`, then drain in reverse order."""
        async with Tasks() as outer:
            outer.job("journal", self._journal.run())
            try:
                async with Tasks() as helpers:
                    await self._work(stop, helpers)
                    helpers.stop()
            finally:
                await self._journal.close()
        log.info("stopped")

    async def _work(self, stop: asyncio.Event, helpers: Tasks) -> None:
        in_doubt = await self._recovery.run(self._dispatcher, self._routes, frozenset(self._configs))
        window_ms = int(self._settings.api.dedup_window * 1000)
        since = self._clock.now_ms() - window_ms
        self._replay.preload(await self._store.read(lambda connection: stored.recent_requests(connection, since)))
        for name, run in self.helpers.items():
            helpers.helper(name, run())
        for channel_id, channel in self._channels.items():
            helpers.helper(f"channel {channel_id}", channel.run())
        health = Health(version("scloud-sms"), self._metrics.render, lambda: self._unready, self._channel_status)
        admin = await _listen(admin_app(health), self._settings.http.admin)
        public = await _listen(
            public_app(self._services, self._settings.http), self._settings.http.public, max_line_size=MAX_LINE
        )
        self._unready = []
        log.info("serving", public=self._settings.http.public, admin=self._settings.http.admin, in_doubt=in_doubt)
        try:
            await stop.wait()
            log.info("stopping")
            self._unready = ["stopping"]
            await public.cleanup()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.delivery.shutdown_limit):
                    await self._drain()
        finally:
            await public.cleanup()
            await admin.cleanup()

    async def _drain(self) -> None:
        """Let everything under way come to its end: windows, receipts, commits, reports."""
        self._dispatcher.stop()
        await asyncio.gather(*(channel.drain() for channel in self._channels.values()))
        await self._settler.idle()
        await self._journal.append(Changes())
        await self._notifier.drain()

    async def _receipts(self, account_id: str, sessions: Sequence[str]) -> Mapping[str, Sequence[Message]]:
        return await self._store.read(lambda connection: reads.final_messages(connection, account_id, sessions))

    def _channel_status(self) -> Mapping[str, Mapping[str, object]]:
        return {id_: channel.status().as_dict() for id_, channel in self._channels.items()}

    def _on_commit(self, rows: int, seconds: float) -> None:
        self._metrics.store.commit_rows.observe(rows)
        self._metrics.store.commit_seconds.observe(seconds)


async def _listen(app: web.Application, address: str, **options: int) -> web.AppRunner:
    """Serve `app` at `host:port`; the access log stays off, since queries hold numbers and texts."""
    host, _, port = address.rpartition(":")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0, **options)
    await runner.setup()
    await web.TCPSite(runner, host.strip("[]"), int(port), backlog=1024).start()
    return runner
