"""Operators as they are stored, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.domain.operator import Role
from gateway.errors import Conflict, NotFound
from gateway.store import operators
from gateway.store.engine import Store
from gateway.store.operators import NewPassword
from tests.support.messages import NOON_MS


def add(store: Store, name: str, role: Role = Role.VIEWER, one_time_until: int | None = None) -> None:
    password = NewPassword(f"hash of {name}", one_time_until)
    store.transaction(lambda c: operators.add(c, name, role, password, NOON_MS, created_by="cli:root"))


def find(store: Store, name: str) -> operators.Operator:
    return store.read_now(lambda c: operators.find(c, name))


def test_an_operator_is_found_by_name(store: Store) -> None:
    add(store, "alice", Role.FINANCE, NOON_MS + 1)
    assert find(store, "alice") == operators.Operator(
        "alice", Role.FINANCE, True, NOON_MS + 1, NOON_MS, "cli:root", NOON_MS, None
    )
    with pytest.raises(NotFound, match="no operator bob"):
        find(store, "bob")


def test_a_name_is_given_once(store: Store) -> None:
    add(store, "alice", Role.ADMIN)
    add(store, "bob", Role.ADMIN)
    store.transaction(lambda c: operators.set_active(c, "alice", False))
    with pytest.raises(Conflict, match="alice already"):
        add(store, "alice")


def test_they_are_listed_by_name_a_page_at_a_time(store: Store) -> None:
    for name in ("carol", "alice", "bob"):
        add(store, name)
    first = store.read_now(lambda c: operators.page(c, 2))
    rest = store.read_now(lambda c: operators.page(c, 2, first[-1].name))
    assert [[found.name for found in one] for one in (first, rest)] == [["alice", "bob"], ["carol"]]


def test_a_store_knows_whether_it_has_operators(store: Store) -> None:
    assert not store.read_now(operators.any_exists)
    add(store, "alice")
    assert store.read_now(operators.any_exists)


def test_a_password_is_replaced_whole(store: Store) -> None:
    add(store, "alice", one_time_until=NOON_MS + 1)
    store.transaction(lambda c: operators.set_password(c, "alice", NewPassword("new"), NOON_MS + 5))
    assert store.read_now(lambda c: operators.password_hash(c, "alice")) == "new"
    assert find(store, "alice").one_time_until is None
    assert find(store, "alice").password_changed_at == NOON_MS + 5
    with pytest.raises(NotFound):
        store.transaction(lambda c: operators.set_password(c, "bob", NewPassword("new"), NOON_MS))


def test_a_disabled_operator_has_no_password_to_check(store: Store) -> None:
    add(store, "alice")
    store.transaction(lambda c: operators.set_active(c, "alice", False))
    assert store.read_now(lambda c: operators.password_hash(c, "alice")) is None
    store.transaction(lambda c: operators.set_active(c, "alice", True))
    assert store.read_now(lambda c: operators.password_hash(c, "alice")) == "hash of alice"


def test_a_hash_made_anew_does_not_undo_a_change_of_password(store: Store) -> None:
    add(store, "alice")
    store.transaction(lambda c: operators.rehash(c, "alice", "hash of alice", "dearer"))
    assert store.read_now(lambda c: operators.password_hash(c, "alice")) == "dearer"
    store.transaction(lambda c: operators.rehash(c, "alice", "hash of alice", "too late"))
    assert store.read_now(lambda c: operators.password_hash(c, "alice")) == "dearer"


def test_the_last_active_admin_stays_one(store: Store) -> None:
    add(store, "alice", Role.ADMIN)
    add(store, "bob", Role.ADMIN)
    store.transaction(lambda c: operators.set_active(c, "bob", False))
    for change in (
        lambda c: operators.set_active(c, "alice", False),
        lambda c: operators.set_role(c, "alice", Role.VIEWER),
    ):
        with pytest.raises(Conflict, match="last active admin"):
            store.transaction(change)
    store.transaction(lambda c: operators.set_role(c, "alice", Role.ADMIN))
    store.transaction(lambda c: operators.set_active(c, "bob", True))
    store.transaction(lambda c: operators.set_role(c, "alice", Role.VIEWER))
    assert find(store, "alice").role is Role.VIEWER


def test_two_admins_cannot_disable_each_other_at_once(store: Store) -> None:
    add(store, "alice", Role.ADMIN)
    add(store, "bob", Role.ADMIN)

    def disable(name: str) -> bool:
        try:
            store.transaction(lambda c: operators.set_active(c, name, False))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(disable, ["alice", "bob"])) == [False, True]


def test_a_log_in_is_noted(store: Store) -> None:
    add(store, "alice")
    store.transaction(lambda c: operators.logged_in(c, "alice", NOON_MS + 9))
    assert find(store, "alice").last_login_at == NOON_MS + 9
