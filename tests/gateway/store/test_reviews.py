"""Every move through the one table: the checks first, then people, each with its line in the audit."""

from typing import Any

import pytest
from sqlalchemy import select

from gateway.auth.keys import Keyring
from gateway.domain.check import Checks
from gateway.domain.message import Purpose
from gateway.domain.operator import Actor, ActorKind, Role, customer
from gateway.domain.review import Kind, Move, Review
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import accounts, applications, audit, qualifications, reviews, revisions, tables
from gateway.store.applications import Owner, SignatureForm, TemplateForm
from gateway.store.audit import By
from gateway.store.engine import Store
from tests.support.review import CHECKS, approved_signature

NOW = 1_790_000_000_000
RING = Keyring(b"k" * 32)
ANN = Actor("ann", ActorKind.OPERATOR, Role.REVIEWER, address="10.0.0.7")


@pytest.fixture
def owner(store: Store) -> Owner:
    made = store.transaction(lambda c: accounts.create_account(c, RING, "Acme", NOW))
    return Owner(made.account_id, made.project_id)


def template(store: Store, owner: Owner, text: str = "Order {1} has left.") -> str:
    form = TemplateForm(purpose=Purpose.NOTIFICATION, text=text)
    by = By(customer(owner.account_id, "r"), NOW)
    return store.transaction(lambda c: applications.create_template(c, owner, form, by))


def signature(store: Store, owner: Owner, **form: Any) -> str:
    whole = SignatureForm(**{"text": "优刻得科技", "type": 0, "certificate": 0, **form})
    by = By(customer(owner.account_id, "r"), NOW)
    return store.transaction(lambda c: applications.create_signature(c, owner, whole, by))


def check(store: Store, item_id: str, checks: Checks = CHECKS) -> reviews.Decided | None:
    kind = reviews.kind_of(item_id)
    return store.transaction(lambda c: reviews.check(c, checks, kind, item_id, NOW + 1))


def decide(
    store: Store, item_id: str, move: Move, reason: str = "", version: int | None = None
) -> reviews.Decided:
    by = By(ANN, NOW + 2, reason)
    return store.transaction(lambda c: reviews.decide(c, CHECKS, item_id, move, by, version=version))


def row(store: Store, item_id: str) -> Any:
    table = reviews.TABLES[reviews.kind_of(item_id)]
    return store.read_now(lambda c: c.execute(select(table).where(table.c.id == item_id)).one())


def test_what_passes_the_checks_waits_for_a_reviewer_and_is_approved(store: Store, owner: Owner) -> None:
    made = template(store, owner)
    moved = check(store, made)
    assert moved is not None
    assert (moved.before, moved.after) == (Review.PENDING, Review.IN_REVIEW)
    assert decide(store, made, Move.APPROVE).after is Review.APPROVED
    assert (row(store, made).reason, row(store, made).decided_at) == ("", NOW + 2)


def test_what_the_checks_reject_tells_the_customer_why(store: Store, owner: Owner) -> None:
    made = template(store, owner, "Play at our c a s i n o {1}{2}")
    moved = check(store, made)
    assert moved is not None
    assert moved.after is Review.REJECTED
    assert "gambling is not carried" in row(store, made).reason
    assert '"rule":"gambling"' in row(store, made).findings


def test_what_was_checked_is_not_checked_again(store: Store, owner: Owner) -> None:
    made = template(store, owner)
    assert check(store, made) is not None
    assert check(store, made) is None
    assert store.transaction(lambda c: reviews.check(c, CHECKS, Kind.TEMPLATE, "UTN0", NOW)) is None


def test_a_check_that_breaks_down_leaves_it_to_the_reviewer(store: Store, owner: Owner) -> None:
    class Broken(Checks):
        def __call__(self, item: Any) -> Any:
            raise RuntimeError("bug")

    made = template(store, owner)
    moved = check(store, made, Broken(CHECKS.rules))
    assert moved is not None
    assert moved.after is Review.IN_REVIEW
    assert "check-failed" in row(store, made).findings


