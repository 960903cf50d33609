"""Patterns as trees."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.prefixes import DIGITS, Claim, build_tree, look_up

BOTH = [Claim("GB", (r"7\d{9}", r"[12]\d{8,9}")), Claim("GG", (r"1481[25-9]\d{5}", r"7(?:781|839)\d{6}"))]


def test_the_first_claim_that_can_hold_wins() -> None:
    tree = build_tree(BOTH, fallback="GB")
    assert tree == "GB"


def test_a_claim_gives_way_where_it_cannot_hold() -> None:
    tree = build_tree([Claim("GB", (r"7[0-689]\d{8}",)), BOTH[1]], fallback="GB")
    assert look_up(tree, "447781123456", start=2) == "GG"
    assert look_up(tree, "447901123456", start=2) == "GB"
    assert look_up(tree, "441481200000", start=2) == "GG"
    assert look_up(tree, "449999999999", start=2) == "GB"


def test_leading_digits_are_certain_at_once_but_not_before_those_in_front() -> None:
    tree = build_tree(
        [Claim("US", (r"8(?:00|33)[2-9]\d{6}",)), Claim("DO", ("8001|8[024]9",), by_prefix=True)], "US"
    )
    assert look_up(tree, "8001234567") == "DO"
    assert look_up(tree, "8091234567") == "DO"
    assert look_up(tree, "8002345678") == "US"


def test_equal_answers_fold_into_one_leaf() -> None:
    tree = build_tree([Claim("A", (r"4\d{8}",)), Claim("B", (r"4[0-5]\d{7}", r"8\d{3}"))], "A")
    assert isinstance(tree, dict)
    assert tree["4"] == "A"
    assert tree["8"] == "B"


def test_digits_that_end_early_belong_to_whom_they_fit() -> None:
    tree = build_tree([Claim("A", (r"12\d{3}",)), Claim("B", (r"12", r"13\d"))], "A")
    assert look_up(tree, "12") == "B"
    assert look_up(tree, "123") == "A"
    assert look_up(tree, "1") == "A"


@pytest.mark.parametrize("pattern", ["(?:12", "12)", "1*", "1+", ".", "1a", "(12)", "[1"])
def test_what_is_not_in_the_subset_is_an_error_not_a_guess(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        build_tree([Claim("A", (pattern,)), Claim("B", ("2",))], "A")


def patterns() -> st.SearchStrategy[str]:
    atom = st.sampled_from(["0", "1", "2", r"\d", "[12]", "[0-5]", "[0-24-9]"])
    return st.recursive(
        atom,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map("".join),
            st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
            inner.map(lambda one: f"(?:{one})?"),
            st.tuples(inner, st.sampled_from(["{2}", "{1,3}", "?"])).map(lambda two: f"(?:{two[0]}){two[1]}"),
        ),
        max_leaves=6,
    )


@given(patterns(), patterns(), st.text(DIGITS, max_size=8))
def test_whole_numbers_go_where_regular_expressions_would_send_them(
    one: str, other: str, digits: str
) -> None:
    found = look_up(build_tree([Claim("A", (one,)), Claim("B", (other,))], "none"), digits)
    if re.fullmatch(one, digits):
        assert found == "A"
    elif re.fullmatch(other, digits):
        # a longer number of A's may still begin so: B's only if A's are out of the question here
        assert found in {"A", "B"}


@given(patterns(), st.text(DIGITS, max_size=8))
def test_leading_digits_decide_like_a_match_at_the_start(one: str, digits: str) -> None:
    found = look_up(
        build_tree([Claim("A", (one,), by_prefix=True), Claim("B", (r"\d{0,8}",))], "none"), digits
    )
    if re.match(one, digits):
        assert found == "A"
