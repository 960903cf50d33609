"""Revisions: a change and the sign of it are one."""

import pytest

from gateway.store import revisions
from gateway.store.engine import Store


def test_a_scope_counts_from_its_first_change(store: Store) -> None:
    assert store.read_now(revisions.current) == {}
    for _ in range(2):
        store.transaction(lambda c: revisions.bump(c, revisions.DIRECTORY))
    store.transaction(lambda c: revisions.bump(c, revisions.MONEY))
    assert store.read_now(revisions.current) == {revisions.DIRECTORY: 2, revisions.MONEY: 1}


def test_a_change_that_fails_leaves_no_sign(store: Store) -> None:
    def fails(connection) -> None:
        revisions.bump(connection, revisions.DIRECTORY)
        raise RuntimeError("second thoughts")

    with pytest.raises(RuntimeError):
        store.transaction(fails)
    assert store.read_now(revisions.current) == {}
