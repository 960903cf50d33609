"""Numbers that get nothing, asked for no more, or are let off: per account or project, and purpose."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from gateway.domain.message import Purpose
from gateway.domain.numbermap import NumberMap

ANY_PURPOSE = 0
PURPOSES = (ANY_PURPOSE, *map(int, Purpose))
MAX_REMARK = 256


class ListKind(IntEnum):
    """Which list a number is on; values are stored."""

    BLOCKED = 1  # the blacklist
    OPTED_OUT = 2  # its owner asked for no more
    ALLOWED = 3  # the allow-list: no rates


class Source(IntEnum):
    """Who put it there; values are stored."""

    API = 1
    OPERATOR = 2
    IMPORT = 3
    REPLY = 4  # the handset's owner, by a message


class Listing(NamedTuple):
    """A number on a list. `project_id` "": of every project of the account."""

    account_id: str
    project_id: str
    kind: ListKind
    phone: int  # E.164 digits
    purpose: int = ANY_PURPOSE
    source: Source = Source.OPERATOR
    remark: str = ""
    by: str = ""


class ListChange(NamedTuple):
    """A number that was put on a list, or taken off."""

    account_id: str
    project_id: str
    kind: int
    phone: int
    purpose: int
    listed: bool


ALLOWED_FLAG = 1 << 8


def flag_of(kind: int, purpose: int) -> int:
    """Return the bit of a list and purpose."""
    if kind == ListKind.ALLOWED:
        return ALLOWED_FLAG
    return 1 << purpose if kind == ListKind.BLOCKED else 16 << purpose


# purpose → the flags by which a message of it is stopped
BLOCKED_FLAGS = {p: flag_of(ListKind.BLOCKED, 0) | flag_of(ListKind.BLOCKED, p) for p in Purpose}
OPTED_OUT_FLAGS = {p: flag_of(ListKind.OPTED_OUT, 0) | flag_of(ListKind.OPTED_OUT, p) for p in Purpose}


class NumberLists:
    """Every list in memory: a look-up takes a microsecond and finds the flags of all lists at once."""

    def __init__(self) -> None:
        self._maps: dict[str, NumberMap] = {}  # by project, or by account for all its projects

    def __len__(self) -> int:
        return sum(len(numbers) for numbers in self._maps.values())

    def apply(self, changes: Iterable[ListChange]) -> None:
        """Take changes over, in their order."""
        for account_id, project_id, kind, phone, purpose, listed in changes:
            scope = project_id or account_id
            numbers = self._maps.get(scope)
            if numbers is None:
                if not listed:
                    continue
                numbers = self._maps[scope] = NumberMap()
            flag = flag_of(kind, purpose)
            if listed:
                numbers.change(phone, flag)
            else:
                numbers.change(phone, 0, flag)

    def of(self, account_id: str, project_id: str) -> tuple[NumberMap, ...]:
        """Return the lists that matter to a project; mostly none."""
        maps = self._maps
        if not maps:
            return ()
        found = (maps.get(account_id), maps.get(project_id))
        return tuple([numbers for numbers in found if numbers is not None])

    def allowed(self, account_id: str, project_id: str, phones: Iterable[str]) -> bool:
        """Whether all of `phones` are on the allow-list."""
        lists = self.of(account_id, project_id)
        if not lists:
            return False
        return all(any(numbers[int(phone)] & ALLOWED_FLAG for numbers in lists) for phone in phones)
