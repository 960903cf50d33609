"""What every step of the flow works with; made once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.schema import ChannelConfig, Settings
from gateway.clock import Clock
from gateway.flow.funds import Funds
from gateway.ids import IdSource
from gateway.metrics import Metrics
from gateway.store.engine import Store
from gateway.store.journal import Journal


@dataclass(frozen=True, slots=True)
class Context:
    """The store and its journal, the clock, the money, and what was configured."""

    settings: Settings
    channels: Mapping[str, ChannelConfig]
    store: Store
    journal: Journal
    funds: Funds
    ids: IdSource
    clock: Clock
    metrics: Metrics
