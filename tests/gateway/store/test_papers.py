"""Rows of files: whose they are, how much they may be, and when they are forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.auth.keys import Keyring
from gateway.domain.operator import SYSTEM
from gateway.domain.paper import Paper
from gateway.domain.review import Kind
from gateway.errors import Invalid, NotFound
from gateway.store import accounts, applications, papers, qualifications
from gateway.store.applications import Owner, SignatureForm
from gateway.store.audit import By
from gateway.store.engine import Store

NOW = 1_790_000_000_000
RING = Keyring(b"k" * 32)
PDF = Paper(b"%PDF-1.7", "application/pdf", "licence.pdf")
BY = By(SYSTEM, NOW)


@pytest.fixture
def owner(store: Store) -> Owner:
    made = store.transaction(lambda c: accounts.create_account(c, RING, "Acme", NOW))
    return Owner(made.account_id, made.project_id)


def add(store: Store, owner: Owner, at: int = NOW, digest: str = "0" * 64, quota: int = 1_000) -> str:
    return store.transaction(lambda c: papers.add(c, owner.account_id, PDF, digest, quota, at))


def forget(store: Store, before: int = NOW + 1_000) -> int:
    return store.transaction(lambda c: papers.forget_unused(c, before, 100))


def test_a_file_is_its_accounts_and_cannot_be_guessed(store: Store, owner: Owner) -> None:
    made = add(store, owner)
    assert len(made) == 36
    found = store.read_now(lambda c: papers.find(c, made, owner.account_id))
    assert (found.size, found.type, found.name) == (8, "application/pdf", "licence.pdf")
    with pytest.raises(NotFound):
        store.read_now(lambda c: papers.find(c, made, "acc-other"))
    with pytest.raises(Invalid):
        store.transaction(lambda c: papers.check_owned(c, "acc-other", [made], NOW))


def test_an_account_has_a_quota(store: Store, owner: Owner) -> None:
    add(store, owner, quota=16)
    add(store, owner, quota=16)
    with pytest.raises(Invalid, match="more than 16 bytes"):
        add(store, owner, quota=16)


def test_uploads_at_once_do_not_pass_the_quota_together(store: Store, owner: Owner) -> None:
    ready = threading.Barrier(3, timeout=30)

    def upload(_: int) -> str:
        ready.wait()
        try:
            return add(store, owner, quota=16)
        except Invalid:
            return ""

    with ThreadPoolExecutor(3) as threads:
        for _ in range(5):
            made = [one for one in threads.map(upload, range(3)) if one]
            assert len(made) == 2
            assert forget(store) == 2


def test_what_nothing_names_is_forgotten_after_a_while(store: Store, owner: Owner) -> None:
    made, recent = add(store, owner), add(store, owner, at=NOW + 2_000)
    assert forget(store) == 1
    with pytest.raises(NotFound):
        store.read_now(lambda c: papers.find(c, made))
    assert store.read_now(lambda c: papers.find(c, recent)).id == recent


def test_what_something_names_is_kept_until_that_is_deleted(store: Store, owner: Owner) -> None:
    proxy, licence = add(store, owner), add(store, owner)
    form = SignatureForm(text="Acme", file_id=licence, proxy_file_id=proxy)
    signature = store.transaction(lambda c: applications.create_signature(c, owner, form, BY))
    front = add(store, owner)
    content = {"Name": "x", "HandlerPhone": "1", "HandlerIDCardFrontImageFileId": front}
    made = store.transaction(lambda c: qualifications.create(c, owner, 0, content, False, BY))
    assert forget(store) == 0
    store.transaction(lambda c: applications.delete(c, owner, Kind.SIGNATURE, [signature], BY))
    assert forget(store) == 2
    store.transaction(lambda c: qualifications.delete(c, owner, [made], BY))
    assert forget(store) == 1


def test_naming_a_file_keeps_it_a_while(store: Store, owner: Owner) -> None:
    made = add(store, owner)
    store.transaction(lambda c: papers.check_owned(c, owner.account_id, [made, None, ""], NOW + 5_000))
    assert forget(store) == 0


def test_only_hashes_that_a_row_names_are_known(store: Store, owner: Owner) -> None:
    add(store, owner, digest="a" * 64)
    assert store.read_now(lambda c: papers.known_hashes(c, ["a" * 64, "b" * 64])) == {"a" * 64}
    assert store.read_now(lambda c: papers.known_hashes(c, [])) == set()
