"""Digit patterns as prefix trees: which region a number belongs to, decided at the first digit that can.

The numbering metadata describes each region by regular expressions over digits, made of literals,
`\\d`, sets, `(?:…)`, `|`, `?`, `{n}` and `{n,m}`. Nothing in them repeats without end, so a pattern is a
finite tree and the patterns of regions that share a calling code can be merged into one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

DIGITS = "0123456789"

# What must follow: sets of digits and choices between further sequences, in order.
Choice: TypeAlias = "tuple[Follow, ...]"
Follow: TypeAlias = "tuple[frozenset[str] | Choice, ...]"
Follows: TypeAlias = frozenset[Follow]

# A leaf names the region; a node has a child for each digit and, under "", the answer if the digits end.
Tree: TypeAlias = "str | dict[str, Tree]"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one region says about the numbers that are its own."""

    region: str
    patterns: tuple[str, ...]
    by_prefix: bool = False  # the patterns are leading digits: once they match, the rest does not matter


def build_tree(claims: Sequence[Claim], fallback: str) -> Tree:
    """Return the tree of `claims`; where several hold the first wins, where none does `fallback`."""
    state = tuple((claim, frozenset(map(parse, claim.patterns))) for claim in claims)
    return _node(state, fallback, {})


def look_up(tree: Tree, digits: str, start: int = 0) -> str:
    """Return the region of `digits`, read from `start`."""
    if type(tree) is str:
        return tree
    for digit in digits[start:]:
        tree = tree[digit]  # type: ignore[index]  # a leaf returned already
        if type(tree) is str:
            return tree
    return tree[""]  # type: ignore[index,return-value]


_State: TypeAlias = tuple[tuple[Claim, Follows], ...]


def _node(state: _State, fallback: str, known: dict[_State, Tree]) -> Tree:
    """Return the tree for what may still follow; equal states share one node."""
    state = _undecided(state)
    if len(state) < 2:
        return state[0][0].region if state else fallback
    if state not in known:
        children: dict[str, Tree] = {digit: _node(_after(state, digit), fallback, known) for digit in DIGITS}
        children[""] = _at_end(state)
        leaves = {child if isinstance(child, str) else "" for child in children.values()}
        known[state] = children if len(leaves) > 1 or "" in leaves else leaves.pop()
    return known[state]


def _undecided(state: _State) -> _State:
    """Drop claims that cannot hold any more, and those behind one that is certain."""
    kept: list[tuple[Claim, Follows]] = []
    for claim, follows in state:
        if follows:
            kept.append((claim, follows))
        if claim.by_prefix and any(map(_may_end, follows)):
            break
    return tuple(kept)


def _after(state: _State, digit: str) -> _State:
    return tuple(
        (claim, frozenset(rest for follow in follows for rest in _step(follow, digit)))
        for claim, follows in state
    )


def _at_end(state: _State) -> str:
    """Return the first region whose pattern is complete here, else the first that could still hold."""
    complete = [claim.region for claim, follows in state if any(map(_may_end, follows))]
    return complete[0] if complete else state[0][0].region


def _step(follow: Follow, digit: str) -> Iterator[Follow]:
    """Yield what may follow once `digit` was read."""
    if not follow:
        return
    head, rest = follow[0], follow[1:]
    if isinstance(head, frozenset):
        if digit in head:
            yield rest
        return
    for option in head:
        yield from _step(option + rest, digit)


def _may_end(follow: Follow) -> bool:
    return all(
        not isinstance(item, frozenset) and any(_may_end(option) for option in item) for item in follow
    )


def parse(pattern: str) -> Follow:
    """Return what `pattern` lets follow at its start; raises `ValueError` on what is not in the subset."""
    options, end = _alternatives(pattern, 0)
    if end != len(pattern):
        raise ValueError(f"unbalanced ')' in {pattern!r}")
    return options[0] if len(options) == 1 else (options,)


def _alternatives(pattern: str, at: int) -> tuple[Choice, int]:
    options: list[Follow] = []
    sequence: Follow = ()
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            options.append(sequence)
            sequence, at = (), at + 1
            continue
        item, at = _item(pattern, at)
        low, high, at = _repeats(pattern, at)
        sequence += item * low + _optional(item, high - low)
    return (*options, sequence), at


def _item(pattern: str, at: int) -> tuple[Follow, int]:
    """Read one digit, set or group at `at`; return it and where it ends."""
    if pattern.startswith("(?:", at):
        options, end = _alternatives(pattern, at + 3)
        if not pattern.startswith(")", end):
            raise ValueError(f"unclosed '(' in {pattern!r}")
        return (options[0] if len(options) == 1 else (options,)), end + 1
    if pattern.startswith("\\d", at):
        return (frozenset(DIGITS),), at + 2
    if pattern[at] == "[":
        end = pattern.index("]", at)
        return (_set(pattern[at + 1 : end]),), end + 1
    if pattern[at] in DIGITS:
        return (frozenset(pattern[at]),), at + 1
    raise ValueError(f"{pattern[at]!r} in {pattern!r}")


def _set(body: str) -> frozenset[str]:
    members: set[str] = set()
    for at, char in enumerate(body):
        if char == "-":
            members.update(map(str, range(int(body[at - 1]), int(body[at + 1]) + 1)))
        else:
            members.add(str(int(char)))
    return frozenset(members)


def _repeats(pattern: str, at: int) -> tuple[int, int, int]:
    """Read `?`, `{n}` or `{n,m}` at `at`; return least, most and where it ends."""
    if pattern.startswith("?", at):
        return 0, 1, at + 1
    if not pattern.startswith("{", at):
        return 1, 1, at
    end = pattern.index("}", at)
    low, _, high = pattern[at + 1 : end].partition(",")
    return int(low), int(high or low), end + 1


def _optional(item: Follow, times: int) -> Follow:
    """Return `item` between zero and `times` times."""
    follow: Follow = ()
    for _ in range(times):
        follow = ((item + follow, ()),)
    return follow
