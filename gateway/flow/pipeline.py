"""The steps of the flow, wired: what the composition root runs behind the doors, and tests drive directly."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from carriers.message_id import IdForms
from carriers.results import AnswerSink, ArrivalSink, StateSink
from config.schema import ChannelConfig, Network, Settings
from gateway.clock import Clock
from gateway.domain.account import Directory
from gateway.domain.pricing import PriceList
from gateway.flow.accept import Accept
from gateway.flow.answers import Answers
from gateway.flow.dispatch import ChannelPort, Dispatcher
from gateway.flow.funds import Funds
from gateway.flow.lanes import Lanes
from gateway.flow.match import Matcher
from gateway.flow.notify import Notifier
from gateway.flow.outcome import Outcomes
from gateway.flow.parts import PartCache
from gateway.flow.recover import Recovery
from gateway.flow.refill import Refill
from gateway.flow.sent import SentIndex
from gateway.flow.settle import Settler
from gateway.flow.sweep import Sweeper
from gateway.ids import IdSource
from gateway.live import Live
from gateway.metrics import Metrics
from gateway.store import messages as stored
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.journal import Journal
from gateway.store.ledger import balances
from routing.table import RouteTable


class RunningChannel(ChannelPort, Protocol):
    """A channel as it is run and stopped; `carriers.channel.Channel` in the running gateway."""

    async def run(self) -> None:
        """Keep its links up until cancelled."""

    async def drain(self) -> None:
        """Take no more, let the windows empty, unbind."""


MakeChannel = Callable[[ChannelConfig, AnswerSink, ArrivalSink, StateSink], RunningChannel]


class Pipeline:
    """Accept, dispatch, settle and notify over one store, one journal and the channels of one network."""

    @classmethod
    async def build(
        cls,
        settings: Settings,
        network: Network,
        store: Store,
        directory: Live[Directory],
        metrics: Metrics,
        clock: Clock,
        make_channel: MakeChannel,
    ) -> "Pipeline":
        """Read what must be in memory and wire the steps; nothing moves yet."""
        available, last_seq = await store.read(balances)
        ids = IdSource(await store.read(stored.highest_id))
        pipeline = cls(settings, store, directory, metrics, clock, Funds(available, last_seq))
        pipeline._wire(network, ids, make_channel)
        return pipeline

    def __init__(
        self,
        settings: Settings,
        store: Store,
        directory: Live[Directory],
        metrics: Metrics,
        clock: Clock,
        funds: Funds,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self.funds = funds
        self.journal = Journal(store, settings.store.max_batch, self._on_commit)
        self.notifier = Notifier(store, self.journal, directory, settings.callbacks, clock, metrics)
        self._outcomes = Outcomes(funds, directory, self.notifier, metrics, settings.api.receipt_language)
        self.index = SentIndex()
        self.channels: Mapping[str, RunningChannel] = {}
        self.helpers: dict[str, Callable[[], Any]] = {"notify": self.notifier.run}

    def _wire(self, network: Network, ids: IdSource, make_channel: MakeChannel) -> None:
        store, journal, clock, configs = self._store, self.journal, self._clock, network.channels
        outcomes, metrics, delivery = self._outcomes, self._metrics, self._settings.delivery
        forms = {id_: IdForms(config.receipt_id_form) for id_, config in configs.items()}
        self._routes = routes = RouteTable.of(network)
        lanes = Lanes(delivery.memory_window)
        self.dispatcher = dispatcher = Dispatcher(journal, lanes, PartCache(configs), outcomes, clock)
        matcher = Matcher(store, self.index, forms)
        self.settler = settler = Settler(store, journal, self.index, matcher, outcomes, ids, clock, metrics)
        answers = Answers(dispatcher, settler, outcomes, configs, delivery, clock, metrics)
        self.channels = {
            id_: make_channel(config, answers, settler.arrived, dispatcher.state_changed)
            for id_, config in configs.items()
        }
        dispatcher.attach(self.channels)
        self._recovery = Recovery(store, journal, lanes, answers, settler, outcomes, clock)
        self.sweeper = Sweeper(store, dispatcher, settler, outcomes, configs, delivery, clock)
        self.accept = Accept(
            journal, dispatcher, outcomes, self.funds, Live(routes), configs, Live(PriceList(self._settings.price)),
            delivery, ids, clock, metrics, self._settings.http.max_pending,
        )  # fmt: skip
        self.helpers |= {
            "settle": settler.run,
            "refill": Refill(store, lanes, dispatcher, self.index).run,
            "sweep": self.sweeper.run,
        }

    async def recover(self) -> int:
        """Put in order what the last run left; return how many messages were in doubt. The journal must run."""
        return await self._recovery.run(self.dispatcher, self._routes, frozenset(self.channels))

    async def drain(self) -> None:
        """Let everything under way come to its end: windows, receipts, commits, reports."""
        self.dispatcher.stop()
        await asyncio.gather(*(channel.drain() for channel in self.channels.values()))
        await self.settler.idle()
        await self.journal.append(Changes())
        await self.notifier.drain()

    def _on_commit(self, rows: int, seconds: float) -> None:
        self._metrics.store.commit_rows.observe(rows)
        self._metrics.store.commit_seconds.observe(seconds)
