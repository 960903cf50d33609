"""Requests that are carried out once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import Conflict, Invalid
from gateway.store import tables_operators as tables
from gateway.store.engine import Store
from gateway.store.request_keys import KEPT, once
from tests.support.messages import NOON_MS
from tests.support.rows import row_count


def test_a_key_is_good_for_one_change_of_one_person(store: Store) -> None:
    assert store.transaction(once("alice", "k", NOON_MS, lambda c: "done")) == "done"
    with pytest.raises(Conflict):
        store.transaction(once("alice", "k", NOON_MS + 1, lambda c: "done"))
    assert store.transaction(once("bob", "k", NOON_MS, lambda c: "done")) == "done"


def test_a_change_that_fails_leaves_the_key_unused(store: Store) -> None:
    def refuse(_: object) -> None:
        raise Invalid("no")

    with pytest.raises(Invalid):
        store.transaction(once("alice", "k", NOON_MS, refuse))
    assert store.transaction(once("alice", "k", NOON_MS, lambda c: 1)) == 1


def test_at_once_it_is_good_for_one_change_too(store: Store) -> None:
    def attempt(_: int) -> bool:
        try:
            return store.transaction(once("alice", "k", NOON_MS, lambda c: True))
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(attempt, range(4))) == [False, False, False, True]


def test_old_keys_are_forgotten(store: Store) -> None:
    store.transaction(once("alice", "k", NOON_MS, lambda c: 1))
    store.transaction(once("alice", "other", NOON_MS + KEPT, lambda c: 1))
    assert row_count(store, tables.request_keys) == 1
