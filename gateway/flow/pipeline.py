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
from gateway.flow.context import Context
from gateway.flow.dispatch import ChannelPort, Dispatcher
from gateway.flow.funds import Funds
from gateway.flow.lanes import Lanes
from gateway.flow.levels import Levels, ShowsStatus
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
from gateway.version import VERSION
from routing.table import RouteTable


class RunningChannel(ChannelPort, ShowsStatus, Protocol):
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
        clock: Clock,
        make_channel: MakeChannel,
    ) -> "Pipeline":
        """Read what must be in memory and wire the steps; nothing moves yet."""
        metrics = Metrics(VERSION)

        def on_commit(rows: int, seconds: float) -> None:
            metrics.store.commit_rows.observe(rows)
            metrics.store.commit_seconds.observe(seconds)

        context = Context(
            settings=settings,
            channels=network.channels,
            store=store,
            journal=Journal(store, settings.store.max_batch, on_commit=on_commit),
            funds=Funds(*await store.read(balances)),
            ids=IdSource(await store.read(stored.highest_id)),
            clock=clock,
            metrics=metrics,
        )
        return cls(context, RouteTable.of(network), directory, make_channel)

    def __init__(
        self, context: Context, routes: RouteTable, directory: Live[Directory], make_channel: MakeChannel
    ) -> None:
        self.context = context
        self._routes = routes
        configs, settings = context.channels, context.settings
        self.notifier = Notifier(
            context.store, context.journal, directory, settings.callbacks, context.clock, context.metrics
        )
        outcomes = Outcomes(context, directory, self.notifier)
        self.index = index = SentIndex()
        parts = PartCache(configs)
        lanes = Lanes(settings.delivery.memory_window)
        self.dispatcher = dispatcher = Dispatcher(context, lanes, parts, outcomes)
        forms = {id_: IdForms(config.receipt_id_form) for id_, config in configs.items()}
        self.settler = settler = Settler(context, index, Matcher(context.store, index, forms), outcomes)
        answers = Answers(context, dispatcher, settler, outcomes)
        self.channels: Mapping[str, RunningChannel] = {
            id_: make_channel(config, answers, settler.arrived, dispatcher.state_changed)
            for id_, config in configs.items()
        }
        dispatcher.attach(self.channels)
        self._recovery = Recovery(context, lanes, answers, settler, outcomes)
        self.sweeper = Sweeper(context, dispatcher, settler, outcomes)
        self.accept = Accept(
            context, parts, dispatcher, outcomes, Live(routes), Live(PriceList(settings.price))
        )
        self.levels = Levels(context, self.channels, index)
        self.helpers: dict[str, Callable[[], Any]] = {
            "notify": self.notifier.run,
            "settle": settler.run,
            "refill": Refill(context, lanes, dispatcher, index).run,
            "sweep": self.sweeper.run,
            "levels": self.levels.run,
        }

    async def recover(self) -> int:
        """Put in order what the last run left, through the running journal; return how many were in doubt."""
        return await self._recovery.run(self.dispatcher, self._routes, frozenset(self.channels))

    async def drain(self) -> None:
        """Let everything under way come to its end: windows, receipts, commits, reports."""
        self.dispatcher.stop()
        await asyncio.gather(*(channel.drain() for channel in self.channels.values()))
        await self.settler.idle()
        await self.context.journal.append(Changes())
        await self.notifier.drain()
