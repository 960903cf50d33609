"""Signatures and templates as customers hand them in."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from gateway.auth.keys import Keyring
from gateway.domain.message import Purpose
from gateway.domain.operator import SYSTEM, customer
from gateway.domain.paper import Paper
from gateway.domain.review import Kind, Move, Review
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import accounts, applications, audit, papers, qualifications, reviews, revisions, tables
from gateway.store.accounts import NewAccount
from gateway.store.applications import Owner, SignatureForm, TemplateForm
from gateway.store.audit import By
from gateway.store.engine import Store
from tests.support.review import CHECKS, approved_signature, approved_template
from tests.support.rows import all_rows

NOW = 1_790_000_000_000  # 2026-09-21
RING = Keyring(b"k" * 32)
BRAND = SignatureForm(text="【Acme】", type=0, certificate=0, description="ours")
NOTICE = TemplateForm(purpose=Purpose.NOTIFICATION, text="Order {1} has left.", name="notice")


@pytest.fixture
def acme(store: Store) -> NewAccount:
    return store.transaction(lambda c: accounts.create_account(c, RING, "Acme", NOW))


@pytest.fixture
def owner(acme: NewAccount) -> Owner:
    return Owner(acme.account_id, acme.project_id)


@pytest.fixture
def stranger(store: Store) -> Owner:
    made = store.transaction(lambda c: accounts.create_account(c, RING, "Other", NOW))
    return Owner(made.account_id, made.project_id)


def by(owner: Owner, later: int = 0) -> By:
    return By(customer(owner.account_id, "request-1"), NOW + later)


def make_signature(store: Store, owner: Owner, form: SignatureForm = BRAND, **changes: Any) -> str:
    return store.transaction(
        lambda c: applications.create_signature(c, owner, replace(form, **changes), by(owner))
    )


def make_template(store: Store, owner: Owner, form: TemplateForm = NOTICE, **changes: Any) -> str:
    return store.transaction(
        lambda c: applications.create_template(c, owner, replace(form, **changes), by(owner))
    )


def decide(store: Store, item_id: str, move: Move) -> None:
    store.transaction(lambda c: reviews.decide(c, CHECKS, item_id, move, By(SYSTEM, NOW, "because")))


def version(store: Store) -> int:
    return store.read_now(revisions.current).get(revisions.DIRECTORY, 0)


def test_a_signature_begins_pending_and_waits_for_the_checks(store: Store, owner: Owner) -> None:
    made = make_signature(store, owner)
    assert re.fullmatch(r"SIG20260921[0-9A-F]{6}", made)
    row = store.read_now(lambda c: applications.find_signature(c, owner, made))
    assert (row.text, row.status, row.to_check, row.version) == ("Acme", Review.PENDING, True, 1)
    assert store.read_now(reviews.to_check) == [(Kind.SIGNATURE, made)]


def test_what_nobody_can_send_disturbs_nobody_who_sends(store: Store, owner: Owner) -> None:
    before = version(store)
    make_signature(store, owner)
    make_template(store, owner)
    assert version(store) == before
    store.transaction(lambda c: approved_signature(c, owner.account_id, "Other", NOW))
    assert version(store) == before + 1


def test_a_customer_of_the_vendors_test_may_call_it_anything(store: Store, owner: Owner) -> None:
    made = make_signature(store, owner, text="test-sig-update")
    store.transaction(lambda c: reviews.check(c, CHECKS, Kind.SIGNATURE, made, NOW))
    row = store.read_now(lambda c: applications.find_signature(c, owner, made))
    assert row.status == Review.REJECTED
    assert "2 to 12 characters" in row.reason


@pytest.mark.parametrize("text", ["", "【】", "x" * 65, "two\nlines"])
def test_what_cannot_be_stored_is_refused(store: Store, owner: Owner, text: str) -> None:
    with pytest.raises(Invalid):
        make_signature(store, owner, text=text)


def test_a_project_has_a_signature_once_in_each_universe(store: Store, owner: Owner) -> None:
    first = make_signature(store, owner)
    with pytest.raises(Conflict, match=first):
        make_signature(store, owner, text="Acme")
    assert make_signature(store, owner, international=True) != first
    decide(store, first, Move.REJECT)
    store.transaction(lambda c: applications.delete(c, owner, Kind.SIGNATURE, [first], by(owner)))
    make_signature(store, owner)


def test_two_at_once_make_one(store: Store, owner: Owner) -> None:
    outcome: list[str] = []

    def make() -> None:
        try:
            outcome.append(make_signature(store, owner))
        except Conflict:
            outcome.append("conflict")

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one[:3] for one in outcome) == ["SIG", "con", "con", "con"]


def test_a_full_project_takes_no_more(store: Store, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applications, "MAX_PER_PROJECT", 1)
    make_signature(store, owner)
    with pytest.raises(Invalid, match="delete some"):
        make_signature(store, owner, text="Second")
    make_template(store, owner)
    with pytest.raises(Invalid, match="delete some"):
        make_template(store, owner)


def test_an_id_that_is_taken_is_not_given_twice(
    store: Store, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["aaaaaa", "aaaaaa", "bbbbbb"])
    monkeypatch.setattr(applications.secrets, "token_hex", lambda _: next(drawn))
    assert [make_template(store, owner)[-6:] for _ in range(2)] == ["AAAAAA", "BBBBBB"]


def test_papers_must_be_the_accounts_own(store: Store, owner: Owner, stranger: Owner) -> None:
    theirs = store.transaction(lambda c: add_file(c, stranger))
    for name in ("file_id", "proxy_file_id"):
        with pytest.raises(Invalid, match="no file"):
            make_signature(store, owner, **{name: theirs})
    content = {"Name": "x", "HandlerPhone": "1"}
    papers_of_another = store.transaction(
        lambda c: qualifications.create(c, stranger, 0, content, False, by(stranger))
    )
    with pytest.raises(Invalid, match="no qualification"):
        make_signature(store, owner, qualification_id=papers_of_another)


def add_file(connection: Any, owner: Owner) -> str:

    paper = Paper(b"%PDF-", "application/pdf", "x.pdf")
    return papers.add(connection, owner.account_id, paper, "0" * 64, 1_000, NOW)


def test_an_edit_goes_into_review_anew_and_keeps_what_it_leaves_out(store: Store, owner: Owner) -> None:
    file_id = store.transaction(lambda c: add_file(c, owner))
    made = make_signature(store, owner, file_id=file_id, scene="shop", international=True)
    decide(store, made, Move.REJECT)
    form = SignatureForm(text="Acme2", type=4)
    store.transaction(lambda c: applications.update_signature(c, owner, made, form, by(owner, 5)))
    row = store.read_now(lambda c: applications.find_signature(c, owner, made))
    assert (row.text, row.sig_type, row.status, row.reason) == ("Acme2", 4, Review.PENDING, "")
    assert (row.file_id, row.scene, row.certificate_type, row.international) == (file_id, "shop", 0, True)
    assert (row.version, row.to_check, row.updated_at) == (2, True, NOW + 5)


def test_another_partys_signature_keeps_needing_its_power_of_attorney(store: Store, owner: Owner) -> None:
    made = make_signature(store, owner)
    form = SignatureForm(text="Acme2", type=4, third_party=True)
    with pytest.raises(Invalid, match="power of attorney"):
        store.transaction(lambda c: applications.update_signature(c, owner, made, form, by(owner)))


@pytest.mark.parametrize("move", [Move.APPROVE, Move.DISABLE])
def test_an_approved_or_disabled_signature_is_not_edited(store: Store, owner: Owner, move: Move) -> None:
    made = make_signature(store, owner)
    decide(store, made, move)
    with pytest.raises(Conflict):
        store.transaction(lambda c: applications.update_signature(c, owner, made, BRAND, by(owner)))


def test_an_edit_cannot_take_anothers_text(store: Store, owner: Owner) -> None:
    make_signature(store, owner)
    second = make_signature(store, owner, text="Second")
    with pytest.raises(Conflict, match="already"):
        store.transaction(lambda c: applications.update_signature(c, owner, second, BRAND, by(owner)))


def test_by_its_text_the_approved_one_is_found(store: Store, owner: Owner) -> None:
    abroad = make_signature(store, owner, international=True)
    decide(store, abroad, Move.APPROVE)
    home = make_signature(store, owner)
    found = store.read_now(lambda c: applications.find_signature(c, owner, text="【Acme】"))
    assert (found.id, home != abroad) == (abroad, True)


@pytest.mark.parametrize(
    ("purpose", "form"),
    [
        (Purpose.VERIFICATION, r"UTA260921[0-9A-F]{6}"),
        (Purpose.NOTIFICATION, r"UTN260921[0-9A-F]{6}"),
        (Purpose.PROMOTION, r"UTB260921[0-9A-F]{6}"),
    ],
)
def test_a_templates_id_says_purpose_and_day(store: Store, owner: Owner, purpose: Purpose, form: str) -> None:
    made = make_template(store, owner, purpose=purpose, name="")
    assert re.fullmatch(form, made)
    assert store.read_now(lambda c: applications.find_template(c, owner, made)).name == made


@pytest.mark.parametrize(
    "changes", [{"text": " "}, {"text": "x" * 601}, {"text": "a\0b"}, {"name": "x" * 33}]
)
def test_a_template_that_cannot_be_stored_is_refused(store: Store, owner: Owner, changes: Any) -> None:
    with pytest.raises(Invalid):
        make_template(store, owner, **changes)


def update(store: Store, owner: Owner, made: str, **changes: str) -> bool:
    return store.transaction(lambda c: applications.update_template(c, owner, made, changes, by(owner)))


def test_another_text_is_reviewed_anew_another_name_is_not(store: Store, owner: Owner) -> None:
    made = store.transaction(
        lambda c: approved_template(c, owner.account_id, Purpose.NOTIFICATION, "Order {1}.", NOW)
    )
    before = version(store)
    assert not update(store, owner, made, text="Order {1}.", name="renamed", remark="")
    row = store.read_now(lambda c: applications.find_template(c, owner, made))
    assert (row.status, row.name, row.version) == (Review.APPROVED, "renamed", 1)
    assert update(store, owner, made, text="Order {1}!")
    row = store.read_now(lambda c: applications.find_template(c, owner, made))
    assert (row.status, row.version) == (Review.PENDING, 2)
    assert version(store) == before + 2


def test_what_is_said_of_the_variables_is_reviewed_too(store: Store, owner: Owner) -> None:
    made = make_template(store, owner)
    decide(store, made, Move.APPROVE)
    assert update(store, owner, made, text=NOTICE.text, instruction="{1} is a number")


def test_a_disabled_template_is_not_even_renamed(store: Store, owner: Owner) -> None:
    made = make_template(store, owner)
    decide(store, made, Move.DISABLE)
    for changes in ({"name": "other"}, {"text": "other"}):
        with pytest.raises(Conflict):
            update(store, owner, made, **changes)


def test_what_is_deleted_is_gone_for_the_customer_and_stays_for_its_messages(
    store: Store, owner: Owner
) -> None:
    first, second = make_template(store, owner), make_template(store, owner)
    store.transaction(
        lambda c: applications.delete(c, owner, Kind.TEMPLATE, [first, second, first], by(owner))
    )
    with pytest.raises(NotFound):
        store.read_now(lambda c: applications.find_template(c, owner, first))
    rows = {row["id"]: row for row in all_rows(store, tables.templates)}
    assert rows[first]["text"] == NOTICE.text
    assert rows[first]["deleted_at"] == NOW
    assert store.read_now(reviews.to_check) == []
    with pytest.raises(NotFound):
        store.transaction(lambda c: applications.delete(c, owner, Kind.TEMPLATE, [first], by(owner)))


def test_a_deletion_is_all_or_none(store: Store, owner: Owner) -> None:
    first, held = make_template(store, owner), make_template(store, owner)
    store.transaction(lambda c: reviews.check(c, CHECKS, Kind.TEMPLATE, held, NOW))
    with pytest.raises(Conflict, match="in review"):
        store.transaction(lambda c: applications.delete(c, owner, Kind.TEMPLATE, [first, held], by(owner)))
    assert store.read_now(lambda c: applications.find_template(c, owner, first)).deleted_at is None


def test_deleting_what_is_approved_is_noticed_by_who_sends(store: Store, owner: Owner) -> None:
    made = make_signature(store, owner)
    decide(store, made, Move.APPROVE)
    before = version(store)
    store.transaction(lambda c: applications.delete(c, owner, Kind.SIGNATURE, [made], by(owner)))
    assert version(store) == before + 1
    project = store.read_now(lambda c: accounts.load_directory(c, RING)).accounts[owner.account_id].projects
    assert project[owner.project_id].signature("Acme") is None


def test_what_is_anothers_is_not_found(store: Store, owner: Owner, stranger: Owner) -> None:
    signature, template = make_signature(store, owner), make_template(store, owner)
    before = all_rows(store, tables.signatures), all_rows(store, tables.templates)
    for attempt in (
        lambda c: applications.find_signature(c, stranger, signature),
        lambda c: applications.find_signature(c, stranger, text="Acme"),
        lambda c: applications.update_signature(c, stranger, signature, BRAND, by(stranger)),
        lambda c: applications.delete(c, stranger, Kind.SIGNATURE, [signature], by(stranger)),
        lambda c: applications.find_template(c, stranger, template),
        lambda c: applications.update_template(c, stranger, template, {"text": "x"}, by(stranger)),
        lambda c: applications.delete(c, stranger, Kind.TEMPLATE, [template], by(stranger)),
        lambda c: applications.create_template(
            c, Owner(stranger.account_id, owner.project_id), NOTICE, by(stranger)
        ),
        lambda c: applications.owner_of(c, stranger.account_id, owner.project_id),
    ):
        with pytest.raises(NotFound):
            store.transaction(attempt)
    assert (all_rows(store, tables.signatures), all_rows(store, tables.templates)) == before


def test_a_promotion_is_sent_with_its_opt_out(store: Store, owner: Owner) -> None:
    made = make_template(
        store, owner, purpose=Purpose.PROMOTION, text="All half price", unsubscribe="拒收请回复R"
    )
    directory = store.read_now(lambda c: accounts.load_directory(c, RING))
    project = directory.accounts[owner.account_id].projects[owner.project_id]
    assert project.templates_by_id[made].render([]) == "All half price，拒收请回复R"


def test_every_change_is_in_the_audit_with_before_and_after(store: Store, owner: Owner) -> None:
    made = make_template(store, owner)
    update(store, owner, made, text="Order {1} is gone.")
    update(store, owner, made, text="Order {1} is gone.", name="renamed")
    store.transaction(lambda c: applications.delete(c, owner, Kind.TEMPLATE, [made], by(owner)))
    wanted = audit.Filter(subject_id=made)
    entries = list(reversed(store.read_now(lambda c: audit.page(c, wanted, 10))))
    assert [entry.action for entry in entries] == [
        "template.create", "template.edit", "template.rename", "template.delete",
    ]  # fmt: skip
    assert {(entry.actor, entry.actor_kind, entry.via) for entry in entries} == {
        (owner.account_id, "customer", "request-1")
    }
    assert entries[0].before is None
    assert (entries[1].before["text"], entries[1].after["text"]) == (NOTICE.text, "Order {1} is gone.")
    assert entries[1].after["version"] == 2
    assert entries[3].after is None


WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def waiting(store: Store, expected: int) -> None:
    """Return once so many transactions wait for others."""
    deadline = time.monotonic() + 30
    while store.read_now(lambda c: c.scalar(text(WAITING))) != expected:
        assert time.monotonic() < deadline


def once(store: Store, work: Callable[[Connection], object]) -> object:
    """Do as `Store.transaction` does, but give up where that would try again."""
    with store.writer.begin() as connection:
        return work(connection)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_deletion_of_several_and_whoever_decides_on_one_of_them_do_not_block_each_other(
    store: Store, owner: Owner
) -> None:
    # both end at the revision: who holds it must not want a row of who waits for it
    first, second = sorted(make_template(store, owner) for _ in range(2))
    for made in (first, second):
        decide(store, made, Move.APPROVE)
    with ThreadPoolExecutor(2) as threads, store.writer.begin() as connection:
        connection.execute(text("SELECT version FROM revisions WHERE scope = 'directory' FOR UPDATE"))
        deletion = threads.submit(
            once, store, lambda c: applications.delete(c, owner, Kind.TEMPLATE, [second, first], by(owner))
        )
        waiting(store, 1)
        decision = threads.submit(
            once,
            store,
            lambda c: reviews.decide(c, CHECKS, second, Move.DISABLE, By(SYSTEM, NOW, "because")),
        )
        waiting(store, 2)
        connection.rollback()
        assert deletion.result() is None
        with pytest.raises(NotFound):
            decision.result()
