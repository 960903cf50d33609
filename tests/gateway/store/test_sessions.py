"""Sessions and tokens: they stand for an operator until they end, and not a moment longer."""

import pytest

from gateway.domain.operator import Role
from gateway.errors import NotFound
from gateway.store import operators, sessions
from gateway.store.engine import Store
from gateway.store.operators import NewPassword
from gateway.store.sessions import Limits, NewToken, Token
from tests.support.messages import NOON_MS

LIMITS = Limits(idle=30_000, absolute=100_000)


@pytest.fixture(autouse=True)
def people(store: Store) -> None:
    for name, role in (("alice", Role.OPERATOR), ("root", Role.ADMIN)):
        store.transaction(
            lambda c, name=name, role=role: operators.add(
                c, name, role, NewPassword("x"), NOON_MS, created_by="x"
            )
        )


def open_session(store: Store, id_hash: str = "h1", operator: str = "alice") -> None:
    store.transaction(lambda c: sessions.open_session(c, id_hash, operator, "192.0.2.7", NOON_MS))


def session(store: Store, now: int, id_hash: str = "h1") -> sessions.Session | None:
    return store.read_now(lambda c: sessions.find_session(c, id_hash, LIMITS, now))


def add_token(store: Store, hash_: str = "t1", role: Role = Role.OPERATOR) -> Token:
    new = NewToken(token_hash=hash_, operator="alice", label="ci", role=role, expires_at=NOON_MS + 1_000)
    return store.transaction(lambda c: sessions.add_token(c, new, NOON_MS))


def token(store: Store, now: int = NOON_MS, hash_: str = "t1") -> tuple[Token, operators.Operator] | None:
    return store.read_now(lambda c: sessions.find_token(c, hash_, now))


def test_a_session_says_whose_it_is(store: Store) -> None:
    open_session(store)
    found = session(store, NOON_MS + 1)
    assert found is not None
    assert (found.operator.name, found.operator.role, found.created_at) == ("alice", Role.OPERATOR, NOON_MS)
    assert session(store, NOON_MS + 1, "h2") is None


def test_a_session_ends_when_nobody_uses_it(store: Store) -> None:
    open_session(store)
    assert session(store, NOON_MS + 29_999) is not None
    assert session(store, NOON_MS + 30_000) is None
    store.transaction(lambda c: sessions.session_used(c, "h1", NOON_MS + 29_000))
    assert session(store, NOON_MS + 58_999) is not None


def test_a_session_ends_however_much_it_is_used(store: Store) -> None:
    open_session(store)
    store.transaction(lambda c: sessions.session_used(c, "h1", NOON_MS + 99_999))
    assert session(store, NOON_MS + 99_999) is not None
    assert session(store, NOON_MS + 100_000) is None


def test_disabling_an_operator_ends_sessions_and_tokens_at_once(store: Store) -> None:
    open_session(store)
    add_token(store)
    store.transaction(lambda c: operators.set_active(c, "alice", False))
    assert session(store, NOON_MS) is None
    assert token(store) is None


def test_sessions_end_one_by_one_or_all_of_an_operator(store: Store) -> None:
    for id_hash, name in (("h1", "alice"), ("h2", "alice"), ("h3", "alice"), ("h4", "root")):
        open_session(store, id_hash, name)
    store.transaction(lambda c: sessions.end_session(c, "h1"))
    assert session(store, NOON_MS, "h1") is None
    assert store.transaction(lambda c: sessions.end_sessions(c, "alice")) == 2
    assert session(store, NOON_MS, "h2") is None
    assert session(store, NOON_MS, "h4") is not None


def test_a_session_that_has_ended_is_not_brought_back_by_a_late_request(store: Store) -> None:
    open_session(store)
    store.transaction(lambda c: sessions.end_session(c, "h1"))
    store.transaction(lambda c: sessions.session_used(c, "h1", NOON_MS + 1))
    assert session(store, NOON_MS + 1) is None


def test_sessions_that_are_over_are_forgotten(store: Store) -> None:
    open_session(store, "h1")
    open_session(store, "h2")
    store.transaction(lambda c: sessions.session_used(c, "h2", NOON_MS + 20_000))
    store.transaction(lambda c: sessions.drop_ended(c, LIMITS, NOON_MS + 40_000))
    assert session(store, NOON_MS, "h1") is None  # it is gone, whatever the clock says
    assert session(store, NOON_MS + 40_000, "h2") is not None


def test_a_token_says_whose_it_is_until_it_expires(store: Store) -> None:
    made = add_token(store, role=Role.VIEWER)
    found = token(store, NOON_MS + 999)
    assert found is not None
    assert (found[0], found[1].name) == (made, "alice")
    assert (made.label, made.role, made.id[:4]) == ("ci", Role.VIEWER, "tok-")
    assert token(store, NOON_MS + 1_000) is None
    assert token(store, hash_="t2") is None


def test_a_revoked_token_is_worth_nothing(store: Store) -> None:
    made = add_token(store)
    assert store.transaction(lambda c: sessions.revoke_token(c, made.id, NOON_MS + 5))
    assert token(store) is None
    assert not store.transaction(lambda c: sessions.revoke_token(c, made.id, NOON_MS + 6))
    assert store.read_now(lambda c: sessions.token_by_id(c, made.id)).revoked_at == NOON_MS + 5
    with pytest.raises(NotFound):
        store.transaction(lambda c: sessions.revoke_token(c, "tok-none", NOON_MS))


def test_a_token_is_worth_no_more_than_its_owner(store: Store) -> None:
    add_token(store)
    store.transaction(lambda c: operators.set_role(c, "alice", Role.FINANCE))
    assert token(store) is None


def test_the_last_use_of_a_token_is_told(store: Store) -> None:
    made = add_token(store)
    assert made.used_at is None
    store.transaction(lambda c: sessions.token_used(c, made.id, "192.0.2.9", NOON_MS + 5))
    found = store.read_now(lambda c: sessions.token_by_id(c, made.id))
    assert (found.used_at, found.used_from) == (NOON_MS + 5, "192.0.2.9")


def test_tokens_are_listed_by_owner(store: Store) -> None:
    made = add_token(store)
    assert store.read_now(lambda c: sessions.list_tokens(c, "alice")) == [made]
    assert store.read_now(lambda c: sessions.list_tokens(c, "root")) == []
    assert store.read_now(sessions.list_tokens) == [made]
