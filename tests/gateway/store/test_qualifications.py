"""Company papers: drafts, hand-in, pages of them, and that persons are forgotten with them."""

import re
from typing import Any

import pytest

from gateway.auth.keys import Keyring
from gateway.domain.operator import SYSTEM, customer
from gateway.domain.paper import Paper
from gateway.domain.review import Kind, Move, Review
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import accounts, applications, papers, qualifications, reviews, tables_review
from gateway.store.applications import Owner, SignatureForm
from gateway.store.audit import By
from gateway.store.engine import Store
from gateway.store.qualification_fields import FILES, REQUIRED, TEXTS
from gateway.store.qualifications import Wanted
from tests.support.review import CHECKS
from tests.support.rows import all_rows

NOW = 1_790_000_000_000
RING = Keyring(b"k" * 32)
DRAFT = {"Name": "papers", "HandlerPhone": "13800000000"}


@pytest.fixture
def owner(store: Store) -> Owner:
    made = store.transaction(lambda c: accounts.create_account(c, RING, "Acme", NOW))
    return Owner(made.account_id, made.project_id)


@pytest.fixture
def stranger(store: Store) -> Owner:
    made = store.transaction(lambda c: accounts.create_account(c, RING, "Other", NOW))
    return Owner(made.account_id, made.project_id)


def by(owner: Owner, later: int = 0) -> By:
    return By(customer(owner.account_id, "r"), NOW + later)


def create(store: Store, owner: Owner, submit: bool = False, later: int = 0, **content: str) -> str:
    whole = {**DRAFT, **content}
    return store.transaction(lambda c: qualifications.create(c, owner, 0, whole, submit, by(owner, later)))


def find(store: Store, owner: Owner, made: str) -> Any:
    return store.read_now(lambda c: qualifications.find(c, owner, made))


def complete(store: Store, owner: Owner) -> dict[str, str]:
    """Return all that a reviewer wants to see."""
    pdf = Paper(b"%PDF-", "application/pdf", "x.pdf")

    def upload(c: Any) -> dict[str, str]:
        return {
            name: papers.add(c, owner.account_id, pdf, "0" * 64, 1_000, NOW)
            for name in FILES
            if name in REQUIRED
        }

    return {**{name: "证照" for name in TEXTS}, **store.transaction(upload)}


def test_a_draft_waits_for_nobody(store: Store, owner: Owner) -> None:
    made = create(store, owner)
    assert re.fullmatch(r"QUA20260921[0-9A-F]{6}", made)
    row = find(store, owner, made)
    assert (row.status, row.to_check, row.submitted_at) == (Review.PENDING, False, None)
    assert (row.name, row.company_name, row.certificate_file) == ("papers", "", "")


def test_a_complete_one_goes_to_the_reviewer_and_is_approved(store: Store, owner: Owner) -> None:
    made = create(store, owner, submit=True, **complete(store, owner))
    moved = store.transaction(lambda c: reviews.check(c, CHECKS, Kind.QUALIFICATION, made, NOW))
    assert moved is not None
    assert moved.after is Review.IN_REVIEW
    store.transaction(lambda c: reviews.decide(c, CHECKS, made, Move.APPROVE, By(SYSTEM, NOW + 9)))
    row = find(store, owner, made)
    assert (row.status, row.submitted_at, row.decided_at) == (Review.APPROVED, NOW, NOW + 9)


def test_a_change_replaces_what_it_names(store: Store, owner: Owner) -> None:
    made = create(store, owner, CompanyName="Old")
    content = {"HandlerName": "Ann", "Attr": 1}
    store.transaction(lambda c: qualifications.change(c, owner, made, content, True, by(owner, 5)))
    row = find(store, owner, made)
    assert (row.company_name, row.handler_name, row.attr, row.version) == ("Old", "Ann", 1, 2)
    assert (row.status, row.submitted_at) == (Review.IN_REVIEW, NOW + 5)
    store.transaction(lambda c: qualifications.change(c, owner, made, {}, False, by(owner, 6)))
    assert find(store, owner, made).status == Review.PENDING


