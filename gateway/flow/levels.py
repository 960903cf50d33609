"""Fills in the gauges that describe a moment: queues, windows, links, what waits for its commit."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Protocol

import structlog

from carriers.smpp.status import status_name
from carriers.status import ChannelStatus
from gateway.domain.message import Purpose, State
from gateway.errors import GatewayError
from gateway.flow.context import Context
from gateway.flow.sent import SentIndex
from gateway.meters import Count, Counts, Labels
from gateway.store import messages as stored

log = structlog.get_logger(__name__)

INTERVAL = 5.0  # seconds between two counts of the queues: they are counted in the store, where they are
SHARE = 20  # a long backlog takes long to count: the pause after it is so many times as long


class ShowsStatus(Protocol):
    """A channel that can say how it is."""

    def status(self) -> ChannelStatus:
        """Return how the channel is now."""


class Levels:
    """Counts the queues now and then, and reads everything else just before a scrape."""

    def __init__(self, context: Context, channels: Mapping[str, ShowsStatus], index: SentIndex) -> None:
        self._store = context.store
        self._journal = context.journal
        self._clock = context.clock
        self._metrics = context.metrics
        self._channels = channels
        self._index = index
        self._counted: dict[Count, int] = {}
        self._queues: Sequence[stored.LaneRow] = ()
        self._metrics.before_scrape(self._set_levels)

    async def run(self) -> None:
        """Count the queues again and again until cancelled."""
        while True:
            started = self._clock.monotonic()
            try:
                self.set_queues(await self._store.read(stored.lanes))
            except GatewayError as error:
                log.warning("queues not counted", error=str(error))
            await asyncio.sleep(max(INTERVAL, SHARE * (self._clock.monotonic() - started)))

    def set_queues(self, rows: Sequence[stored.LaneRow]) -> None:
        """Show the queues as they were counted."""
        self._queues = rows
        now_ms = self._clock.now_ms()
        waiting: dict[Labels, float] = {}
        oldest: dict[Labels, float] = {}
        held = 0
        for row in rows:
            labels = (row.lane, Purpose(row.purpose).name.lower())
            waiting[labels] = waiting.get(labels, 0) + row.count
            oldest[labels] = max(oldest.get(labels, 0.0), (now_ms - row.oldest) / 1000)
            held += row.count if row.state == State.HELD else 0
        self._metrics.messages.queued.replace(waiting)
        self._metrics.messages.oldest.replace(oldest)
        self._metrics.messages.held.set(held)

    def as_dict(self) -> dict[str, object]:
        """Return what waits as plain values; the queues as they were counted last."""
        now_ms = self._clock.now_ms()
        return {
            "pending_rows": self._journal.pending_rows,
            "in_doubt": self._index.in_doubt,
            "queues": [
                {
                    "lane": row.lane,
                    "purpose": Purpose(row.purpose).name.lower(),
                    "state": State(row.state).name.lower(),
                    "messages": row.count,
                    "oldest_seconds": max(0.0, (now_ms - row.oldest) / 1000),
                }
                for row in self._queues
            ],
        }

    def channels(self) -> dict[str, dict[str, object]]:
        """Return every channel as it is now, by id, as plain values.

        `waiting` are the messages that may go by it, in the store and as they were counted last: what several
        channels may carry waits for each of them. `since` becomes a time of day.
        """
        offset = self._clock.now_ms() / 1000 - self._clock.monotonic()
        told: dict[str, dict[str, object]] = {}
        for channel_id, channel in self._channels.items():
            status = channel.status()
            waiting = sum(row.count for row in self._queues if channel_id in row.lane.split(","))
            links = [
                asdict(link)
                | {"since": datetime.fromtimestamp(offset + link.since, UTC).isoformat(timespec="seconds")}
                for link in status.links
            ]
            told[channel_id] = {**status.as_dict(), "waiting": waiting, "links": links}
        return told

    def _set_levels(self) -> None:
        self._metrics.store.pending_rows.set(self._journal.pending_rows)
        self._metrics.messages.in_doubt.set(self._index.in_doubt)
        states: dict[Labels, float] = {}
        for channel_id, channel in self._channels.items():
            status = channel.status()
            self._set_channel(channel_id, status)
            for link in status.links:
                states[channel_id, link.name, link.state.value] = 1
        self._metrics.channels.link_state.replace(states)

    def _set_channel(self, channel_id: str, status: ChannelStatus) -> None:
        levels = self._metrics.channels
        levels.in_flight.set(status.in_flight, channel_id)
        levels.window.set(status.window, channel_id)
        levels.rate.set(status.rate, channel_id)
        levels.up.set(status.up, channel_id)
        counters = status.counters
        for code, count in counters.throttled.items():
            self._advance(levels.throttled, count, channel_id, status_name(code))
        for why, count in counters.bind_failures.items():
            self._advance(levels.bind_failures, count, channel_id, why)
        self._advance(levels.protocol_faults, counters.faults.total(), channel_id)

    def _advance(self, family: Counts, total: int, *labels: str) -> None:
        """Bring a counter up to what the channel has counted since start."""
        child = family.child(*labels)
        before = self._counted.get(child, 0)
        if total > before:
            child.inc(total - before)
            self._counted[child] = total
