"""Which lists a number is on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.lists import (
    ALLOWED_FLAG,
    BLOCKED_FLAGS,
    OPTED_OUT_FLAGS,
    PURPOSES,
    ListChange,
    ListKind,
    NumberLists,
)
from gateway.domain.message import Purpose

PHONE = 60123456789


def stopped(
    lists: NumberLists, purpose: Purpose, project: str = "org-1", account: str = "acc-1"
) -> tuple[bool, bool]:
    """Return whether the number is blocked, and whether it has opted out."""
    flags = 0
    for numbers in lists.of(account, project):
        flags |= numbers[PHONE]
    return bool(flags & BLOCKED_FLAGS[purpose]), bool(flags & OPTED_OUT_FLAGS[purpose])


def change(kind: ListKind, purpose: int = 0, project: str = "", *, listed: bool = True) -> ListChange:
    return ListChange("acc-1", project, kind, PHONE, purpose, listed)


def test_a_purpose_of_its_own_or_every_one() -> None:
    lists = NumberLists()
    lists.apply([change(ListKind.BLOCKED, 3), change(ListKind.OPTED_OUT, 0)])
    assert stopped(lists, Purpose.PROMOTION) == (True, True)
    assert stopped(lists, Purpose.VERIFICATION) == (False, True)
    lists.apply([change(ListKind.OPTED_OUT, 0, listed=False)])
    assert stopped(lists, Purpose.PROMOTION) == (True, False)
    assert stopped(lists, Purpose.VERIFICATION) == (False, False)


def test_a_project_of_its_own_or_the_whole_account() -> None:
    lists = NumberLists()
    lists.apply([change(ListKind.BLOCKED, project="org-1")])
    assert stopped(lists, Purpose.PROMOTION, "org-2") == (False, False)
    assert stopped(lists, Purpose.PROMOTION, "org-1") == (True, False)
    lists.apply([change(ListKind.BLOCKED)])
    assert stopped(lists, Purpose.PROMOTION, "org-2") == (True, False)
    assert stopped(lists, Purpose.PROMOTION, "org-2", account="acc-2") == (False, False)


def test_all_of_a_requests_numbers_must_be_let_off() -> None:
    lists = NumberLists()
    assert not lists.allowed("acc-1", "org-1", [str(PHONE)])
    lists.apply([change(ListKind.ALLOWED)])
    assert lists.allowed("acc-1", "org-1", [str(PHONE)])
    assert not lists.allowed("acc-1", "org-1", [str(PHONE), "60123456780"])


@pytest.mark.parametrize("purpose", list(Purpose))
def test_the_flags_of_the_lists_are_apart(purpose: Purpose) -> None:
    assert not BLOCKED_FLAGS[purpose] & OPTED_OUT_FLAGS[purpose]
    assert not ALLOWED_FLAG & (BLOCKED_FLAGS[purpose] | OPTED_OUT_FLAGS[purpose])


changes = st.builds(
    ListChange, st.just("acc-1"), st.sampled_from(["", "org-1"]), st.sampled_from([int(k) for k in ListKind]),
    st.just(PHONE), st.sampled_from(PURPOSES), st.booleans(),
)  # fmt: skip


@given(st.lists(changes, max_size=40))
def test_the_last_change_of_each_listing_counts(changes: list[ListChange]) -> None:
    lists = NumberLists()
    lists.apply(changes)
    now = {change[:5]: change.listed for change in changes if change.kind != ListKind.ALLOWED}
    for purpose in Purpose:
        wanted = tuple(
            any(on and kind == wanted and p in (0, purpose) for (_, _, kind, _, p), on in now.items())
            for wanted in (ListKind.BLOCKED, ListKind.OPTED_OUT)
        )
        assert stopped(lists, purpose) == wanted
