"""One route as a rule: what it matches, where it leads, and why it does not match."""

from dataclasses import dataclass
from enum import StrEnum

from config.schema import RouteConfig


class Miss(StrEnum):
    """Why a rule does not match; the first that applies."""

    PREFIX = "number prefix"
    COUNTRY = "country"
    PURPOSE = "purpose"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Query:
    """What a route is wanted for."""

    country: str  # ISO 3166 region
    digits: str  # E.164 without +
    purpose: str  # one of `config.schema.PURPOSES`
    account: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A route of the network file; an empty condition always holds."""

    id: str
    channels: tuple[str, ...]  # in order of preference
    prefixes: tuple[str, ...] = ()
    countries: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, route: RouteConfig) -> "Rule":
        """Return the rule of a route's configuration."""
        match = route.match
        return cls(
            id=route.id,
            channels=route.channels,
            prefixes=match.prefixes,
            countries=frozenset(match.countries),
            purposes=frozenset(match.purposes),
            accounts=frozenset(match.accounts),
        )

    def miss(self, query: Query) -> Miss | None:
        """Return the condition that `query` does not meet, None if the rule matches."""
        if self.prefixes and not query.digits.startswith(self.prefixes):
            return Miss.PREFIX
        if self.countries and query.country not in self.countries:
            return Miss.COUNTRY
        if self.purposes and query.purpose not in self.purposes:
            return Miss.PURPOSE
        if self.accounts and query.account not in self.accounts:
            return Miss.ACCOUNT
        return None
