"""Blacklist, opt-outs and allow-list as they are kept, on both databases."""

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from gateway.domain.lists import PURPOSES, ListChange, Listing, ListKind, NumberLists, Source
from gateway.errors import NotFound
from gateway.store import numbers, tables
from gateway.store.engine import Store
from gateway.store.numbers import Wanted
from gateway.store.tables_risk import listed_numbers
from tests.support.messages import NOON_MS
from tests.support.rows import ACCOUNT, all_rows, open_account, row_count

PHONE = 60123456789
ONE = Listing(ACCOUNT, "org-1", ListKind.BLOCKED, PHONE, 3, Source.OPERATOR, "asked", "ann")


def put(store: Store, *listings: Listing, at: int = NOON_MS) -> int:
    return store.transaction(lambda c: numbers.list_numbers(c, listings, at))


def take_off(store: Store, *listings: Listing, at: int = NOON_MS) -> int:
    return store.transaction(lambda c: numbers.unlist_numbers(c, listings, at))


def in_memory(store: Store) -> list[tuple[int, int]]:
    """Return the flags of every number of the test's account and project, as a start loads them."""
    index = NumberLists()
    for page in store.read_now(lambda c: list(numbers.all_listed(c))):
        index.apply(page)
    return sorted(pair for lists in index.of(ACCOUNT, "org-1") for pair in lists.items())


def changes(store: Store, after: int) -> tuple[list[ListChange], int]:
    return store.read_now(lambda c: numbers.changes_after(c, after))


def test_a_number_is_listed_once_and_keeps_its_time(store: Store) -> None:
    assert put(store, ONE) == 1
    assert put(store, ONE, ONE) == 0
    assert put(store, ONE._replace(remark="by mail", by="bob"), at=NOON_MS + 1) == 1
    (row,) = all_rows(store, listed_numbers)
    assert (row["remark"], row["by"], row["at"], row["removed_at"]) == ("by mail", "bob", NOON_MS, None)


def test_what_is_taken_off_is_remembered_with_who_and_why_and_may_come_back(store: Store) -> None:
    put(store, ONE)
    assert take_off(store, ONE._replace(by="eve", remark="consent on file"), at=NOON_MS + 5) == 1
    assert take_off(store, ONE) == 0
    (row,) = all_rows(store, listed_numbers)
    assert (row["by"], row["remark"], row["removed_at"]) == ("eve", "consent on file", NOON_MS + 5)
    assert in_memory(store) == []
    assert put(store, ONE, at=NOON_MS + 9) == 1
    (row,) = all_rows(store, listed_numbers)
    assert (row["at"], row["removed_at"]) == (NOON_MS + 9, None)
    assert len(in_memory(store)) == 1


def test_a_purpose_or_a_list_taken_off_leaves_the_others(store: Store) -> None:
    others = [ONE._replace(purpose=1), ONE._replace(kind=ListKind.OPTED_OUT), ONE._replace(project_id="")]
    put(store, ONE, *others)
    take_off(store, ONE)
    wanted = Wanted(account_id=ACCOUNT, kinds=list(ListKind))
    found = store.read_now(lambda c: numbers.listed(c, wanted, 10))
    assert [(one.project_id, one.kind, one.purpose) for one in found] == [
        (other.project_id, other.kind, other.purpose) for other in others
    ]


def test_a_change_is_found_by_whoever_looked_before_it(store: Store) -> None:
    put(store, ONE)
    _, seen = changes(store, 0)
    assert changes(store, seen) == ([], seen)
    take_off(store, ONE)
    put(store, ONE._replace(phone=PHONE + 1))
    found, newest = changes(store, seen)
    assert [(one.phone, one.listed) for one in found] == [(PHONE, False), (PHONE + 1, True)]
    assert newest == store.read_now(numbers.version)


def test_many_changes_are_found_in_pieces_of_whole_revisions(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "_PAGE", 7)
    for revision in range(6):
        put(store, *(ONE._replace(phone=PHONE + revision * 3 + n) for n in range(3)))
    seen, phones = 0, []
    for _ in range(10):
        found, seen = changes(store, seen)
        assert len(found) % 3 == 0
        phones += [one.phone for one in found]
    assert phones == [PHONE + n for n in range(18)]
    assert len(in_memory(store)) == 18  # a start reads in pages too


