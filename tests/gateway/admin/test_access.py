"""Who is let in: tokens, sessions, CSRF tokens; what has ended lets nobody in."""

import pytest

from gateway.auth.tokens import csrf_of, new_session, new_token
from gateway.domain.operator import SYSTEM, Role
from gateway.flow import operators as changes
from gateway.store import operators, sessions
from gateway.store.audit import By
from tests.support.admin import Installation, Person
from tests.support.messages import NOON_MS

ROOT = SYSTEM


def by(here: Installation) -> By:
    return By(ROOT, here.clock.now_ms())


async def program(here: Installation, role: Role = Role.OPERATOR, owner: Role = Role.OPERATOR) -> Person:
    here.operator("root", Role.ADMIN)
    here.operator("alice", owner)
    return here.person(here.token("alice", role))


async def test_nobody_gets_nothing(here: Installation) -> None:
    answer = await here.person().get("/accounts")
    assert (answer.status, answer.problem) == (401, "credentials")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic YWxpY2U6eA==", "Bearer scst_" + "A" * 43, "Bearer scst_" + "A" * 999],
)
async def test_what_is_no_token_of_ours_lets_nobody_in(here: Installation, header: str) -> None:
    answer = await here.person().get("/me", headers={"Authorization": header})
    assert (answer.status, answer.problem) == (401, "credentials")


async def test_a_token_acts_as_its_owner_within_its_own_role_and_needs_no_csrf_token(
    here: Installation,
) -> None:
    machine = await program(here, Role.VIEWER)
    me = (await machine.get("/me")).json
    assert (me["name"], me["kind"], me["role"], me["csrf_token"]) == ("alice", "token", "viewer", None)
    assert (await machine.post("/accounts", {"name": "Acme"})).status == 403
    writer = here.person(here.token("alice", Role.OPERATOR))
    assert (await writer.post("/accounts", {"name": "Acme"})).status == 201


async def test_a_token_wins_over_the_cookie_that_came_with_it(here: Installation) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)
    here.operator("bob")
    answer = await alice.get("/me", headers={"Authorization": f"Bearer {here.token('bob', Role.VIEWER)}"})
    assert answer.json["name"] == "bob"
    broken = await alice.get("/me", headers={"Authorization": f"Bearer {new_token()}"})
    assert broken.status == 401


async def test_a_token_revoked_mid_use_is_refused_from_the_next_request_on(here: Installation) -> None:
    machine = await program(here)
    token_id = (await machine.get("/me")).json["token_id"]
    here.store.transaction(lambda c: changes.revoke_token(c, token_id, by(here)))
    assert (await machine.get("/me")).status == 401


async def test_a_token_expires(here: Installation) -> None:
    machine = await program(here)
    here.clock.pass_(3_599)
    assert (await machine.get("/me")).status == 200
    here.clock.pass_(1)
    assert (await machine.get("/me")).status == 401


async def test_a_token_worth_more_than_its_owner_is_worth_nothing(here: Installation) -> None:
    machine = await program(here, Role.OPERATOR)
    here.store.transaction(lambda c: operators.set_role(c, "alice", Role.VIEWER))
    assert (await machine.get("/me")).status == 401


async def test_disabling_an_operator_ends_sessions_and_tokens_at_once_and_for_good(
    here: Installation,
) -> None:
    machine = await program(here)
    alice = here.person()
    await alice.login("alice")
    here.store.transaction(lambda c: changes.set_active(c, "alice", False, by(here)))
    assert (await alice.get("/me")).status == 401
    assert (await machine.get("/me")).status == 401
    here.store.transaction(lambda c: changes.set_active(c, "alice", True, by(here)))
    assert (await alice.get("/me")).status == 401
    assert (await machine.get("/me")).status == 401


async def test_the_last_use_of_a_token_is_noted_to_the_minute(here: Installation) -> None:
    machine = await program(here)

    def used_at() -> int | None:
        return here.store.read_now(lambda c: sessions.list_tokens(c, "alice"))[0].used_at

    for wait, noted in ((0, NOON_MS), (59, NOON_MS), (1, NOON_MS + 60_000)):
        here.clock.pass_(wait)
        await machine.get("/me")
        assert used_at() == noted


@pytest.mark.parametrize(
    "token", ["", "wrong", csrf_of(new_session())], ids=["none", "wrong", "of another session"]
)
async def test_a_session_changes_nothing_without_its_csrf_token(here: Installation, token: str) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)
    good, alice.csrf = alice.csrf, token
    answer = await alice.post("/accounts", {"name": "Acme"})
    assert (answer.status, answer.problem) == (403, "csrf")
    assert (await alice.get("/accounts")).json["items"] == []
    alice.csrf = good
    assert (await alice.post("/accounts", {"name": "Acme"})).status == 201


async def test_a_csrf_token_of_another_session_of_the_same_operator_is_none(here: Installation) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)
    elsewhere = here.person()
    await elsewhere.login("alice")
    alice.csrf = elsewhere.csrf
    assert (await alice.post("/accounts", {"name": "Acme"})).problem == "csrf"


async def test_denials_are_counted(here: Installation) -> None:
    alice = await here.logged_in("alice")
    await alice.post("/accounts", {"name": "Acme"})
    await here.person().get("/me")
    assert here.metric("scloud_admin_denials_total", reason="permission") == 1
    assert here.metric("scloud_admin_denials_total", reason="credentials") == 1
