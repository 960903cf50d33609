"""Whose the numbers are that handsets write to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    """A number, or a range of sub-ports of one, that belongs to an account."""

    id: int
    channel: str  # "": whichever it comes by
    number: str  # digits; "": whatever nobody else owns
    extend: str  # what the extend code begins with
    account_id: str
    project_id: str


class Owner(NamedTuple):
    """Who owns the number a message was sent to."""

    owned: OwnedNumber
    extend_code: str  # what stands behind the number


class NumberTable:
    """Every owned number. The longest one that a destination begins with wins, then the channel's own."""

    def __init__(self, owned: Iterable[OwnedNumber] = ()) -> None:
        self._by_prefix: dict[tuple[str, str], OwnedNumber] = {}
        # `1069` with the extend codes from `01` on, and `106901`: the longer number says more
        for one in sorted(owned, key=lambda one: len(one.number)):
            self._by_prefix[one.channel, one.number + one.extend] = one
        self._longest = max((len(prefix) for _, prefix in self._by_prefix), default=0)

    def __len__(self) -> int:
        return len(self._by_prefix)

    def owner(self, channel: str, destination: str) -> Owner | None:
        """Return whose a message to `destination` is, None: nobody's."""
        digits = bare(destination)
        for length in range(min(len(digits), self._longest), -1, -1):
            for where in (channel, ""):
                owned = self._by_prefix.get((where, digits[:length]))
                if owned is not None:
                    return Owner(owned, digits[len(owned.number) :] if owned.number else "")
        return None


def bare(number: str) -> str:
    """Return a number as owned ones are written: without `+`."""
    return number.strip().removeprefix("+")


def handset(source: str) -> str:
    """Return a sender as E.164 digits, as far as it can be told: carriers add `+` or `00`."""
    digits = bare(source)
    return digits[2:] if digits.startswith("00") and digits.isdigit() else digits
