"""`/audit`: read by those who may, filtered and paged."""

import pytest

from gateway.domain.operator import Role
from tests.support.admin import Installation, Person


@pytest.fixture
async def root(here: Installation) -> Person:
    root = await here.logged_in("root", Role.ADMIN)
    for name in ("Acme", "Other"):
        here.clock.pass_(60)
        await root.post("/accounts", {"name": name, "reason": f"contract of {name}"})
    return root


async def test_it_tells_who_when_why_before_and_after(root: Person) -> None:
    newest = (await root.get("/audit?limit=1")).json["items"][0]
    assert (newest["actor"], newest["actor_kind"], newest["address"]) == ("root", "operator", "127.0.0.1")
    assert (newest["action"], newest["reason"], newest["before"]) == (
        "account.create",
        "contract of Other",
        None,
    )
    assert newest["after"]["name"] == "Other"
    assert newest["at"] == "2026-09-21T14:15:20Z"


async def test_it_is_paged_newest_first(root: Person) -> None:
    first = (await root.get("/audit?limit=2")).json
    rest = (await root.get(f"/audit?limit=2&cursor={first['next']}")).json
    found = [one["action"] for one in first["items"] + rest["items"]]
    assert found == ["account.create", "account.create", "session.login"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=account.", 2),
        ("action=session.login", 1),
        ("actor=nobody", 0),
        ("since=2026-09-21T14:15:00Z", 1),
        ("until=2026-09-21T14:14:00Z", 1),
        ("subject_kind=operator", 1),
    ],
)
async def test_it_is_filtered(root: Person, query: str, found: int) -> None:
    assert len((await root.get(f"/audit?{query}")).json["items"]) == found


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-09-21T14:15:00", "actor=%00"])
async def test_a_filter_that_is_none_is_refused(root: Person, query: str) -> None:
    assert (await root.get(f"/audit?{query}")).status == 400


async def test_what_a_token_did_names_the_token(here: Installation, root: Person) -> None:
    program = here.person(here.token("root", Role.ADMIN))
    token_id = (await program.get("/me")).json["token_id"]
    await program.post("/accounts", {"name": "Third"})
    newest = (await root.get("/audit?limit=1")).json["items"][0]
    assert (newest["actor"], newest["actor_kind"], newest["via"]) == ("root", "token", token_id)