def test_a_decision_lets_the_checks_go_first(store: Store, owner: Owner) -> None:
    made = template(store, owner)
    decide(store, made, Move.APPROVE)
    history = store.read_now(lambda c: audit.page(c, audit.Filter(subject_id=made), 10))
    assert [entry.action for entry in history] == ["template.approve", "template.pass", "template.create"]


def test_overruling_the_checks_needs_a_reason(store: Store, owner: Owner) -> None:
    made = template(store, owner, "Play at our casino {1}")
    with pytest.raises(Invalid, match="needs a reason"):
        decide(store, made, Move.APPROVE)
    assert row(store, made).status == Review.PENDING  # the transaction took the checks' move back too
    decide(store, made, Move.APPROVE, "a hotel of that name")
    assert row(store, made).status == Review.APPROVED


@pytest.mark.parametrize("move", [Move.APPROVE, Move.REJECT])
def test_what_cannot_be_is_told_before_a_reason_is_asked_for(store: Store, owner: Owner, move: Move) -> None:
    made = template(store, owner)
    decide(store, made, Move.APPROVE)
    with pytest.raises(Conflict, match=f"this template is approved: the reviewer cannot {move} it"):
        decide(store, made, move)


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.parametrize("move", [Move.REJECT, Move.DISABLE])
def test_taking_away_needs_a_reason(store: Store, owner: Owner, move: Move, reason: str) -> None:
    made = template(store, owner)
    with pytest.raises(Invalid, match="needs a reason"):
        decide(store, made, move, reason)


@pytest.mark.parametrize("reason", ["x" * 501, "two\nlines"])
def test_a_reason_can_be_shown(store: Store, owner: Owner, reason: str) -> None:
    with pytest.raises(Invalid, match="printable"):
        decide(store, template(store, owner), Move.REJECT, reason)


def test_a_move_the_table_does_not_have_changes_nothing(store: Store, owner: Owner) -> None:
    made = template(store, owner)
    decide(store, made, Move.APPROVE)
    before = row(store, made)
    for move in (Move.APPROVE, Move.REJECT):
        with pytest.raises(Conflict, match="is approved"):
            decide(store, made, move, "again")
    assert row(store, made) == before


def test_what_the_customer_changed_meanwhile_is_not_decided_upon(store: Store, owner: Owner) -> None:
    made = template(store, owner)
    check(store, made)
    seen = row(store, made).version
    by = By(customer(owner.account_id, "r"), NOW)
    store.transaction(lambda c: applications.update_template(c, owner, made, {"text": "Other {1}."}, by))
    with pytest.raises(Conflict, match="has changed since"):
        decide(store, made, Move.APPROVE, version=seen)
    decide(store, made, Move.APPROVE, version=seen + 1)


def test_what_is_disabled_comes_back_by_a_reviewer_alone(store: Store, owner: Owner) -> None:
    made = template(store, owner)
    decide(store, made, Move.APPROVE)
    decide(store, made, Move.DISABLE, "complaints")
    assert (row(store, made).status, row(store, made).reason) == (Review.DISABLED, "complaints")
    with pytest.raises(Invalid, match="needs a reason"):
        decide(store, made, Move.APPROVE)
    decide(store, made, Move.APPROVE, "settled with the customer")
    assert row(store, made).reason == ""


def test_only_what_can_be_sent_before_or_after_is_noticed(store: Store, owner: Owner) -> None:
    def version() -> int:
        return store.read_now(revisions.current).get(revisions.DIRECTORY, 0)

    made, before = template(store, owner), version()
    check(store, made)
    decide(store, made, Move.REJECT, "no")
    assert version() == before
    decide(store, made, Move.APPROVE, "yes")
    assert version() == before + 1
    decide(store, made, Move.DISABLE, "no")
    assert version() == before + 2


