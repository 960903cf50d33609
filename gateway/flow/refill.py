"""Brings what waits in the store back into the lanes as memory empties, oldest first."""

import asyncio

import structlog

from gateway.domain.message import Message
from gateway.errors import GatewayError
from gateway.flow.context import Context
from gateway.flow.dispatch import Dispatcher
from gateway.flow.lanes import Lane, Lanes
from gateway.flow.sent import SentIndex
from gateway.store import messages as stored

log = structlog.get_logger(__name__)

STORE_RETRY = 0.5  # seconds until a store that could not be read is asked again


class Refill:
    """Loads lanes that the dispatcher found half empty."""

    def __init__(self, context: Context, lanes: Lanes, dispatcher: Dispatcher, index: SentIndex) -> None:
        self._store = context.store
        self._lanes = lanes
        self._dispatcher = dispatcher
        self._index = index

    async def run(self) -> None:
        """Load whenever the dispatcher asks, until cancelled."""
        hungry = self._dispatcher.hungry
        while True:
            await hungry.wait()
            hungry.clear()
            try:
                await self._load_hungry()
            except GatewayError as error:
                log.warning("queue not read", error=str(error))
                await asyncio.sleep(STORE_RETRY)
            if any(lane.wants_load() for lane in self._lanes):
                hungry.set()

    async def _load_hungry(self) -> None:
        for lane in self._lanes:
            if lane.wants_load():
                await self._load(lane)
                for channel_id in lane.candidates:
                    self._dispatcher.pump(channel_id)

    async def _load(self, lane: Lane) -> None:
        name, purpose, after, limit = ",".join(lane.candidates), lane.purpose, lane.tail, lane.begin_load()
        loaded: list[Message] = []
        complete = False
        try:
            loaded = await self._store.read(
                lambda connection: stored.queued_after(connection, name, purpose, after, limit)
            )
            complete = len(loaded) < limit
        finally:
            # a late answer must find the object that is queued again, so that one wins over its copy
            doubtful = self._index.doubtful
            lane.end_load([doubtful.get(message.id, message) for message in loaded], complete=complete)
