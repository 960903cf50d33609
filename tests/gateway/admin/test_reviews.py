"""`/review` through the admin API: the queue, one item with its files, decisions."""

import pytest

from gateway.domain.message import Purpose
from gateway.domain.operator import SYSTEM, Role
from gateway.domain.paper import Paper
from gateway.domain.review import Kind
from gateway.store import applications, papers, qualifications, reviews, tables_operators
from gateway.store.applications import TemplateForm
from gateway.store.audit import By
from tests.support.admin import Installation, Person
from tests.support.review import CHECKS
from tests.support.rows import all_rows

PDF = b"%PDF-1.7 licence"
PERSON = "11010519491231002X"


@pytest.fixture
async def ann(here: Installation) -> Person:
    return await here.logged_in("ann", Role.REVIEWER)


@pytest.fixture
async def account(here: Installation) -> str:
    root = await here.logged_in("root", Role.ADMIN)
    made: str = (await root.post("/accounts", {"name": "Acme"})).json["account_id"]
    return made


def hand_in(here: Installation, account: str, text: str = "Order {1} has left.") -> str:
    """Hand in a template and let the checks have a look."""
    now = here.clock.now_ms()

    def work(connection) -> str:
        owner = applications.owner_of(connection, account)
        form = TemplateForm(purpose=Purpose.NOTIFICATION, text=text, name="notice")
        made = applications.create_template(connection, owner, form, By(SYSTEM, now))
        reviews.check(connection, CHECKS, Kind.TEMPLATE, made, now)
        return made

    return here.store.transaction(work)


def qualification(here: Installation, account: str) -> tuple[str, str]:
    """Hand in company papers with a file; return the ids of both."""
    now = here.clock.now_ms()

    def work(connection) -> tuple[str, str]:
        owner = applications.owner_of(connection, account)
        with here.vault.held():
            digest = here.vault.put(PDF)
        paper = Paper(PDF, "application/pdf", "licence.pdf")
        file_id = papers.add(connection, account, paper, digest, 1_000, now)
        content = {
            "Name": "papers",
            "HandlerName": "Zhang San",
            "HandlerPhone": "13812345678",
            "HandlerIDNumber": PERSON,
            "CompanyCertificateFileId": file_id,
        }
        return qualifications.create(connection, owner, 0, content, False, By(SYSTEM, now)), file_id

    return here.store.transaction(work)


async def test_what_waits_is_listed_shown_and_approved(here: Installation, ann: Person, account: str) -> None:
    made = hand_in(here, account)
    (listed,) = (await ann.get("/review")).json["items"]
    assert (listed["id"], listed["kind"], listed["status"]) == (made, "template", "in review")
    assert listed["flags"] == ["no-signature"]
    shown = (await ann.get(f"/review/{made}")).json
    assert shown["content"]["text"] == "Order {1} has left."
    assert [entry["action"] for entry in shown["history"]] == ["template.pass", "template.create"]
    before = here.taken_over
    done = await ann.post(f"/review/{made}/approve", {"version": shown["version"]})
    assert (done.status, done.json) == (200, {"id": made, "status": "approved"})
    assert here.taken_over == before + 1
    assert (await ann.get("/review")).json == {"items": [], "next": None}
    newest = all_rows(here.store, tables_operators.audit)[-1]
    assert (newest["actor"], newest["actor_kind"], newest["action"]) == (
        "ann",
        "operator",
        "template.approve",
    )


async def test_pages_follow_each_other(here: Installation, ann: Person, account: str) -> None:
    made = [hand_in(here, account, f"Order {{1}} number {number}.") for number in range(3)]
    first = (await ann.get("/review?limit=2&kind=template")).json
    second = (await ann.get(f"/review?limit=2&kind=template&cursor={first['next']}")).json
    assert sorted(item["id"] for item in first["items"] + second["items"]) == sorted(made)
    assert second["next"] is None
    assert (await ann.get("/review?kind=signature")).json["items"] == []
    assert (await ann.get("/review?status=all&account_id=acc-other")).json["items"] == []


async def test_a_rejection_and_a_disabling_say_why(here: Installation, ann: Person, account: str) -> None:
    made = hand_in(here, account)
    for body in (
        {"version": 1},
        {"version": 1, "reason": " "},
        {"reason": "x"},
        {"version": 0, "reason": "x"},
    ):
        assert (await ann.post(f"/review/{made}/reject", body)).status == 400
    assert (await ann.post(f"/review/{made}/reject", {"version": 1, "reason": "no"})).json[
        "status"
    ] == "rejected"
    assert (await ann.post(f"/review/{made}/approve", {"version": 1})).status == 422
    overruled = {"version": 1, "reason": "was a mistake"}
    assert (await ann.post(f"/review/{made}/approve", overruled)).json["status"] == "approved"
    disabled = {"version": 1, "reason": "complaints"}
    assert (await ann.post(f"/review/{made}/disable", disabled)).json["status"] == "disabled"
    assert (await ann.post(f"/review/{made}/reject", disabled)).status == 409


