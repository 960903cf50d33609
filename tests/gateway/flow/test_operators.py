"""What happens to operators: the reach of who does it, and what ends with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.auth.tokens import digest
from gateway.domain.operator import SYSTEM, Actor, ActorKind, Role
from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.flow import operators as changes
from gateway.flow.operators import OneTime, first_admin, first_words
from gateway.store import operators, sessions, tables_operators
from gateway.store.audit import By
from gateway.store.engine import Store
from tests.support.admin import cheaper
from tests.support.database import prepared_store
from tests.support.messages import NOON_MS
from tests.support.rows import all_rows, row_count

ROOT = By(SYSTEM, NOON_MS, "why not")


def acting(role: Role) -> By:
    return By(Actor("bob", ActorKind.OPERATOR, role), NOON_MS)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    cheaper(monkeypatch)
    store = prepared_store(tmp_path)
    yield store
    store.close()


def make(store: Store, name: str, role: Role, by: By = ROOT) -> OneTime:
    one_time = OneTime.make(NOON_MS)
    store.transaction(lambda c: changes.create(c, name, role, one_time, by))
    return one_time


def test_the_first_start_makes_one_admin_and_says_the_password_once(store: Store) -> None:
    one_time = OneTime.make(NOON_MS)
    assert store.transaction(lambda c: first_admin(c, one_time, NOON_MS))
    admin = store.read_now(lambda c: operators.find(c, "admin"))
    assert (admin.role, admin.one_time_until) == (Role.ADMIN, NOON_MS + 24 * 3_600_000)
    assert one_time.password in first_words(one_time)
    for table in (tables_operators.operators, tables_operators.audit):
        assert one_time.password not in str(all_rows(store, table))
    assert one_time.password not in repr(one_time)


def test_a_later_start_makes_nobody(store: Store) -> None:
    make(store, "alice", Role.VIEWER)
    assert not store.transaction(lambda c: first_admin(c, OneTime.make(NOON_MS), NOON_MS))
    assert row_count(store, tables_operators.operators) == 1


@pytest.mark.parametrize("role", [Role.ADMIN, Role.FINANCE])
def test_nobody_gives_away_or_takes_more_than_they_have(store: Store, role: Role) -> None:
    make(store, "root", Role.ADMIN)
    make(store, "alice", role)
    bob = acting(Role.OPERATOR)
    for work in (
        lambda c: changes.create(c, "carol", role, OneTime.make(NOON_MS), bob),
        lambda c: changes.set_role(c, "alice", Role.VIEWER, bob),
        lambda c: changes.set_active(c, "alice", False, bob),
        lambda c: changes.reset_password(c, "alice", OneTime.make(NOON_MS), bob),
        lambda c: changes.create_token(c, "alice", "x", role, 1, bob),
    ):
        with pytest.raises(Forbidden):
            store.transaction(work)
    assert store.read_now(lambda c: operators.find(c, "alice")).role is role
    assert row_count(store, tables_operators.audit) == 2


def test_a_token_of_a_disabled_operator_is_not_made(store: Store) -> None:
    make(store, "alice", Role.VIEWER)
    store.transaction(lambda c: changes.set_active(c, "alice", False, ROOT))
    with pytest.raises(Conflict, match="disabled"):
        store.transaction(lambda c: changes.create_token(c, "alice", "x", Role.VIEWER, 1, ROOT))


@pytest.mark.parametrize("label", ["", "  ", "x" * 65, "two\nlines"])
def test_a_token_has_a_label(store: Store, label: str) -> None:
    make(store, "alice", Role.VIEWER)
    with pytest.raises(Invalid):
        store.transaction(lambda c: changes.create_token(c, "alice", label, Role.VIEWER, 1, ROOT))


def test_usable_tokens_are_bounded_and_ended_ones_do_not_count(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAX_TOKENS", 2)
    make(store, "alice", Role.VIEWER)

    def add(now: int = NOON_MS) -> sessions.Token:
        by = By(SYSTEM, now)
        return store.transaction(lambda c: changes.create_token(c, "alice", "x", Role.VIEWER, 1, by))[1]

    first, _ = add(), add()
    with pytest.raises(Conflict, match="revoke one"):
        add()
    store.transaction(lambda c: changes.revoke_token(c, first.id, ROOT))
    add()
    add(NOON_MS + changes.DAY)


def test_revoking_again_changes_nothing_and_writes_nothing(store: Store) -> None:
    make(store, "alice", Role.VIEWER)
    _, token = store.transaction(lambda c: changes.create_token(c, "alice", "x", Role.VIEWER, 1, ROOT))
    store.transaction(lambda c: changes.revoke_token(c, token.id, ROOT))
    before = row_count(store, tables_operators.audit)
    later = By(SYSTEM, NOON_MS + 5)
    assert store.transaction(lambda c: changes.revoke_token(c, token.id, later)).revoked_at == NOON_MS
    assert row_count(store, tables_operators.audit) == before
    with pytest.raises(NotFound):
        store.transaction(lambda c: changes.revoke_token(c, "tok-none", ROOT))


def test_what_ends_with_an_operator_is_told_in_the_audit(store: Store) -> None:
    make(store, "alice", Role.VIEWER)
    store.transaction(lambda c: sessions.open_session(c, "h", "alice", "", NOON_MS))
    _, token = store.transaction(lambda c: changes.create_token(c, "alice", "x", Role.VIEWER, 1, ROOT))
    store.transaction(lambda c: changes.set_active(c, "alice", False, ROOT))
    row = all_rows(store, tables_operators.audit)[-1]
    assert (row["action"], row["reason"]) == ("operator.disable", "why not")
    assert '"sessions_ended":1' in row["after"]
    assert token.id in row["after"]


def test_a_reset_password_ends_sessions_and_tokens_and_tells_which(store: Store) -> None:
    make(store, "alice", Role.OPERATOR)
    make(store, "bob", Role.OPERATOR)
    for name in ("alice", "bob"):
        store.transaction(lambda c, who=name: sessions.open_session(c, who, who, "", NOON_MS))
    tokens = {
        name: store.transaction(lambda c, who=name: changes.create_token(c, who, "x", Role.VIEWER, 1, ROOT))
        for name in ("alice", "bob")
    }
    one_time = OneTime.make(NOON_MS)
    reset = store.transaction(lambda c: changes.reset_password(c, "alice", one_time, ROOT))
    assert (reset.operator.name, reset.sessions_ended) == ("alice", 1)
    assert reset.tokens_revoked == [tokens["alice"][1].id]
    for name, alive in (("alice", False), ("bob", True)):
        secret = tokens[name][0]
        found = store.read_now(lambda c, given=secret: sessions.find_token(c, digest(given), NOON_MS))
        assert (found is not None) is alive
    row = all_rows(store, tables_operators.audit)[-1]
    assert row["action"] == "operator.password"
    assert tokens["alice"][1].id in row["after"]
    assert '"sessions_ended":1' in row["after"]


def test_a_password_of_ones_own_leaves_the_tokens(store: Store) -> None:
    make(store, "alice", Role.OPERATOR)
    secret, _ = store.transaction(lambda c: changes.create_token(c, "alice", "x", Role.VIEWER, 1, ROOT))
    store.transaction(lambda c: changes.change_own_password(c, "alice", "hash", ROOT))
    assert store.read_now(lambda c: sessions.find_token(c, digest(secret), NOON_MS)) is not None
