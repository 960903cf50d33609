"""What every action must declare of itself, so that it is tried as all the others are.

Each area of the API has a module here with its `DECLARED` and, if its actions need more than an account has
by itself, its `MAKERS`. An action without a declaration fails `test_declared`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.actions.world import Customer, Parameters, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A parameter that names something of an account's: somebody else's must be as good as none.

    The call that is tried is `good` with the id put in, unless `call` makes another one of it.
    """

    parameter: str
    thing: str  # what of `Customer.things`
    unknown: str  # the same form, and nobody has it
    call: Callable[[World, str], Parameters] | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """A call and who makes it; `typed` False: the client's method for the action would set it right."""

    parameters: Parameters
    by: Callable[[World], Customer] = lambda world: world.one
    typed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One action: a call of `world.one` that succeeds, ways to be refused, what names something."""

    good: Callable[[World], Parameters]
    refused: Mapping[int, Callable[[World], Parameters | Try]] = field(default_factory=dict)  # by RetCode
    probes: tuple[Probe, ...] = ()
    plain: tuple[str, ...] = ()  # parameters that name nothing of an account's

    def tried(self, world: World, code: int) -> Try:
        """Return the call that is to be answered with `code`."""
        made = self.refused[code](world)
        return made if isinstance(made, Try) else Try(made)


# actions of the published API that are not served yet; whoever brings one takes its line away
AWAITED: set[str] = set()
