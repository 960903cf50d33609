"""`/tokens`: shown once, worth no more than their maker, revoked at once."""

from gateway.domain.operator import Role
from gateway.store import tables_operators
from tests.support.admin import Installation
from tests.support.rows import all_rows


async def test_a_token_is_shown_once_and_works(here: Installation) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)
    made = await alice.post("/tokens", {"label": "deploy", "role": "viewer", "days": 7})
    assert made.status == 201
    secret = made.json["token"]
    assert (await here.person(secret).get("/me")).json["role"] == "viewer"
    (listed,) = (await alice.get("/tokens")).json["items"]
    assert (listed["label"], listed["operator"], listed["last_used_from"]) == ("deploy", "alice", "127.0.0.1")
    assert secret not in str(listed)
    for table in (tables_operators.operator_tokens, tables_operators.audit):
        assert secret not in str(all_rows(here.store, table))


async def test_a_token_is_no_more_than_its_maker(here: Installation) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)
    for role in ("admin", "finance", "reviewer"):
        answer = await alice.post("/tokens", {"label": "more", "role": role})
        assert (answer.status, answer.problem) == (403, "forbidden")
    assert (await alice.get("/tokens")).json["items"] == []


async def test_a_tokens_life_is_bounded(here: Installation) -> None:
    alice = await here.logged_in("alice")
    for days, status in ((0, 400), (366, 422), (365, 201)):
        assert (await alice.post("/tokens", {"label": "x", "role": "viewer", "days": days})).status == status


async def test_tokens_make_no_tokens(here: Installation) -> None:
    here.operator("alice", Role.ADMIN)
    program = here.person(here.token("alice", Role.ADMIN))
    assert (await program.post("/tokens", {"label": "more", "role": "viewer"})).status == 403


async def test_ones_own_token_is_revoked_at_once_and_others_are_not_seen(here: Installation) -> None:
    alice = await here.logged_in("alice")
    bob = await here.logged_in("bob")
    made = (await alice.post("/tokens", {"label": "x", "role": "viewer"})).json
    path = f"/tokens/{made['details']['id']}"
    assert (await bob.ask("DELETE", path)).status == 404
    assert (await bob.get("/tokens?operator=alice")).status == 403
    assert (await bob.get("/tokens")).json["items"] == []
    revoked = await alice.ask("DELETE", path)
    assert revoked.json["revoked_at"] is not None
    assert (await here.person(made["token"]).get("/me")).status == 401
    assert (await alice.ask("DELETE", path)).json == revoked.json
    actions = [row["action"] for row in all_rows(here.store, tables_operators.audit)]
    assert actions[-2:] == ["token.create", "token.revoke"]


async def test_an_admin_sees_and_revokes_anybodys(here: Installation) -> None:
    root = await here.logged_in("root", Role.ADMIN)
    here.operator("alice")
    program = here.person(here.token("alice", Role.VIEWER))
    (listed,) = (await root.get("/tokens?operator=alice")).json["items"]
    assert (await root.ask("DELETE", f"/tokens/{listed['id']}")).status == 200
    assert (await program.get("/me")).status == 401