def test_an_opt_out_and_the_way_back_ride_in_a_transaction_of_somebody_elses(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        store.transaction(lambda c: (numbers.opt_out(c, ACCOUNT, "org-1", str(PHONE), NOON_MS), 1 // 0))
    assert row_count(store, listed_numbers) == 0
    out = lambda c: numbers.opt_out(c, ACCOUNT, "org-1", str(PHONE), NOON_MS)  # noqa: E731
    back = lambda c: numbers.opt_in(c, ACCOUNT, "org-1", str(PHONE), NOON_MS)  # noqa: E731
    assert [store.transaction(work) for work in (out, out, back, back, out)] == [
        True,
        False,
        True,
        False,
        True,
    ]
    (row,) = all_rows(store, listed_numbers)
    assert (row["kind"], row["purpose"], row["source"]) == (ListKind.OPTED_OUT, 3, Source.REPLY)


def test_lists_are_read_in_pages_and_by_what_is_wanted(store: Store) -> None:
    put(
        store,
        *(ONE._replace(phone=PHONE + n, purpose=n % 2) for n in range(5)),
        ONE._replace(account_id="acc-two"),
    )
    wanted = Wanted(account_id=ACCOUNT, kinds=[ListKind.BLOCKED])
    first = store.read_now(lambda c: numbers.listed(c, wanted, 3))
    rest = store.read_now(lambda c: numbers.listed(c, wanted, 3, first[-1].id))
    assert [one.phone for one in (*first, *rest)] == [PHONE + n for n in range(5)]
    only = Wanted(account_id=ACCOUNT, kinds=[ListKind.BLOCKED], project_id="org-1", phone=PHONE + 2)
    assert [one.phone for one in store.read_now(lambda c: numbers.listed(c, only, 9))] == [PHONE + 2]
    none = Wanted(account_id=ACCOUNT, kinds=[ListKind.ALLOWED])
    assert store.read_now(lambda c: numbers.listed(c, none, 9)) == []


def test_what_was_taken_off_long_ago_is_deleted(store: Store) -> None:
    put(store, ONE, ONE._replace(phone=PHONE + 1), ONE._replace(phone=PHONE + 2))
    take_off(store, ONE, at=NOON_MS)
    take_off(store, ONE._replace(phone=PHONE + 1), at=NOON_MS + 1)
    purge = lambda c: numbers.purge_removed(c, NOON_MS + 1)  # noqa: E731
    assert [store.transaction(purge), store.transaction(purge)] == [1, None]
    assert [row["phone"] for row in all_rows(store, listed_numbers)] == [PHONE + 1, PHONE + 2]


def test_a_scope_must_exist(store: Store) -> None:
    open_account(store)
    project = {"id": "org-1", "account_id": ACCOUNT, "name": "p", "is_default": True, "created_at": NOON_MS}
    store.transaction(lambda c: c.execute(insert(tables.projects).values(project)))
    store.read_now(lambda c: numbers.check_scope(c, ACCOUNT, "org-1"))
    for account, named in (("acc-none", ""), (ACCOUNT, "org-2")):
        with pytest.raises(NotFound):
            store.read_now(lambda c, a=account, p=named: numbers.check_scope(c, a, p))  # type: ignore[misc]


listings = st.builds(
    lambda project, kind, phone, purpose: Listing(ACCOUNT, project, kind, phone, purpose),
    st.sampled_from(["", "org-1"]),
    st.sampled_from(list(ListKind)),
    st.integers(PHONE, PHONE + 2),
    st.sampled_from(PURPOSES),
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.lists(listings, min_size=1, max_size=4), st.booleans(), st.booleans()), max_size=8)
)
def test_following_the_changes_comes_to_what_a_start_reads(
    store: Store, steps: list[tuple[list[Listing], bool, bool]]
) -> None:
    followed = NumberLists()
    _, seen = changes(store, 0)
    for page in store.read_now(lambda c: list(numbers.all_listed(c))):
        followed.apply(page)

    def flags(index: NumberLists, scopes: Iterable[str]) -> list[tuple[int, int]]:
        return sorted(pair for scope in scopes for lists in index.of("", scope) for pair in lists.items())

    for chosen, listed, look in steps:
        (put if listed else take_off)(store, *chosen)
        if look:
            found, seen = changes(store, seen)
            followed.apply(found)
    followed.apply(changes(store, seen)[0])
    loaded = NumberLists()
    for page in store.read_now(lambda c: list(numbers.all_listed(c))):
        loaded.apply(page)
    for scope in (ACCOUNT, "org-1"):
        assert flags(followed, [scope]) == flags(loaded, [scope])
    listed_now = select(listed_numbers.c.id).where(listed_numbers.c.removed_at.is_(None))
    assert bool(store.read_now(lambda c: c.execute(listed_now).first())) == bool(len(loaded))
