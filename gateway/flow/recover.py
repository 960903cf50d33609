"""What a start finds in the store and must put in order before anything moves."""

from functools import partial

from gateway.domain.message import Message, Purpose, Reason, State
from gateway.flow.answers import Answers
from gateway.flow.context import Context
from gateway.flow.dispatch import Dispatcher
from gateway.flow.kept import PARKED, Parked, load_receipt
from gateway.flow.lanes import Lanes
from gateway.flow.outcome import Outcomes
from gateway.flow.settle import Settler
from gateway.flow.unit import Unit
from gateway.store import messages as stored
from routing.table import Choice, NoRoute, RouteTable

_CHUNK = 1_000  # messages given a new way in one commit


class Recovery:
    """Decides for what was being sent, and tells the lanes what waits for them."""

    def __init__(
        self, context: Context, lanes: Lanes, answers: Answers, settler: Settler, outcomes: Outcomes
    ) -> None:
        self._store = context.store
        self._journal = context.journal
        self._clock = context.clock
        self._lanes = lanes
        self._answers = answers
        self._settler = settler
        self._outcomes = outcomes

    async def run(self, dispatcher: Dispatcher, routes: RouteTable, channels: frozenset[str]) -> int:
        """Recover; return how many messages were in doubt. Raises `StoreUnavailable`."""
        in_flight = await self._store.read(stored.in_flight)
        unit = Unit()
        self._answers.recover(in_flight, unit)
        await self._journal.append(unit)
        await self._reroute(routes, channels)
        for lane in await self._store.read(stored.lanes):
            self._lanes.get(lane.lane, Purpose(lane.purpose), spilled=True)
        for row in reversed(await self._store.read(partial(stored.early_unmatched, limit=PARKED))):
            self._settler.index.kept.add(Parked(row.id, row.channel, load_receipt(row.receipt)))
        dispatcher.hungry.set()
        return len(in_flight)

    async def _reroute(self, routes: RouteTable, channels: frozenset[str]) -> None:
        """Give messages a way again whose candidate channels are no longer all configured."""
        for lane in {lane.lane for lane in await self._store.read(stored.lanes)}:
            if not channels.issuperset(lane.split(",")):
                await self._reroute_lane(lane, routes, channels)

    async def _reroute_lane(self, lane: str, routes: RouteTable, channels: frozenset[str]) -> None:
        left = ",".join(channel for channel in lane.split(",") if channel in channels)
        after = 0
        while batch := await self._store.read(
            partial(stored.waiting_in, lane=lane, after_id=after, limit=_CHUNK)
        ):
            unit = Unit()
            now_ms = self._clock.now_ms()
            for message in batch:
                choice = None if left else self._choose(routes, message)
                unit.event(message.id, now_ms, message.state, Reason.REROUTED, f"{lane} is not configured")
                unit.moved[message.id] = message
                if left:
                    message.lane = left
                elif isinstance(choice, Choice):
                    message.lane = ",".join(choice.channels)
                else:
                    self._outcomes.finish(message, State.FAILED, Reason.NO_ROUTE, unit, now_ms)
            await self._journal.append(unit)
            self._outcomes.committed(unit)
            after = batch[-1].id

    def _choose(self, routes: RouteTable, message: Message) -> Choice | NoRoute:
        account_id = message.submission.account_id
        return routes.choose(message.country, message.phone, message.purpose.name.lower(), account_id)
