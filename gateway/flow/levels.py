"""Fills in the gauges that describe a moment: queues, windows, links, what waits for its commit."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog

from carriers.channel import Channel
from gateway.clock import Clock
from gateway.domain.message import Purpose, State
from gateway.errors import GatewayError
from gateway.flow.sent import SentIndex
from gateway.metrics import Metrics
from gateway.store import messages as stored
from gateway.store.engine import Store
from gateway.store.journal import Journal

log = structlog.get_logger(__name__)

INTERVAL = 5.0  # seconds between two counts of the queues in the store
