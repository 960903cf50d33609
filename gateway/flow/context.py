"""What every step of the flow works with; made once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.schema import ChannelConfig, Network, Settings
from gateway.clock import Clock
from gateway.flow.funds import Funds
from gateway.ids import IdSource
from gateway.metrics import Metrics
from gateway.store import messages as stored
from gateway.store.engine import Store
from gateway.store.journal import Journal
from gateway.store.ledger import balances
from routing.table import RouteTable


@dataclass(frozen=True, slots=True)
class Context:
    """The store and its journal, the clock, the money, and what was configured."""

    settings: Settings
    channels: Mapping[str, ChannelConfig]
    routes: RouteTable
    store: Store
    journal: Journal
    funds: Funds
    ids: IdSource
    clock: Clock
    metrics: Metrics

    @classmethod
    async def load(
        cls,
        settings: Settings,
        network: Network,
        store: Store,
        journal: Journal,
        clock: Clock,
        metrics: Metrics,
    ) -> "Context":
        """Read what must be in memory; the journal must have started, so that nobody else writes."""
        return cls(
            settings=settings,
            channels=network.channels,
            routes=RouteTable.of(network),
            store=store,
            journal=journal,
            funds=Funds(*await store.read(balances)),
            ids=IdSource(await store.read(stored.highest_id)),
            clock=clock,
            metrics=metrics,
        )