@pytest.mark.parametrize("move", [Move.APPROVE, Move.DISABLE])
def test_an_approved_or_disabled_one_is_not_changed(store: Store, owner: Owner, move: Move) -> None:
    made = create(store, owner, submit=True)
    store.transaction(lambda c: reviews.decide(c, CHECKS, made, move, By(SYSTEM, NOW, "because")))
    with pytest.raises(Conflict):
        store.transaction(lambda c: qualifications.change(c, owner, made, {}, False, by(owner)))


def test_deleted_with_it_goes_what_it_said_of_persons(store: Store, owner: Owner) -> None:
    made = create(store, owner, HandlerName="Ann", HandlerIDNumber="11010519491231002X")
    store.transaction(lambda c: qualifications.delete(c, owner, [made], by(owner)))
    with pytest.raises(NotFound):
        find(store, owner, made)
    (row,) = all_rows(store, tables_review.qualifications)
    assert {row[column] for column in (*TEXTS.values(), *FILES.values())} == {""}
    assert row["deleted_at"] == NOW


def test_what_a_signature_names_or_is_under_review_stays(store: Store, owner: Owner) -> None:
    named, held = create(store, owner), create(store, owner, submit=True)
    form = SignatureForm(text="Acme", qualification_id=named)
    signature = store.transaction(lambda c: applications.create_signature(c, owner, form, by(owner)))
    with pytest.raises(Conflict, match="a signature names it"):
        store.transaction(lambda c: qualifications.delete(c, owner, [named], by(owner)))
    with pytest.raises(Conflict, match="in review"):
        store.transaction(lambda c: qualifications.delete(c, owner, [held], by(owner)))
    store.transaction(lambda c: applications.delete(c, owner, Kind.SIGNATURE, [signature], by(owner)))
    store.transaction(lambda c: qualifications.delete(c, owner, [named], by(owner)))


def page(store: Store, owner: Owner, **changes: Any) -> tuple[int, list[str]]:
    base = {"page": 0, "size": 10, "order_by": "CreateTime", "descending": False}
    wanted = Wanted(**{**base, **changes})
    total, rows = store.read_now(lambda c: qualifications.page(c, owner, wanted))
    return total, [row.id for row in rows]


def test_pages_are_counted_ordered_and_filtered(store: Store, owner: Owner, stranger: Owner) -> None:
    made = [create(store, owner, submit=number == 1, later=number) for number in range(3)]
    create(store, stranger)
    assert page(store, owner) == (3, made)
    assert page(store, owner, descending=True) == (3, made[::-1])
    assert page(store, owner, order_by="QualificationId") == (3, sorted(made))
    assert page(store, owner, page=1, size=2) == (3, made[2:])
    assert page(store, owner, page=9) == (3, [])
    assert page(store, owner, status=Review.IN_REVIEW) == (1, [made[1]])
    assert page(store, owner, attr=1) == (0, [])


def test_what_is_anothers_is_not_found(store: Store, owner: Owner, stranger: Owner) -> None:
    made = create(store, owner)
    theirs = store.transaction(
        lambda c: papers.add(c, owner.account_id, Paper(b"x", "image/png", "x.png"), "0" * 64, 9, NOW)
    )
    before = all_rows(store, tables_review.qualifications)
    for attempt in (
        lambda c: qualifications.find(c, stranger, made),
        lambda c: qualifications.change(c, stranger, made, {}, True, by(stranger)),
        lambda c: qualifications.delete(c, stranger, [made], by(stranger)),
    ):
        with pytest.raises(NotFound):
            store.transaction(attempt)
    for name in FILES:
        with pytest.raises(Invalid, match="no file"):
            create(store, stranger, **{name: theirs})
    assert all_rows(store, tables_review.qualifications) == before
