"""Log in, be known, change the password, log out: the way in and what keeps others out of it."""

import asyncio

import pytest
from yarl import URL

from config.schema import AdminSettings
from gateway.auth import passwords
from gateway.auth.tokens import csrf_of
from gateway.domain.operator import PERMISSIONS, Role
from gateway.flow.operators import OneTime
from gateway.store import operators, sessions, tables_operators
from gateway.store.engine import Store
from tests.support.admin import PASSWORD, Installation, Person, installed
from tests.support.rows import all_rows

NEW = "a horse of another colour"


def cookie(person: Person) -> str:
    return next((morsel.value for morsel in person.http.cookie_jar if morsel.key == "scloud_session"), "")


def put_cookie(person: Person, value: str) -> None:
    person.http.cookie_jar.update_cookies({"scloud_session": value}, URL(person.base))


async def by_one_time_password(here: Installation, name: str = "admin") -> tuple[Person, str]:
    one_time = OneTime.make(here.clock.now_ms())
    here.store.transaction(
        lambda c: operators.add(
            c, name, Role.ADMIN, one_time.stored, here.clock.now_ms(), created_by="system"
        )
    )
    return here.person(), one_time.password


async def test_a_name_and_a_password_become_a_session(here: Installation) -> None:
    here.operator("alice", Role.FINANCE)
    alice = here.person()
    answer = await alice.login(" Alice ")
    assert answer.status == 200
    assert answer.json == {
        "name": "alice",
        "role": "finance",
        "csrf_token": csrf_of(cookie(alice)),
        "must_change_password": False,
    }
    me = await alice.get("/me")
    assert me.json["permissions"] == sorted(PERMISSIONS[Role.FINANCE])
    assert (me.json["name"], me.json["kind"], me.json["csrf_token"]) == ("alice", "operator", alice.csrf)
    assert here.metric("scloud_admin_logins_total", result="ok") == 1


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(here: Installation) -> None:
    here.operator("alice")
    answer = await here.person().login("alice")
    told = answer.headers["Set-Cookie"]
    assert "HttpOnly" in told
    assert "SameSite=Strict" in told
    assert "Path=/" in told
    assert "Secure" not in told
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("proxies", "proto", "secure"),
    [(("127.0.0.1",), "https", True), (("127.0.0.1",), "http", False), ((), "https", False)],
)
async def test_behind_a_trusted_proxy_with_tls_the_cookie_stays_on_tls(
    store: Store, proxies: tuple[str, ...], proto: str, secure: bool
) -> None:
    async with installed(store, proxies=proxies) as here:
        here.operator("alice")
        answer = await here.person().login("alice", headers={"X-Forwarded-Proto": proto})
        assert ("Secure" in answer.headers["Set-Cookie"]) is secure


async def test_what_was_wrong_is_not_told(here: Installation) -> None:
    here.operator("alice")
    here.operator("bob", Role.ADMIN)
    here.operator("root", Role.ADMIN)
    here.store.transaction(lambda c: operators.set_active(c, "bob", False))
    wrong = await here.person().login("alice", "wrong")
    unknown = await here.person().login("nobody", "wrong")
    disabled = await here.person().login("bob", PASSWORD)
    assert wrong.status == unknown.status == disabled.status == 401
    assert wrong.json == unknown.json == disabled.json
    assert wrong.problem == "login-refused"
    assert "Set-Cookie" not in wrong.headers
    assert here.metric("scloud_admin_logins_total", result="refused") == 3


