"""The table of moves: what can happen to what is reviewed, by whom, and nothing else."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.review import (
    MOVES,
    IllegalMove,
    Kind,
    Move,
    Mover,
    Review,
    after,
    needs_reason,
    word,
)

TEXTS = (Kind.SIGNATURE, Kind.TEMPLATE)


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_goes_through_the_checks_to_a_reviewer_and_is_approved(kind: Kind) -> None:
    seen = after(kind, Mover.CHECK, Move.PASS, Review.PENDING)
    assert seen is Review.IN_REVIEW
    assert after(kind, Mover.REVIEWER, Move.APPROVE, seen) is Review.APPROVED


@pytest.mark.parametrize("kind", TEXTS)
def test_nobody_approves_before_the_checks_have_seen_it(kind: Kind) -> None:
    for mover in Mover:
        with pytest.raises(IllegalMove):
            after(kind, mover, Move.APPROVE, Review.PENDING)


def test_a_qualification_is_handed_in_by_the_customer() -> None:
    assert after(Kind.QUALIFICATION, Mover.CUSTOMER, Move.SUBMIT, Review.PENDING) is Review.IN_REVIEW
    assert after(Kind.QUALIFICATION, Mover.CHECK, Move.PASS, Review.IN_REVIEW) is Review.IN_REVIEW
    with pytest.raises(IllegalMove, match="a draft"):
        after(Kind.QUALIFICATION, Mover.REVIEWER, Move.APPROVE, Review.PENDING)


def test_only_a_reviewer_ends_at_approved_or_disabled() -> None:
    for rule in MOVES:
        if rule.target in (Review.APPROVED, Review.DISABLED):
            assert rule.mover is Mover.REVIEWER


def test_an_edit_never_leaves_anything_approved() -> None:
    for kind, before in product(Kind, Review):
        for move in (Move.EDIT, Move.SUBMIT):
            try:
                assert after(kind, Mover.CUSTOMER, move, before) is not Review.APPROVED
            except IllegalMove:
                continue


def test_an_approved_template_may_be_edited_and_an_approved_signature_not() -> None:
    assert after(Kind.TEMPLATE, Mover.CUSTOMER, Move.EDIT, Review.APPROVED) is Review.PENDING
    with pytest.raises(IllegalMove, match="is approved"):
        after(Kind.SIGNATURE, Mover.CUSTOMER, Move.EDIT, Review.APPROVED)


@pytest.mark.parametrize("kind", Kind)
def test_what_is_disabled_only_a_reviewer_brings_back(kind: Kind) -> None:
    possible = {
        (mover, move)
        for mover, move in product(Mover, Move)
        if move is not Move.DELETE and _possible(kind, mover, move, Review.DISABLED)
    }
    assert possible == {(Mover.REVIEWER, Move.APPROVE)}


@pytest.mark.parametrize("kind", Kind)
def test_what_is_under_review_is_not_deleted(kind: Kind) -> None:
    deletable = {status for status in Review if _possible(kind, Mover.CUSTOMER, Move.DELETE, status)}
    assert deletable == set(Review) - {Review.IN_REVIEW}
    assert after(kind, Mover.CUSTOMER, Move.DELETE, Review.APPROVED) is Review.APPROVED


def _possible(kind: Kind, mover: Mover, move: Move, before: Review) -> bool:
    try:
        after(kind, mover, move, before)
    except IllegalMove:
        return False
    return True


def test_every_row_of_the_table_stands_once() -> None:
    rows = [(kind, rule.mover, rule.move) for rule in MOVES for kind in rule.kinds]
    assert len(rows) == len(set(rows))


@given(st.sampled_from(Kind), st.sampled_from(Mover), st.sampled_from(Move), st.sampled_from(Review))
def test_a_move_is_a_row_of_the_table_or_refused(
    kind: Kind, mover: Mover, move: Move, before: Review
) -> None:
    rows = [rule for rule in MOVES if kind in rule.kinds and (rule.mover, rule.move) == (mover, move)]
    allowed = bool(rows) and before in rows[0].sources
    assert _possible(kind, mover, move, before) is allowed


def test_what_takes_something_away_or_overrules_needs_a_reason() -> None:
    assert not needs_reason(Move.APPROVE, Review.IN_REVIEW)
    assert needs_reason(Move.APPROVE, Review.REJECTED)
    assert needs_reason(Move.APPROVE, Review.DISABLED)
    assert needs_reason(Move.REJECT, Review.IN_REVIEW)
    assert needs_reason(Move.DISABLE, Review.APPROVED)


def test_a_status_in_words() -> None:
    assert word(Kind.TEMPLATE, Review.IN_REVIEW) == "in review"
    assert word(Kind.TEMPLATE, Review.PENDING) == "pending"
    assert word(Kind.QUALIFICATION, Review.PENDING) == "a draft"
