"""`/operators`: made, given roles, shut out, each with its line in the audit."""

from typing import Any

import pytest

from gateway.domain.operator import Role
from gateway.store import tables_operators
from tests.support.admin import PASSWORD, Installation, Person
from tests.support.rows import all_rows

NEW = "a horse of another colour"


@pytest.fixture
async def root(here: Installation) -> Person:
    return await here.logged_in("root", Role.ADMIN)


def last_audit(here: Installation) -> dict[str, Any]:
    return all_rows(here.store, tables_operators.audit)[-1]


async def test_a_new_operator_comes_in_by_the_one_time_password(here: Installation, root: Person) -> None:
    made = await root.post("/operators", {"name": "Alice", "role": "finance", "reason": "joined"})
    assert made.status == 201
    assert made.json["operator"]["name"] == "alice"
    assert made.json["operator"]["must_change_password"] is True
    alice = here.person()
    first = await alice.login("alice", made.json["one_time_password"])
    assert first.json["must_change_password"] is True
    await alice.post("/password", {"current": made.json["one_time_password"], "new": NEW})
    shown = (await root.get("/operators/alice")).json
    assert (shown["role"], shown["active"], shown["must_change_password"], shown["created_by"]) == (
        "finance", True, False, "root",
    )  # fmt: skip


async def test_each_change_is_in_the_audit_with_before_after_and_why(
    here: Installation, root: Person
) -> None:
    made = await root.post("/operators", {"name": "alice", "role": "viewer", "reason": "joined"})
    row = last_audit(here)
    assert (row["action"], row["actor"], row["reason"], row["before"]) == (
        "operator.create",
        "root",
        "joined",
        None,
    )
    assert made.json["one_time_password"] not in str(all_rows(here.store, tables_operators.audit))
    await root.post("/operators/alice/role", {"role": "reviewer", "reason": "moved"})
    row = last_audit(here)
    assert (row["action"], row["reason"]) == ("operator.role", "moved")
    assert '"role":"viewer"' in row["before"]
    assert '"role":"reviewer"' in row["after"]
    for verb, active in (("disable", "false"), ("enable", "true")):
        assert (await root.post(f"/operators/alice/{verb}", {"reason": verb})).json["active"] is (
            active == "true"
        )
        row = last_audit(here)
        assert row["action"] == f"operator.{verb}"
        assert f'"active":{active}' in row["after"]
    reset = await root.post("/operators/alice/password", {"reason": "forgot it"})
    row = last_audit(here)
    assert (row["action"], row["reason"]) == ("operator.password", "forgot it")
    assert reset.json["one_time_password"] not in str(row)


async def test_a_reset_ends_sessions_and_a_lock_out(here: Installation, root: Person) -> None:
    alice = await here.logged_in("alice")
    for _ in range(5):
        await here.person().login("alice", "wrong")
    assert (await here.person().login("alice")).status == 429
    reset = await root.post("/operators/alice/password")
    assert (await alice.get("/me")).status == 401
    assert (await here.person().login("alice", PASSWORD)).status == 401
    assert (await here.person().login("alice", reset.json["one_time_password"])).status == 200


async def test_a_reset_ends_tokens_too(here: Installation, root: Person) -> None:
    here.operator("alice", Role.OPERATOR)
    program = here.person(here.token("alice", Role.OPERATOR))
    assert (await program.get("/me")).status == 200
    reset = await root.post("/operators/alice/password")
    assert (reset.json["sessions_ended"], len(reset.json["tokens_revoked"])) == (0, 1)
    assert (await program.get("/me")).status == 401


async def test_a_lower_role_takes_the_tokens_that_are_more_than_it(here: Installation, root: Person) -> None:
    here.operator("alice", Role.OPERATOR)
    more, less = (here.person(here.token("alice", role)) for role in (Role.OPERATOR, Role.VIEWER))
    await root.post("/operators/alice/role", {"role": "finance"})
    assert (await more.get("/me")).status == 401
    assert (await less.get("/me")).status == 200
    await root.post("/operators/alice/role", {"role": "operator"})
    assert (await more.get("/me")).status == 401, "revoked is revoked"


async def test_the_last_admin_cannot_be_lost(root: Person) -> None:
    for path, body in (("disable", {}), ("role", {"role": "viewer"})):
        answer = await root.post(f"/operators/root/{path}", body)
        assert (answer.status, answer.problem) == (409, "conflict")
    assert (await root.get("/operators/root")).json["role"] == "admin"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "role": "viewer"}, 422),
        ({"name": "system", "role": "viewer"}, 422),
        ({"name": "root", "role": "viewer"}, 409),
        ({"name": "alice", "role": "king"}, 400),
        ({"name": "alice"}, 400),
        ({"name": "alice\n", "role": "viewer"}, 400),
        ({"name": "alice", "role": "viewer", "reason": "x" * 501}, 400),
    ],
)
async def test_an_operator_that_cannot_be_is_refused(root: Person, body: dict[str, str], status: int) -> None:
    assert (await root.post("/operators", body)).status == status
    assert len((await root.get("/operators")).json["items"]) == 1


async def test_who_is_not_there_is_not_found(root: Person) -> None:
    assert (await root.get("/operators/nobody")).status == 404
    for verb in ("disable", "enable", "password"):
        assert (await root.post(f"/operators/nobody/{verb}")).status == 404
    assert (await root.post("/operators/nobody/role", {"role": "viewer"})).status == 404


async def test_they_are_listed_a_page_at_a_time(here: Installation, root: Person) -> None:
    for name in ("alice", "bob", "carol"):
        here.operator(name)
    first = (await root.get("/operators?limit=2")).json
    rest = (await root.get(f"/operators?limit=2&cursor={first['next']}")).json
    assert [one["name"] for one in first["items"] + rest["items"]] == ["alice", "bob", "carol", "root"]
    assert rest["next"] is None
