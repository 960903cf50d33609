"""The steps of the flow, wired: what the composition root runs behind the doors, and tests drive directly."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from carriers.message_id import IdForms
from carriers.results import AnswerSink, ArrivalSink, StateSink
from config.schema import ChannelConfig
from gateway.domain.account import Directory
from gateway.domain.pricing import PriceList
from gateway.flow.accept import Accept
from gateway.flow.answers import Answers
from gateway.flow.context import Context
from gateway.flow.dispatch import ChannelPort, Dispatcher
from gateway.flow.inbound import Inbound
from gateway.flow.lanes import Lanes
from gateway.flow.levels import Levels, ShowsStatus
from gateway.flow.match import Matcher
from gateway.flow.notify import Notifier
from gateway.flow.outcome import Outcomes
from gateway.flow.parts import PartCache
from gateway.flow.recover import Recovery
from gateway.flow.refill import Refill
from gateway.flow.risk import Risk
from gateway.flow.sent import SentIndex
from gateway.flow.setback import Setbacks
from gateway.flow.settle import Settler
from gateway.flow.sweep import Sweeper
from gateway.flow.watch import Follow
from gateway.flow.wishes import OBEY
from gateway.live import Live
from gateway.store import revisions
from gateway.store.changes import Changes


class RunningChannel(ChannelPort, ShowsStatus, Protocol):
    """A channel as it is run and stopped; `carriers.channel.Channel` in the running gateway."""

    async def run(self) -> None:
        """Keep its links up until cancelled."""

    async def drain(self) -> None:
        """Take no more, let the windows empty, unbind."""


MakeChannel = Callable[[ChannelConfig, AnswerSink, ArrivalSink, StateSink], RunningChannel]


class Pipeline:
    """Accept, dispatch, settle and notify over one store, one journal and the channels of one network."""

    def __init__(self, context: Context, directory: Live[Directory], make_channel: MakeChannel) -> None:
        """Wire the steps; nothing moves yet."""
        self.context = context
        configs, settings = context.channels, context.settings
        self.notifier = Notifier(
            context.store, context.journal, directory, settings.callbacks, context.clock, context.metrics
        )
        outcomes = Outcomes(context, directory, self.notifier)
        self.index = index = SentIndex()
        parts = PartCache(configs)
        lanes = Lanes(settings.delivery.memory_window)
        self.risk = risk = Risk(context)
        self.dispatcher = dispatcher = Dispatcher(context, lanes, parts, outcomes, risk)
        forms = {id_: IdForms(config.receipt_id_form) for id_, config in configs.items()}
        matcher = Matcher(context.store, index, forms)
        self.inbound = inbound = Inbound(context, directory, self.notifier, OBEY)
        self.settler = settler = Settler(context, index, matcher, outcomes, inbound)
        setbacks = Setbacks(context, outcomes, index.doubtful)
        answers = Answers(context, dispatcher, settler, outcomes, setbacks)
        self.channels: Mapping[str, RunningChannel] = {
            id_: make_channel(config, answers, settler.arrived, dispatcher.state_changed)
            for id_, config in configs.items()
        }
        dispatcher.attach(self.channels)
        self._recovery = Recovery(context, lanes, setbacks, settler, outcomes)
        self.sweeper = Sweeper(context, dispatcher, settler, outcomes)
        self.accept = Accept(
            context, parts, dispatcher, outcomes, Live(context.routes), Live(PriceList(settings.price)), risk
        )
        self.followers: Mapping[str, Follow] = {
            revisions.INBOUND: inbound.look_for_assigned,
            revisions.NUMBERS: risk.lists.refresh,
            revisions.RISK: risk.reload,
        }
        self.levels = Levels(context, self.channels, index)
        self.helpers: dict[str, Callable[[], Any]] = {
            "notify": self.notifier.run,
            "settle": settler.run,
            "inbound": inbound.run,
            "refill": Refill(context, lanes, dispatcher, index).run,
            "sweep": self.sweeper.run,
            "levels": self.levels.run,
            "risk counts": risk.verdicts.run,
            "words": risk.word_file.run,
        }

    async def recover(self) -> int:
        """Put in order what the last run left, through the running journal; return how many were in doubt."""
        await self.inbound.resume()
        await self.risk.load()
        return await self._recovery.run(self.dispatcher, self.context.routes, frozenset(self.channels))

    async def drain(self) -> None:
        """Let everything under way come to its end: windows, receipts, commits, reports."""
        self.dispatcher.stop()
        await asyncio.gather(*(channel.drain() for channel in self.channels.values()))
        await self.settler.idle()
        await self.inbound.drain()
        await self.risk.verdicts.flush()
        await self.context.journal.append(Changes())
        await self.notifier.drain()
