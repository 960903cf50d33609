"""API keys: made, replaced, switched off and on, bound to addresses; every change audited."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from gateway.auth.keys import KeyPair, Keyring
from gateway.domain.account import ApiKey
from gateway.domain.operator import Actor, ActorKind, Role
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import accounts, audit, keys, revisions, standing, tables
from gateway.store.accounts import NewAccount
from gateway.store.audit import By, Filter
from gateway.store.engine import Store
from gateway.store.key_uses import keep_uses
from gateway.store.keys import KeySummary

NOW = 1_790_000_000_000
RING = Keyring(b"k" * 32)
ALICE = Actor("alice", ActorKind.OPERATOR, Role.OPERATOR)


def by(reason: str = "", now_ms: int = NOW) -> By:
    return By(actor=ALICE, now_ms=now_ms, reason=reason)


@pytest.fixture
def acme(store: Store) -> NewAccount:
    return store.transaction(lambda c: accounts.create_account(c, RING, "Acme", NOW - 1))


def create(store: Store, account_id: str, name: str = "", now_ms: int = NOW) -> KeyPair:
    return store.transaction(lambda c: keys.create_key(c, RING, account_id, name, by(now_ms=now_ms)))


def rotate(store: Store, public_key: str, overlap_ms: int = 0, now_ms: int = NOW) -> KeyPair:
    return store.transaction(lambda c: keys.rotate_key(c, RING, public_key, overlap_ms, by("leak", now_ms)))


def known(store: Store, public_key: str) -> ApiKey:
    return store.read_now(lambda c: accounts.load_directory(c, RING)).keys[public_key]


def listed(store: Store, account_id: str, now_ms: int = NOW) -> list[KeySummary]:
    return store.read_now(lambda c: keys.list_keys(c, account_id, now_ms))


def last_audit(store: Store) -> audit.Record:
    (found,) = store.read_now(lambda c: audit.page(c, Filter(), 1))
    return found


def version(store: Store) -> int:
    return store.read_now(revisions.current)[revisions.DIRECTORY]


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    def query(connection: Any) -> dict[str, list[tuple[Any, ...]]]:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in tables.metadata.sorted_tables
        }

    return store.read_now(query)


def test_an_account_has_several_keys_that_all_sign(store: Store, acme: NewAccount) -> None:
    before = version(store)
    made = create(store, acme.account_id, " web server ")
    assert version(store) == before + 1
    for public, private in ((acme.public_key, acme.private_key), made):
        key = known(store, public)
        assert (key.private_key, key.account.id) == (private, acme.account_id)
        assert key.usable(NOW)
    first, second = listed(store, acme.account_id)
    assert (first.public_key, first.name, first.state) == (acme.public_key, "", "active")
    assert (second.public_key, second.name, second.state) == (made.public_key, "web server", "active")


def test_a_private_key_is_nowhere_in_the_store(store: Store, acme: NewAccount) -> None:
    pairs = [create(store, acme.account_id), rotate(store, acme.public_key)]
    written = repr(everything(store))
    assert all(pair.private_key not in written for pair in pairs)
    assert all(pair.private_key not in repr(listed(store, acme.account_id)) for pair in pairs)


def test_rotated_at_once_the_old_key_is_good_for_nothing(store: Store, acme: NewAccount) -> None:
    store.transaction(lambda c: keys.allow_key(c, acme.public_key, ["192.0.2.7"], by()))
    made = rotate(store, acme.public_key)
    assert not known(store, acme.public_key).usable(NOW)
    new = known(store, made.public_key)
    assert new.usable(NOW)
    assert (new.admits("192.0.2.7"), new.admits("192.0.2.8")) == (True, False)
    old, _ = listed(store, acme.account_id)
    assert (old.state, old.replaced_by) == ("replaced", made.public_key)


def test_with_an_overlap_both_are_good_until_it_ends(store: Store, acme: NewAccount) -> None:
    made = rotate(store, acme.public_key, overlap_ms=60_000)
    old = known(store, acme.public_key)
    assert (old.usable(NOW + 59_999), old.usable(NOW + 60_000)) == (True, False)
    assert known(store, made.public_key).usable(NOW)
    states = [listed(store, acme.account_id, now)[0].state for now in (NOW + 59_999, NOW + 60_000)]
    assert states == ["retiring", "replaced"]


def test_a_retiring_key_can_be_cut_off_early_and_never_comes_back(store: Store, acme: NewAccount) -> None:
    rotate(store, acme.public_key, overlap_ms=60_000)
    store.transaction(lambda c: keys.enable_key(c, acme.public_key, active=False, by=by()))
    assert not known(store, acme.public_key).usable(NOW)
    with pytest.raises(Conflict, match="was replaced"):
        store.transaction(lambda c: keys.enable_key(c, acme.public_key, active=True, by=by()))
    with pytest.raises(Conflict, match="was replaced"):
        rotate(store, acme.public_key)


def test_a_disabled_key_is_switched_on_again_or_replaced(store: Store, acme: NewAccount) -> None:
    def switch(*, active: bool) -> None:
        store.transaction(lambda c: keys.enable_key(c, acme.public_key, active=active, by=by()))

    switch(active=False)
    assert not known(store, acme.public_key).usable(NOW)
    switch(active=True)
    assert known(store, acme.public_key).usable(NOW)
    switch(active=False)
    with pytest.raises(Conflict, match="without an overlap"):
        rotate(store, acme.public_key, overlap_ms=1000)
    assert known(store, rotate(store, acme.public_key).public_key).usable(NOW)


def test_a_key_and_its_account_each_say_from_where(store: Store, acme: NewAccount) -> None:
    made = store.transaction(lambda c: keys.allow_key(c, acme.public_key, ["192.0.2.0/24", "::1"], by()))
    assert made == ("192.0.2.0/24", "::1/128")
    store.transaction(lambda c: standing.allow_account(c, acme.account_id, ["192.0.2.7"], by()))
    key, other = known(store, acme.public_key), known(store, create(store, acme.account_id).public_key)
    assert [key.admits(address) for address in ("192.0.2.7", "192.0.2.8", "::1")] == [True, False, False]
    assert [other.admits(address) for address in ("192.0.2.7", "192.0.2.8")] == [True, False]
    store.transaction(lambda c: standing.allow_account(c, acme.account_id, [], by()))
    store.transaction(lambda c: keys.allow_key(c, acme.public_key, [], by()))
    assert known(store, acme.public_key).allowed == ()


def test_what_cannot_be_done_changes_nothing(store: Store, acme: NewAccount) -> None:
    before = everything(store)
    for error, work in (
        (NotFound, lambda c: keys.create_key(c, RING, "acc-nobody", "", by())),
        (NotFound, lambda c: keys.rotate_key(c, RING, "nobody", 0, by())),
        (NotFound, lambda c: keys.enable_key(c, "nobody", active=False, by=by())),
        (NotFound, lambda c: keys.allow_key(c, "nobody", ["::1"], by())),
        (Invalid, lambda c: keys.allow_key(c, acme.public_key, ["192.0.2.7/24"], by())),
        (Invalid, lambda c: keys.create_key(c, RING, acme.account_id, "x" * 65, by())),
        (Invalid, lambda c: keys.create_key(c, RING, acme.account_id, "a\nb", by())),
        (Invalid, lambda c: keys.rotate_key(c, RING, acme.public_key, -1, by())),
        (Invalid, lambda c: keys.rotate_key(c, RING, acme.public_key, 7 * 86_400_000 + 1, by())),
    ):
        with pytest.raises(error):
            store.transaction(work)
    with pytest.raises(NotFound):
        listed(store, "acc-nobody")
    assert everything(store) == before


def test_an_account_has_twenty_usable_keys_at_most(store: Store, acme: NewAccount) -> None:
    for _ in range(19):
        create(store, acme.account_id)
    with pytest.raises(Conflict, match="20 usable keys"):
        create(store, acme.account_id)
    with pytest.raises(Conflict, match="20 usable keys"):
        rotate(store, acme.public_key, overlap_ms=1000)
    rotate(store, acme.public_key)
    store.transaction(
        lambda c: keys.enable_key(c, listed(store, acme.account_id)[1].public_key, active=False, by=by())
    )
    create(store, acme.account_id)


def test_no_way_leads_to_a_twenty_first_usable_key(store: Store, acme: NewAccount) -> None:
    spare, gone = create(store, acme.account_id).public_key, create(store, acme.account_id).public_key
    for public_key in (spare, gone):
        store.transaction(lambda c, key=public_key: keys.enable_key(c, key, active=False, by=by()))
    for _ in range(19):
        create(store, acme.account_id)
    with pytest.raises(Conflict, match="20 usable keys"):
        store.transaction(lambda c: keys.enable_key(c, spare, active=True, by=by()))
    with pytest.raises(Conflict, match="20 usable keys"):
        rotate(store, gone)
    # what is on stays on, however often it is said
    store.transaction(lambda c: keys.enable_key(c, acme.public_key, active=True, by=by()))
    rotate(store, acme.public_key)
    assert sum(key.state == "active" for key in listed(store, acme.account_id)) == 20


def test_two_ways_to_the_last_free_place_at_once_lead_to_one_key(store: Store, acme: NewAccount) -> None:
    spare = create(store, acme.account_id).public_key
    store.transaction(lambda c: keys.enable_key(c, spare, active=False, by=by()))
    for _ in range(18):
        create(store, acme.account_id)
    refused: list[Conflict] = []

    def attempt(work: Callable[[Any], object]) -> None:
        try:
            store.transaction(work)
        except Conflict as error:
            refused.append(error)

    works: list[Callable[[Any], object]] = [
        lambda c: keys.enable_key(c, spare, active=True, by=by()),
        lambda c: keys.create_key(c, RING, acme.account_id, "", by()),
        lambda c: keys.rotate_key(c, RING, acme.public_key, 1000, by()),
    ]
    threads = [threading.Thread(target=attempt, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 2


def test_two_rotations_at_once_make_one_new_key(store: Store, acme: NewAccount) -> None:
    outcomes: list[object] = []

    def once() -> None:
        try:
            outcomes.append(rotate(store, acme.public_key))
        except Conflict as error:
            outcomes.append(error)

    threads = [threading.Thread(target=once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "KeyPair"]
    assert len(listed(store, acme.account_id)) == 2


def test_who_changed_what_and_why_is_audited(store: Store, acme: NewAccount) -> None:
    made = rotate(store, acme.public_key)
    record = last_audit(store)
    assert (record.actor, record.action, record.subject_id) == ("alice", "key.rotate", acme.public_key)
    assert record.reason == "leak"
    assert record.after == {"state": "disabled", "replaced_by": made.public_key, "retires_at": NOW}
    store.transaction(lambda c: keys.allow_key(c, made.public_key, ["::1"], by()))
    record = last_audit(store)
    assert (record.action, record.before, record.after) == (
        "key.allow",
        {"allowed": ""},
        {"allowed": "::1/128"},
    )
    create(store, acme.account_id, "spare")
    assert last_audit(store).after == {"account_id": acme.account_id, "name": "spare"}
    store.transaction(lambda c: keys.enable_key(c, made.public_key, active=False, by=by()))
    assert last_audit(store).after == {"state": "disabled"}


def test_the_last_use_is_listed(store: Store, acme: NewAccount) -> None:
    assert listed(store, acme.account_id)[0].used_at is None
    store.transaction(lambda c: keep_uses(c, [(acme.public_key, NOW, "192.0.2.7")]))
    (key,) = listed(store, acme.account_id)
    assert (key.used_at, key.used_from) == (NOW, "192.0.2.7")