async def test_what_changed_since_it_was_seen_is_not_decided_upon(
    here: Installation, ann: Person, account: str
) -> None:
    made = hand_in(here, account)
    before = here.taken_over
    answer = await ann.post(f"/review/{made}/approve", {"version": 2})
    assert (answer.status, answer.problem) == (409, "conflict")
    assert here.taken_over == before


async def test_the_same_decision_twice_is_made_once(here: Installation, ann: Person, account: str) -> None:
    made = hand_in(here, account)
    headers = {"Idempotency-Key": "decision-1"}
    assert (await ann.post(f"/review/{made}/approve", {"version": 1}, headers=headers)).status == 200
    assert (await ann.post(f"/review/{made}/approve", {"version": 1}, headers=headers)).status == 409


async def test_who_may_only_read_decides_nothing_and_sees_no_person(
    here: Installation, ann: Person, account: str
) -> None:
    viewer = await here.logged_in("vic", Role.VIEWER)
    made, file_id = qualification(here, account)
    assert (await viewer.post(f"/review/{made}/disable", {"version": 1, "reason": "x"})).status == 403
    assert (await viewer.get(f"/review/{made}/files/{file_id}")).status == 403
    seen = (await viewer.get(f"/review/{made}")).json["content"]
    assert {seen[f"handler_{what}"] for what in ("name", "phone", "id_number")} == {"[hidden]"}
    assert (await ann.get(f"/review/{made}")).json["content"]["handler_id_number"] == PERSON
    nobody = here.person()
    for path in ("/review", f"/review/{made}", f"/review/{made}/files/{file_id}"):
        assert (await nobody.get(path)).status == 401


async def test_who_looks_at_persons_is_in_the_audit(here: Installation, ann: Person, account: str) -> None:
    viewer = await here.logged_in("vic", Role.VIEWER)
    made, _ = qualification(here, account)
    for person in (ann, viewer):
        assert (await person.get(f"/review/{made}")).status == 200
    looks = [
        (row["actor"], row["subject_kind"], row["subject_id"], row["after"])
        for row in all_rows(here.store, tables_operators.audit)
        if row["action"] == "qualification.show"
    ]
    assert looks == [
        ("ann", "qualification", made, '{"persons":true}'),
        ("vic", "qualification", made, '{"persons":false}'),
    ]
    assert PERSON not in str(all_rows(here.store, tables_operators.audit))
    history = (await ann.get(f"/review/{made}")).json["history"]
    assert [entry["action"] for entry in history] == ["qualification.create"]


async def test_a_look_at_what_has_no_persons_or_is_not_there_is_no_news(
    here: Installation, ann: Person, account: str
) -> None:
    made = hand_in(here, account)
    before = len(all_rows(here.store, tables_operators.audit))
    assert (await ann.get(f"/review/{made}")).status == 200
    assert (await ann.get("/review/QUA0")).status == 404
    assert len(all_rows(here.store, tables_operators.audit)) == before


async def test_a_file_goes_out_as_an_attachment_and_into_the_audit(
    here: Installation, ann: Person, account: str
) -> None:
    made, file_id = qualification(here, account)
    async with ann.http.get(f"/admin/v1/review/{made}/files/{file_id}") as got:
        assert (got.status, await got.read()) == (200, PDF)
        assert got.headers["Content-Type"] == "application/pdf"
        assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''licence.pdf"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
    newest = all_rows(here.store, tables_operators.audit)[-1]
    assert (newest["actor"], newest["action"], newest["subject_id"]) == ("ann", "qualification.file", made)
    other = hand_in(here, account)
    assert (await ann.get(f"/review/{other}/files/{file_id}")).status == 404
    assert (await ann.get(f"/review/{made}/files/FILE0")).status == 404


@pytest.mark.parametrize("item_id", ["UTN260921AAAAAA", "something"])
async def test_what_is_not_there_is_not_found(ann: Person, item_id: str) -> None:
    assert (await ann.get(f"/review/{item_id}")).status == 404
    assert (await ann.post(f"/review/{item_id}/approve", {"version": 1})).status == 404
