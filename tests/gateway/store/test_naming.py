"""Names and ids of what operators make."""

import re

import pytest

from gateway.errors import Invalid
from gateway.store.naming import check_name, random_id


def test_a_name_loses_its_surrounding_blanks_only() -> None:
    assert check_name("  Acme 优刻得  ", "a name", 10) == "Acme 优刻得"


@pytest.mark.parametrize("name", ["", "   ", "x" * 11, "a\tb", "a\0b", "\ud800"])
def test_a_name_that_cannot_be_used_says_what_one_is(name: str) -> None:
    with pytest.raises(Invalid, match="a name has 1 to 10 printable characters"):
        check_name(name, "a name", 10)


def test_ids_are_long_enough_not_to_be_guessed_and_easy_to_read_out() -> None:
    made = {random_id(10) for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("[abcdefghjkmnpqrstuvwxyz23456789]{10}", one) for one in made)