async def test_an_unknown_name_costs_as_much_hashing_as_a_known_one(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.operator("alice")
    looked_at: list[str] = []
    hasher = passwords._HASHER

    class Counting:
        def verify(self, stored: str, password: bytes) -> bool:
            looked_at.append(stored)
            return hasher.verify(stored, password)

        hash = staticmethod(hasher.hash)

    passwords._nobodys.cache_clear()
    monkeypatch.setattr(passwords, "_HASHER", Counting())
    await here.person().login("alice", "wrong")
    await here.person().login("nobody", "wrong")
    assert len(looked_at) == 2
    assert (
        looked_at[0].rpartition("$")[0].rpartition("$")[0]
        == looked_at[1].rpartition("$")[0].rpartition("$")[0]
    )


async def test_too_many_failures_lock_the_name_at_that_address_and_for_a_while(here: Installation) -> None:
    here.operator("alice")
    for _ in range(5):
        assert (await here.person().login("alice", "wrong")).status == 401
    locked = await here.person().login("alice")
    assert (locked.status, locked.problem) == (429, "locked-out")
    assert locked.headers["Retry-After"] == "900"
    here.clock.pass_(900)
    assert (await here.person().login("alice")).status == 200


async def test_nobody_locks_out_an_operator_at_another_address(store: Store) -> None:
    async with installed(store, proxies=("127.0.0.0/8",)) as here:
        here.operator("alice")
        attacker = here.person(**{"X-Forwarded-For": "198.51.100.1"})
        statuses = [(await attacker.login("alice", "wrong")).status for _ in range(30)]
        assert statuses == [401] * 5 + [429] * 25
        assert (await here.person(**{"X-Forwarded-For": "192.0.2.7"}).login("alice")).status == 200


async def test_a_name_that_does_not_exist_is_locked_alike(here: Installation) -> None:
    answers = [await here.person().login("nobody", "wrong") for _ in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]


async def test_an_address_that_tries_many_names_is_locked(store: Store) -> None:
    async with installed(store, AdminSettings(lockout_address_failures=3)) as here:
        here.operator("alice")
        statuses = [(await here.person().login(f"name{number}", "x")).status for number in range(4)]
        assert statuses == [401, 401, 401, 429]
        assert (await here.person().login("alice")).status == 429


async def test_a_lock_out_survives_a_restart(here: Installation, store: Store) -> None:
    here.operator("alice")
    for _ in range(5):
        await here.person().login("alice", "wrong")
    async with installed(store) as again:
        assert (await again.person().login("alice")).status == 429


async def test_guesses_at_once_are_no_more_than_guesses_in_turn(here: Installation) -> None:
    here.operator("alice")
    people = [here.person() for _ in range(12)]
    answers = await asyncio.gather(*(person.login("alice", "wrong") for person in people))
    assert sum(answer.status == 401 for answer in answers) == 5
    assert {answer.status for answer in answers} == {401, 429}


async def test_two_log_ins_at_once_are_two_sessions(here: Installation) -> None:
    here.operator("alice")
    one, other = here.person(), here.person()
    answers = await asyncio.gather(one.login("alice"), other.login("alice"))
    assert [answer.status for answer in answers] == [200, 200]
    assert cookie(one) != cookie(other)
    assert (await one.post("/logout")).status == 204
    assert (await one.get("/me")).status == 401
    assert (await other.get("/me")).status == 200


async def test_a_flood_of_log_ins_is_told_to_come_back(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.operator("alice")
    monkeypatch.setattr("gateway.flow.login.MAX_WAITING", 0)
    answer = await here.person().login("alice")
    assert (answer.status, answer.problem) == (503, "busy")
    assert "Retry-After" in answer.headers
    monkeypatch.undo()


async def test_a_session_id_from_elsewhere_is_not_taken_on(here: Installation) -> None:
    """Session fixation: what the attacker put into the browser is worth nothing after the log-in."""
    mallory = await here.logged_in("mallory")
    foisted = cookie(mallory)
    here.operator("alice")
    alice = here.person()
    put_cookie(alice, foisted)
    await alice.login("alice")
    assert cookie(alice) != foisted
    assert (await alice.get("/me")).json["name"] == "alice"
    assert (await mallory.get("/me")).status == 401
    made_up = here.person()
    put_cookie(made_up, "A" * 43)
    assert (await made_up.get("/me")).status == 401


async def test_the_store_does_not_know_what_is_in_the_cookie(here: Installation) -> None:
    alice = await here.logged_in("alice")
    assert cookie(alice) not in str(all_rows(here.store, tables_operators.operator_sessions))


async def test_a_session_ends_when_nobody_uses_it(here: Installation) -> None:
    alice = await here.logged_in("alice")
    for _ in range(3):
        here.clock.pass_(1_700)
        assert (await alice.get("/me")).status == 200
    here.clock.pass_(1_800)
    assert (await alice.get("/me")).status == 401


async def test_a_session_ends_however_much_it_is_used(here: Installation) -> None:
    alice = await here.logged_in("alice")
    for _ in range(26):
        here.clock.pass_(1_600)
        assert (await alice.get("/me")).status == 200
    here.clock.pass_(1_600)
    assert (await alice.get("/me")).status == 401


async def test_a_one_time_password_lets_in_to_choose_another_and_to_nothing_else(here: Installation) -> None:
    admin, password = await by_one_time_password(here)
    answer = await admin.login("admin", password)
    assert answer.json["must_change_password"] is True
    refused = await admin.get("/accounts")
    assert (refused.status, refused.problem) == (403, "password-change-required")
    assert (await admin.get("/me")).json["must_change_password"] is True
    changed = await admin.post("/password", {"current": password, "new": NEW})
    assert (changed.status, changed.json["must_change_password"]) == (200, False)
    admin.csrf = changed.json["csrf_token"]
    assert (await admin.get("/accounts")).status == 200
    assert (await here.person().login("admin", password)).status == 401
    assert (await here.person().login("admin", NEW)).status == 200


async def test_a_one_time_password_is_good_for_a_day(here: Installation) -> None:
    admin, password = await by_one_time_password(here)
    here.clock.pass_(24 * 3_600 - 1)
    assert (await admin.login("admin", password)).status == 200
    here.clock.pass_(1)
    assert (await here.person().login("admin", password)).status == 401
    assert (await admin.post("/password", {"current": password, "new": NEW})).status == 401


async def test_a_changed_password_ends_every_other_session_and_gives_this_one_a_new_id(
    here: Installation,
) -> None:
    alice = await here.logged_in("alice")
    elsewhere = here.person()
    await elsewhere.login("alice")
    before = cookie(alice)
    answer = await alice.post("/password", {"current": PASSWORD, "new": NEW})
    assert answer.status == 200
    alice.csrf = answer.json["csrf_token"]
    assert (await elsewhere.get("/me")).status == 401
    assert (await alice.get("/me")).status == 200
    assert cookie(alice) != before
    thief = here.person()
    put_cookie(thief, before)
    assert (await thief.get("/me")).status == 401


@pytest.mark.parametrize(
    ("current", "new", "status"),
    [
        (PASSWORD, "short", 422),
        (PASSWORD, PASSWORD, 422),
        (PASSWORD, "alice alice alice", 422),
        ("wrong", NEW, 401),
    ],
)
async def test_a_password_that_cannot_be_changed_stays(
    here: Installation, current: str, new: str, status: int
) -> None:
    alice = await here.logged_in("alice")
    assert (await alice.post("/password", {"current": current, "new": new})).status == status
    assert (await alice.get("/me")).status == 200
    assert (await here.person().login("alice", PASSWORD)).status == 200


async def test_who_has_stolen_a_session_cannot_guess_the_password_by_changing_it(here: Installation) -> None:
    alice = await here.logged_in("alice")
    answers = [await alice.post("/password", {"current": f"guess {n}", "new": NEW}) for n in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]


async def test_an_old_hash_is_made_anew_at_the_next_log_in(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.operator("alice")
    dearer = passwords.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", dearer)
    assert (await here.person().login("alice")).status == 200
    stored = here.store.read_now(lambda c: operators.password_hash(c, "alice"))
    assert stored is not None
    assert "m=16,t=2,p=1" in stored
    assert (await here.person().login("alice")).status == 200


async def test_a_token_has_neither_log_out_nor_password(here: Installation) -> None:
    here.operator("alice")
    program = here.person(here.token("alice", Role.VIEWER))
    assert (await program.get("/me")).json["token_id"].startswith("tok-")
    assert (await program.post("/logout")).status == 403
    assert (await program.post("/password", {"current": PASSWORD, "new": NEW})).status == 403


async def test_log_ins_and_outs_and_changes_of_password_are_in_the_audit_without_the_password(
    here: Installation,
) -> None:
    alice = await here.logged_in("alice")
    answer = await alice.post("/password", {"current": PASSWORD, "new": NEW})
    alice.csrf = answer.json["csrf_token"]
    await alice.post("/logout")
    rows = all_rows(here.store, tables_operators.audit)
    assert [row["action"] for row in rows] == ["session.login", "operator.password", "session.logout"]
    assert {(row["actor"], row["actor_kind"], row["address"]) for row in rows} == {
        ("alice", "operator", "127.0.0.1")
    }
    assert PASSWORD not in str(rows)
    assert NEW not in str(rows)
    assert "argon2" not in str(rows)


async def test_an_operator_disabled_while_the_password_is_looked_at_does_not_get_in(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.operator("alice")
    look = passwords.verify_password

    def disabled_meanwhile(stored: str | None, password: str) -> bool:
        here.store.transaction(lambda c: operators.set_active(c, "alice", False))
        return look(stored, password)

    monkeypatch.setattr("gateway.flow.login.verify_password", disabled_meanwhile)
    assert (await here.person().login("alice")).status == 401
    limits = here.logins.limits
    assert here.store.transaction(lambda c: sessions.end_sessions(c, "alice")) == 0, limits
