"""What an account may do: restricted, restored, bound to addresses, told in its language, on which terms."""

import pytest
from sqlalchemy import select

from gateway.auth.keys import Keyring
from gateway.domain.operator import Actor, ActorKind, Role
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import accounts, audit, revisions, standing, tables_keys
from gateway.store.accounts import AccountSummary, NewAccount
from gateway.store.audit import By, Filter
from gateway.store.engine import Store

NOW = 1_790_000_000_000
RING = Keyring(b"k" * 32)
ALICE = Actor("alice", ActorKind.OPERATOR, Role.OPERATOR)


def by(reason: str = "") -> By:
    return By(actor=ALICE, now_ms=NOW, reason=reason)


@pytest.fixture
def acme(store: Store) -> NewAccount:
    return store.transaction(lambda c: accounts.create_account(c, RING, "Acme", NOW - 1))


def shown(store: Store, account: NewAccount) -> AccountSummary:
    (found,) = store.read_now(lambda c: accounts.list_accounts(c, account.account_id))
    return found


def audited(store: Store) -> list[tuple[str, object, object, str]]:
    records = store.read_now(lambda c: audit.page(c, Filter(), 10))
    return [(record.action, record.before, record.after, record.reason) for record in records]


def test_a_restricted_account_says_why_and_is_restored(store: Store, acme: NewAccount) -> None:
    before = store.read_now(revisions.current)[revisions.DIRECTORY]
    store.transaction(lambda c: standing.restrict(c, acme.account_id, by(" complaints ")))
    assert (shown(store, acme).state, shown(store, acme).state_reason) == ("restricted", "complaints")
    directory = store.read_now(lambda c: accounts.load_directory(c, RING))
    assert not directory.accounts[acme.account_id].active
    store.transaction(lambda c: standing.restore(c, acme.account_id, by("settled")))
    assert (shown(store, acme).state, shown(store, acme).state_reason) == ("active", "")
    assert store.read_now(revisions.current)[revisions.DIRECTORY] == before + 2
    restricted = {"state": "restricted", "state_reason": "complaints"}
    active = {"state": "active", "state_reason": ""}
    assert audited(store) == [
        ("account.restore", restricted, active, "settled"),
        ("account.restrict", active, restricted, "complaints"),
    ]


def test_the_language_is_set_and_taken_away(store: Store, acme: NewAccount) -> None:
    store.transaction(lambda c: standing.set_language(c, acme.account_id, "zh", by()))
    directory = store.read_now(lambda c: accounts.load_directory(c, RING))
    assert directory.accounts[acme.account_id].language == "zh"
    store.transaction(lambda c: standing.set_language(c, acme.account_id, None, by()))
    assert shown(store, acme).language is None


def test_addresses_are_shown_in_their_one_form(store: Store, acme: NewAccount) -> None:
    store.transaction(lambda c: standing.allow_account(c, acme.account_id, ["::1", "10.0.0.0/8"], by()))
    assert shown(store, acme).allowed == "10.0.0.0/8,::1/128"


def test_accepted_terms_are_kept_with_their_time_and_never_changed(store: Store, acme: NewAccount) -> None:
    def accept(version: str, at: int = NOW) -> None:
        store.transaction(lambda c: standing.accept_terms(c, acme.account_id, version, at, by()))

    assert shown(store, acme).terms is None
    accept("2026-01", NOW - 1000)
    accept("2026-05")
    assert shown(store, acme).terms == "2026-05"
    with pytest.raises(Conflict, match="2026-01 already"):
        accept("2026-01")
    for version, at in (("", NOW), ("x" * 33, NOW), ("a\0", NOW), ("2027", NOW + 1), ("2027", 0)):
        with pytest.raises(Invalid):
            accept(version, at)
    rows = store.read_now(
        lambda c: c.execute(select(tables_keys.terms_acceptances).order_by("version")).all()
    )
    assert [(row.version, row.accepted_at) for row in rows] == [("2026-01", NOW - 1000), ("2026-05", NOW)]
    assert [action for action, *_ in audited(store)] == ["account.terms"] * 2


def test_what_cannot_be_done_changes_nothing(store: Store, acme: NewAccount) -> None:
    before = shown(store, acme)
    account = acme.account_id
    for error, work in (
        (NotFound, lambda c: standing.restrict(c, "acc-nobody", by("why"))),
        (NotFound, lambda c: standing.restore(c, "acc-nobody", by())),
        (NotFound, lambda c: standing.set_language(c, "acc-nobody", "en", by())),
        (NotFound, lambda c: standing.allow_account(c, "acc-nobody", [], by())),
        (NotFound, lambda c: standing.accept_terms(c, "acc-nobody", "1", NOW, by())),
        (Invalid, lambda c: standing.restrict(c, account, by("  "))),
        (Invalid, lambda c: standing.restrict(c, account, by("x" * 501))),
        (Invalid, lambda c: standing.restrict(c, account, by("a\nb"))),
        (Invalid, lambda c: standing.set_language(c, account, "fr", by())),
        (Invalid, lambda c: standing.allow_account(c, account, ["nonsense"], by())),
        (Conflict, lambda c: standing.restore(c, account, by())),
    ):
        with pytest.raises(error):
            store.transaction(work)
    assert shown(store, acme) == before
    assert audited(store) == []


def test_who_is_restricted_already_keeps_the_first_reason(store: Store, acme: NewAccount) -> None:
    store.transaction(lambda c: standing.restrict(c, acme.account_id, by("first")))
    with pytest.raises(Conflict, match="restricted already: first"):
        store.transaction(lambda c: standing.restrict(c, acme.account_id, by("second")))
    assert shown(store, acme).state_reason == "first"
