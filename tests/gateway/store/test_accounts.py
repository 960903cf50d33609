"""Accounts and what is theirs: made by an operator, found by the running gateway."""

import re

import pytest
from sqlalchemy import select

from gateway.auth.keys import Keyring, KeyUnreadable
from gateway.domain.message import Purpose
from gateway.errors import Invalid, NotFound
from gateway.store import accounts, applications, revisions, tables
from gateway.store.accounts import NewAccount
from gateway.store.engine import Store
from tests.support.review import approved_signature, approved_template

NOW = 1_790_000_000_000  # 2026-09-21
RING = Keyring(b"k" * 32)


@pytest.fixture
def acme(store: Store) -> NewAccount:
    return store.transaction(lambda c: accounts.create_account(c, RING, " Acme ", NOW))


def test_a_new_account_can_sign_and_has_a_project(store: Store, acme: NewAccount) -> None:
    directory = store.read_now(lambda c: accounts.load_directory(c, RING))
    key = directory.keys[acme.public_key]
    assert key.private_key == acme.private_key
    assert key.active
    assert key.account.name == "Acme"
    assert key.account.default_project is not None
    assert key.account.default_project.id == acme.project_id
    assert directory.project_owner == {acme.project_id: acme.account_id}
    assert re.fullmatch(r"acc-[a-z2-9]{6,}", acme.account_id)
    assert re.fullmatch(r"org-[a-z2-9]{6,}", acme.project_id)


def test_a_private_key_is_stored_sealed_and_never_printed(store: Store, acme: NewAccount) -> None:
    (sealed,) = store.read_now(
        lambda c: c.execute(select(tables.api_keys.c.sealed_private_key)).scalars().all()
    )
    assert acme.private_key.encode() not in sealed
    assert acme.private_key not in repr(acme)


@pytest.mark.usefixtures("acme")
def test_another_master_key_opens_nothing(store: Store) -> None:
    with pytest.raises(KeyUnreadable):
        store.read_now(lambda c: accounts.load_directory(c, Keyring(b"x" * 32)))


def test_every_change_is_noticed_and_a_refused_one_is_not(store: Store, acme: NewAccount) -> None:
    def version() -> int:
        return store.read_now(revisions.current)[revisions.DIRECTORY]

    before = version()
    store.transaction(lambda c: accounts.set_callback(c, acme.account_id, "https://acme.example/sms"))
    assert version() == before + 1
    with pytest.raises(Invalid):
        store.transaction(lambda c: accounts.set_callback(c, acme.account_id, "nowhere"))
    assert version() == before + 1


def test_an_approved_signature_and_template_reach_the_project(store: Store, acme: NewAccount) -> None:
    def make(connection) -> tuple[str, str]:
        text = "Your code is {1}"
        return (
            approved_signature(connection, acme.account_id, "【Acme】", NOW),
            approved_template(connection, acme.account_id, Purpose.VERIFICATION, text, NOW),
        )

    signature_id, template_id = store.transaction(make)
    project = (
        store.read_now(lambda c: accounts.load_directory(c, RING)).accounts[acme.account_id].default_project
    )
    assert project is not None
    signature = project.signature("Acme")
    assert signature is not None
    assert signature.id == signature_id
    assert signature.approved
    template = project.templates_by_id[template_id]
    assert template.approved
    assert template.purpose is Purpose.VERIFICATION
    assert template.name == template_id


def test_what_does_not_exist_or_is_somebody_elses_is_not_found(store: Store, acme: NewAccount) -> None:
    other = store.transaction(lambda c: accounts.create_account(c, RING, "Other", NOW))
    with pytest.raises(NotFound, match="acc-nobody"):
        store.transaction(lambda c: accounts.set_callback(c, "acc-nobody", None))
    with pytest.raises(NotFound, match="acc-nobody"):
        store.transaction(lambda c: applications.owner_of(c, "acc-nobody"))
    with pytest.raises(NotFound, match=other.project_id):
        store.transaction(lambda c: applications.owner_of(c, acme.account_id, other.project_id))
    with pytest.raises(NotFound):
        store.read_now(lambda c: accounts.list_accounts(c, "acc-nobody"))


def test_accounts_are_listed_with_their_money(store: Store, acme: NewAccount) -> None:
    (found,) = store.read_now(accounts.list_accounts)
    assert (found.account_id, found.name, found.state) == (acme.account_id, "Acme", "active")
    assert (found.available, found.reserved, found.captured) == (0, 0, 0)
    assert store.read_now(lambda c: accounts.list_accounts(c, acme.account_id)) == [found]


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "two\nlines"])
def test_a_name_that_cannot_be_shown_is_refused(store: Store, name: str) -> None:
    with pytest.raises(Invalid):
        store.transaction(lambda c: accounts.create_account(c, RING, name, NOW))
    assert store.read_now(accounts.list_accounts) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.example/sms",
        "ftp://acme.example/",
        "https://",
        "https://user:pw@acme.example/",
        "https://acme.example/#x",
        "https://acme.example:99999/",
        "https://acme.example:0/",
        "https://acme.example/a b",
        "https://acme.example/" + "x" * 2000,
    ],
)
def test_a_callback_url_nobody_can_post_to_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        accounts.check_callback_url(url)


@pytest.mark.parametrize(
    "url", ["https://acme.example/sms?k=1", "http://[2001:db8::1]:8080/", "http://127.0.0.1:9/x"]
)
def test_a_callback_url_can_be_any_http_one(url: str) -> None:
    accounts.check_callback_url(url)


def test_a_callback_can_be_taken_away(store: Store, acme: NewAccount) -> None:
    store.transaction(lambda c: accounts.set_callback(c, acme.account_id, "https://acme.example/sms"))
    store.transaction(lambda c: accounts.set_callback(c, acme.account_id, None))
    directory = store.read_now(lambda c: accounts.load_directory(c, RING))
    assert directory.accounts[acme.account_id].callback_url is None


def test_accounts_are_paged_oldest_first_and_none_is_missed_or_told_twice(store: Store) -> None:
    for number in range(5):
        made_at = NOW + number // 2  # some in the same millisecond
        store.transaction(lambda c, at=made_at, n=number: accounts.create_account(c, RING, f"Acme {n}", at))
    everybody = store.read_now(accounts.list_accounts)
    seen: list[accounts.AccountSummary] = []
    after = None
    while page := store.read_now(lambda c, after=after: accounts.page_accounts(c, 2, after)):
        seen += page
        after = (page[-1].created_at, page[-1].account_id)
    assert seen == everybody
