"""The review of what customers hand in: every move there is, who may make it, and from where.

`MOVES` is the whole of it; nothing else changes a status. The numbers are the API's and are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Review(IntEnum):
    """Where the review of something stands."""

    PENDING = 0  # the automatic checks have not seen it yet; a qualification: a draft, not handed in
    IN_REVIEW = 1  # waits for a reviewer; a qualification: perhaps for the automatic checks first
    APPROVED = 2
    REJECTED = 3
    DISABLED = 4


class Kind(StrEnum):
    """What is reviewed."""

    SIGNATURE = "signature"
    TEMPLATE = "template"
    QUALIFICATION = "qualification"


class Mover(StrEnum):
    """Who moves it."""

    CUSTOMER = "customer"
    CHECK = "check"  # the automatic checks
    REVIEWER = "reviewer"


class Move(StrEnum):
    """What is done to it."""

    EDIT = "edit"  # its content changes; of a qualification: it is kept as a draft
    SUBMIT = "submit"  # a qualification is handed in
    PASS = "pass"  # nothing bars it: on to the reviewers
    APPROVE = "approve"
    REJECT = "reject"
    DISABLE = "disable"
    DELETE = "delete"  # leaves the status as it is


class IllegalMove(ValueError):
    """The table has no such move; says what stands in its way."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    kinds: frozenset[Kind]
    mover: Mover
    move: Move
    sources: frozenset[Review]
    target: Review | None  # None: the status stays


_P, _I, _A, _R, _D = Review
_ANY = frozenset(Kind)
_TEXTS = frozenset({Kind.SIGNATURE, Kind.TEMPLATE})
_PAPERS = frozenset({Kind.QUALIFICATION})


def _rule(
    kinds: frozenset[Kind], mover: Mover, move: Move, sources: set[Review], target: Review | None
) -> Rule:
    return Rule(kinds, mover, move, frozenset(sources), target)


MOVES: tuple[Rule, ...] = (
    # an approved signature is somebody's brand: another one is another signature
    _rule(frozenset({Kind.SIGNATURE}), Mover.CUSTOMER, Move.EDIT, {_P, _I, _R}, _P),
    _rule(frozenset({Kind.TEMPLATE}), Mover.CUSTOMER, Move.EDIT, {_P, _I, _A, _R}, _P),
    _rule(_PAPERS, Mover.CUSTOMER, Move.EDIT, {_P, _I, _R}, _P),
    _rule(_PAPERS, Mover.CUSTOMER, Move.SUBMIT, {_P, _I, _R}, _I),
    _rule(_TEXTS, Mover.CHECK, Move.PASS, {_P}, _I),
    _rule(_TEXTS, Mover.CHECK, Move.REJECT, {_P}, _R),
    _rule(_PAPERS, Mover.CHECK, Move.PASS, {_I}, _I),
    _rule(_PAPERS, Mover.CHECK, Move.REJECT, {_I}, _R),
    # a reviewer may overrule the checks, and take back what was disabled
    _rule(_ANY, Mover.REVIEWER, Move.APPROVE, {_I, _R, _D}, _A),
    _rule(_ANY, Mover.REVIEWER, Move.REJECT, {_I}, _R),
    _rule(_ANY, Mover.REVIEWER, Move.DISABLE, {_I, _A, _R}, _D),
    # what is under review is not taken away from under the reviewer
    _rule(_ANY, Mover.CUSTOMER, Move.DELETE, {_P, _A, _R, _D}, None),
)

_INDEX: Mapping[tuple[Kind, Mover, Move], Rule] = {
    (kind, rule.mover, rule.move): rule for rule in MOVES for kind in rule.kinds
}


def after(kind: Kind, mover: Mover, move: Move, before: Review) -> Review:
    """Return the status that `move` leads to from `before`; raises `IllegalMove`."""
    rule = _INDEX.get((kind, mover, move))
    if rule is None:
        raise IllegalMove(f"the {mover} cannot {move} a {kind}")
    if before not in rule.sources:
        raise IllegalMove(f"this {kind} is {word(kind, before)}: the {mover} cannot {move} it")
    return before if rule.target is None else rule.target


def needs_reason(move: Move, before: Review) -> bool:
    """Whether `move` is a decision that somebody will ask the reason of."""
    return move in (Move.REJECT, Move.DISABLE) or (move is Move.APPROVE and before is not Review.IN_REVIEW)


def word(kind: Kind, status: Review) -> str:
    """Return the status in words."""
    if kind is Kind.QUALIFICATION and status is Review.PENDING:
        return "a draft"
    return status.name.lower().replace("_", " ")
