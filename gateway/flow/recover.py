"""What a start finds in the store and must put in order before anything moves."""

from collections.abc import Container, Mapping
from functools import partial

from config.schema import ChannelConfig
from gateway.domain.message import Message, Purpose, Reason, State
from gateway.flow.context import Context
from gateway.flow.dispatch import Dispatcher
from gateway.flow.kept import PARKED, Parked, load_receipt
from gateway.flow.lanes import Lanes
from gateway.flow.outcome import Outcomes
from gateway.flow.parts import cut_of
from gateway.flow.setback import Setbacks
from gateway.flow.settle import Settler
from gateway.flow.unit import Unit
from gateway.store import messages as stored
from routing.table import Choice, NoRoute, RouteTable

_CHUNK = 1_000  # messages given a new way in one commit
_CUT = "cut/"  # and a channel: the mark that says how it cut long texts in the last run; 0: it was gone


class Recovery:
    """Decides for what was being sent, and tells the lanes what waits for them."""

    def __init__(
        self, context: Context, lanes: Lanes, setbacks: Setbacks, settler: Settler, outcomes: Outcomes
    ) -> None:
        self._store = context.store
        self._channels = context.channels
        self._journal = context.journal
        self._clock = context.clock
        self._lanes = lanes
        self._setbacks = setbacks
        self._settler = settler
        self._outcomes = outcomes

    async def run(self, dispatcher: Dispatcher, routes: RouteTable, channels: frozenset[str]) -> int:
        """Recover; return how many messages were in doubt. Raises `StoreUnavailable`."""
        in_flight = await self._store.read(stored.in_flight)
        marks = await self._store.read(stored.marks)
        before = {name.removeprefix(_CUT): cut for name, cut in marks.items() if name.startswith(_CUT)}
        joins = _joins(self._channels, before)
        unit = Unit()
        self._setbacks.recover(in_flight, unit, joins)
        await self._journal.append(unit)
        self._outcomes.committed(unit)
        await self._end_torn(before, joins)
        await self._reroute(routes, channels)
        for lane in await self._store.read(stored.lanes):
            self._lanes.get(lane.lane, Purpose(lane.purpose), spilled=True)
        newest_first = await self._store.read(partial(stored.early_unmatched, limit=PARKED))
        parked = [Parked(row.id, row.channel, load_receipt(row.receipt)) for row in reversed(newest_first)]
        for one in parked:
            self._settler.index.kept.add(one)
        self._settler.resettle(parked)  # the answers of some may have come without their being settled
        dispatcher.hungry.set()
        return len(in_flight)

    async def _end_torn(self, before: Mapping[str, int], joins: Container[str]) -> None:
        """End what is half sent where the other half would be another text's, if any channel has changed.

        How the channels cut now is written down last: a start that breaks off here looks again.
        """
        now = dict.fromkeys(before, 0) | {id_: cut_of(config) for id_, config in self._channels.items()}
        if now == before:
            return
        after = 0
        while batch := await self._store.read(partial(stored.half_sent, after_id=after, limit=_CHUNK)):
            unit = Unit()
            for message in batch:
                if message.parts_done and message.channel not in joins:
                    self._setbacks.tear(message, unit, self._clock.now_ms())
            await self._journal.append(unit)
            self._outcomes.committed(unit)
            after = batch[-1].id
        unit = Unit()
        unit.marks += [(_CUT + id_, cut) for id_, cut in now.items()]
        await self._journal.append(unit)

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


def _joins(channels: Mapping[str, ChannelConfig], before: Mapping[str, int]) -> frozenset[str]:
    """Return the channels that cut as they did in the last run, as far as that is known."""
    return frozenset(id_ for id_, config in channels.items() if before.get(id_) in (None, cut_of(config)))
