"""All routes in order: the first that matches decides. Immutable; a new network makes a new table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from config.schema import ChannelConfig, Network
from routing.rules import Miss, Query, Rule

_REMEMBERED = 65_536  # decisions kept; then all are made again


class RouteReason(StrEnum):
    """Why there is no route, or why a channel is not on it."""

    NO_MATCH = "no route matches"
    NO_CHANNEL = "the route has no channel left"
    PURPOSE_NOT_ALLOWED = "the channel's contract does not allow the purpose"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A channel the route names that may not be used."""

    channel: str
    reason: RouteReason


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a message goes."""

    route_id: str
    channels: tuple[str, ...]  # at least one, in order of preference
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Nowhere to go, and why."""

    reason: RouteReason
    route_id: str = ""  # the route that matched, if one did
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True, slots=True)
class Considered:
    """One route as it was looked at for a decision."""

    route_id: str
    miss: Miss | None  # None: it matched


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and how it was come by."""

    decision: Choice | NoRoute
    considered: tuple[Considered, ...]  # in file order, up to the one that matched


class RouteTable:
    """The routes of one version of the network."""

    def __init__(self, rules: tuple[Rule, ...], channels: Mapping[str, ChannelConfig]) -> None:
        """Raises `ValueError` if a rule names a channel that does not exist."""
        for rule in rules:
            for channel in rule.channels:
                if channel not in channels:
                    raise ValueError(f"route {rule.id!r}: no such channel {channel!r}")
        self._rules = rules
        self._allowed = {id_: frozenset(channel.purposes) for id_, channel in channels.items()}
        # a decision depends on no more of a number than the longest prefix any rule asks for
        self._depth = max((len(prefix) for rule in rules for prefix in rule.prefixes), default=0)
        self._decided: dict[tuple[str, str, str, str], Choice | NoRoute] = {}

    @classmethod
    def of(cls, network: Network) -> "RouteTable":
        """Return the table of a checked network."""
        return cls(tuple(map(Rule.of, network.route)), network.channels)

    def __len__(self) -> int:
        """Return how many decisions are remembered."""
        return len(self._decided)

    def choose(self, country: str, digits: str, purpose: str, account: str) -> Choice | NoRoute:
        """Return where a message to `digits` goes; the same arguments always give the same answer."""
        key = (country, digits[: self._depth], purpose, account)
        decision = self._decided.get(key)
        if decision is None:
            decision = self.explain(country, digits, purpose, account).decision
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            self._decided[key] = decision
        return decision

    def explain(self, country: str, digits: str, purpose: str, account: str) -> Explanation:
        """Return what `choose` answers, with every route looked at and why it did not match."""
        query = Query(country, digits, purpose, account)
        considered: list[Considered] = []
        for rule in self._rules:
            miss = rule.miss(query)
            considered.append(Considered(rule.id, miss))
            if miss is None:
                return Explanation(self._decide(rule, purpose), tuple(considered))
        return Explanation(NoRoute(RouteReason.NO_MATCH), tuple(considered))

    def _decide(self, rule: Rule, purpose: str) -> Choice | NoRoute:
        usable = tuple(channel for channel in rule.channels if purpose in self._allowed[channel])
        dropped = tuple(
            Dropped(channel, RouteReason.PURPOSE_NOT_ALLOWED)
            for channel in rule.channels
            if channel not in usable
        )
        if not usable:
            return NoRoute(RouteReason.NO_CHANNEL, rule.id, dropped)
        return Choice(rule.id, usable, dropped)
