"""The reviewer's queue, and everything that is known of one item."""

from typing import Any

import pytest

from gateway.auth.keys import Keyring
from gateway.domain.message import Purpose
from gateway.domain.operator import SYSTEM
from gateway.domain.paper import Paper
from gateway.domain.review import Kind, Move, Review
from gateway.errors import NotFound
from gateway.store import accounts, applications, papers, review_reads, reviews
from gateway.store.applications import Owner, SignatureForm, TemplateForm
from gateway.store.audit import By
from gateway.store.engine import Store
from gateway.store.review_reads import Filter
from tests.support.review import CHECKS

NOW = 1_790_000_000_000
RING = Keyring(b"k" * 32)


@pytest.fixture
def owner(store: Store) -> Owner:
    made = store.transaction(lambda c: accounts.create_account(c, RING, "Acme", NOW))
    return Owner(made.account_id, made.project_id)


def checked(store: Store, owner: Owner, text: str, at: int) -> str:
    form = TemplateForm(purpose=Purpose.NOTIFICATION, text=text)

    def work(c: Any) -> str:
        made = applications.create_template(c, owner, form, By(SYSTEM, NOW + at))
        reviews.check(c, CHECKS, Kind.TEMPLATE, made, NOW + at)
        return made

    return store.transaction(work)


def queue(store: Store, limit: int = 10, after: Any = None, **wanted: Any) -> list[dict[str, Any]]:
    return store.read_now(lambda c: review_reads.queue(c, Filter(**wanted), limit, after))


def test_who_waits_longest_comes_first_whatever_it_is(store: Store, owner: Owner) -> None:
    late = checked(store, owner, "Order {1} is late.", 20)
    early = checked(store, owner, "Order {1} is early.", 10)

    def sign(c: Any) -> str:
        made = applications.create_signature(c, owner, SignatureForm(text="Acme"), By(SYSTEM, NOW + 15))
        reviews.check(c, CHECKS, Kind.SIGNATURE, made, NOW + 15)
        return made

    brand = store.transaction(sign)
    found = queue(store)
    assert [item["id"] for item in found] == [early, brand, late]
    assert found[0]["account"] == "Acme"
    assert found[0]["flags"] == ["no-signature"]
    assert found[1] | {"flags": []} == {
        "id": brand, "kind": "signature", "account_id": owner.account_id, "account": "Acme",
        "project_id": owner.project_id, "title": "Acme", "status": "in review", "flags": [], "version": 1,
        "updated_at": NOW + 15,
    }  # fmt: skip
    assert [item["id"] for item in queue(store, kinds=(Kind.SIGNATURE,))] == [brand]
    assert store.read_now(review_reads.waiting) == {"signature": 1, "template": 2, "qualification": 0}


def test_pages_follow_each_other_without_gap_or_repetition(store: Store, owner: Owner) -> None:
    made = [checked(store, owner, f"Order {{1}} number {n}.", n // 3) for n in range(10)]
    seen: list[str] = []
    after = None
    while page := queue(store, 3, after):
        seen += [item["id"] for item in page]
        after = (page[-1]["updated_at"], page[-1]["id"])
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(set(seen))


def test_what_the_checks_have_not_seen_is_not_the_reviewers_yet(store: Store, owner: Owner) -> None:
    form = TemplateForm(purpose=Purpose.NOTIFICATION, text="Order {1}.")
    store.transaction(lambda c: applications.create_template(c, owner, form, By(SYSTEM, NOW)))
    assert queue(store, statuses=tuple(Review)) == []


def test_another_accounts_and_another_status_are_left_out(store: Store, owner: Owner) -> None:
    made = checked(store, owner, "Order {1} has left.", 0)
    assert queue(store, account_id="acc-other") == []
    assert queue(store, statuses=(Review.APPROVED,)) == []
    assert [item["id"] for item in queue(store, account_id=owner.account_id)] == [made]


def test_an_item_is_shown_with_findings_files_past_and_history(store: Store, owner: Owner) -> None:
    def work(c: Any) -> tuple[str, str, str]:
        by = By(SYSTEM, NOW, "no")
        first = applications.create_signature(c, owner, SignatureForm(text="Acme"), by)
        reviews.decide(c, CHECKS, first, Move.REJECT, by)
        applications.delete(c, owner, Kind.SIGNATURE, [first], by)
        paper = Paper(b"%PDF-", "application/pdf", "licence.pdf")
        file_id = papers.add(c, owner.account_id, paper, "0" * 64, 1_000, NOW)
        form = SignatureForm(text="Acme", type=0, certificate=4, file_id=file_id)
        return first, file_id, applications.create_signature(c, owner, form, By(SYSTEM, NOW + 1))

    first, file_id, second = store.transaction(work)
    store.transaction(lambda c: reviews.check(c, CHECKS, Kind.SIGNATURE, second, NOW + 2))
    shown = store.read_now(lambda c: review_reads.item(c, second))
    assert shown["status"] == "rejected"
    assert [finding["rule"] for finding in shown["findings"]] == ["certificate-mismatch"]
    assert shown["files"] == [
        {"what": "certificate", "id": file_id, "name": "licence.pdf", "type": "application/pdf", "size": 5}
    ]
    assert shown["earlier"] == [{"id": first, "status": "rejected", "reason": "no", "deleted": True}]
    assert [entry["action"] for entry in shown["history"]] == ["signature.reject", "signature.create"]
    assert store.read_now(lambda c: review_reads.file_of(c, second, file_id)).name == "licence.pdf"
    for item_id in (first, "UTN260921AAAAAA"):
        with pytest.raises(NotFound):
            store.read_now(lambda c, item_id=item_id: review_reads.file_of(c, item_id, file_id))


def test_a_file_that_was_forgotten_is_told(store: Store, owner: Owner) -> None:
    def work(c: Any) -> str:
        paper = Paper(b"%PDF-", "application/pdf", "licence.pdf")
        file_id = papers.add(c, owner.account_id, paper, "0" * 64, 1_000, NOW)
        made = applications.create_signature(
            c, owner, SignatureForm(text="Acme", file_id=file_id), By(SYSTEM, NOW)
        )
        applications.delete(c, owner, Kind.SIGNATURE, [made], By(SYSTEM, NOW))
        assert papers.forget_unused(c, NOW + 1, 10) == 1
        return made

    made = store.transaction(work)
    (file,) = store.read_now(lambda c: review_reads.item(c, made))["files"]
    assert (file["what"], file["name"]) == ("certificate", None)


def test_a_template_says_its_purpose_in_words(store: Store, owner: Owner) -> None:
    made = checked(store, owner, "Order {1} has left.", 0)
    assert store.read_now(lambda c: review_reads.item(c, made))["purpose"] == "notification"


@pytest.mark.parametrize("item_id", ["SIG20260921AAAAAA", "something"])
def test_what_is_not_there_is_not_shown(store: Store, item_id: str) -> None:
    with pytest.raises(NotFound, match=item_id):
        store.read_now(lambda c: review_reads.item(c, item_id))