def test_every_decision_says_who_when_why_before_and_after(store: Store, owner: Owner) -> None:
    made = template(store, owner, "Play at our casino {1}")
    check(store, made)
    decide(store, made, Move.APPROVE, "a hotel of that name")
    newest, checked, _ = store.read_now(lambda c: audit.page(c, audit.Filter(subject_id=made), 10))
    assert (newest.actor, newest.actor_kind, newest.address, newest.at) == (
        "ann", "operator", "10.0.0.7", NOW + 2,
    )  # fmt: skip
    assert (newest.action, newest.reason) == ("template.approve", "a hotel of that name")
    assert (newest.before["status"], newest.after["status"]) == ("rejected", "approved")
    assert newest.after["findings"] == ["gambling", "no-signature"]
    assert (checked.actor, checked.action, checked.at) == ("system", "template.reject", NOW + 1)
    assert "gambling is not carried" in checked.reason


def test_a_signature_is_checked_with_its_qualification(store: Store, owner: Owner) -> None:
    by = By(customer(owner.account_id, "r"), NOW)
    content = {"Name": "papers", "HandlerPhone": "1"}
    papers = store.transaction(lambda c: qualifications.create(c, owner, 0, content, False, by))
    made = signature(store, owner, qualification_id=papers)
    check(store, made)
    assert "qualification-not-approved" in row(store, made).findings
    assert row(store, made).status == Review.IN_REVIEW


def test_a_template_is_checked_with_its_projects_signatures(store: Store, owner: Owner) -> None:
    alone = template(store, owner)
    check(store, alone)
    assert "no-signature" in row(store, alone).findings
    store.transaction(lambda c: approved_signature(c, owner.account_id, "Acme", NOW))
    signed = template(store, owner)
    check(store, signed)
    assert row(store, signed).findings == "[]"


def test_a_qualification_is_checked_once_it_is_submitted(store: Store, owner: Owner) -> None:
    by = By(customer(owner.account_id, "r"), NOW)
    content = {"Name": "papers", "HandlerPhone": "1"}
    draft = store.transaction(lambda c: qualifications.create(c, owner, 0, content, False, by))
    assert store.read_now(reviews.to_check) == []
    store.transaction(lambda c: qualifications.change(c, owner, draft, {}, True, by))
    assert row(store, draft).status == Review.IN_REVIEW
    assert store.read_now(reviews.to_check) == [(Kind.QUALIFICATION, draft)]
    check(store, draft)
    assert row(store, draft).status == Review.REJECTED
    assert "missing: CompanyName" in row(store, draft).reason


def test_no_person_stands_in_the_audit_of_a_qualification(store: Store, owner: Owner) -> None:
    by = By(customer(owner.account_id, "r"), NOW)
    content = {"Name": "papers", "HandlerPhone": "13812345678", "HandlerIDNumber": "11010519491231002X"}
    made = store.transaction(lambda c: qualifications.create(c, owner, 0, content, True, by))
    check(store, made)
    kept = store.read_now(lambda c: c.execute(select(tables.metadata.tables["audit"])).all())
    assert "13812345678" not in str(kept)
    assert "11010519491231002X" not in str(kept)


@pytest.mark.parametrize(
    "item_id", ["SIG20260921AAAAAA", "UTA260921AAAAAA", "QUA20260921AAAAAA", "something"]
)
def test_what_is_not_there_cannot_be_decided_upon(store: Store, item_id: str) -> None:
    with pytest.raises(NotFound, match=item_id):
        decide(store, item_id, Move.REJECT, "no")


def test_a_million_that_wait_come_in_portions(store: Store, owner: Owner) -> None:
    for number in range(reviews.CHECKS_AT_ONCE + 2):
        template(store, owner, f"Order {{1}} number {number}.")
    assert len(store.read_now(reviews.to_check)) == reviews.CHECKS_AT_ONCE
