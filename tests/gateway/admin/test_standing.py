"""What an account may do, through the admin API."""

import pytest

from gateway.domain.operator import Role
from gateway.store import tables_operators
from tests.support.admin import Installation, Person
from tests.support.rows import all_rows


@pytest.fixture
async def root(here: Installation) -> Person:
    return await here.logged_in("root", Role.ADMIN)


@pytest.fixture
async def path(root: Person) -> str:
    return f"/accounts/{(await root.post('/accounts', {'name': 'Acme'})).json['account_id']}"


async def test_addresses_language_and_terms_are_set_and_shown(
    here: Installation, root: Person, path: str
) -> None:
    allowed = await root.ask("PUT", f"{path}/allowed", {"allowed": ["::1", "10.0.0.0/8"]})
    assert allowed.json == {"allowed": ["10.0.0.0/8", "::1/128"]}
    assert (await root.ask("PUT", f"{path}/language", {"language": "zh"})).json["language"] == "zh"
    at = "2026-05-01T08:00:00+08:00"
    noted = await root.post(f"{path}/terms", {"version": "2026-05", "accepted_at": at})
    assert (noted.status, noted.json["version"]) == (201, "2026-05")
    assert noted.json["accepted_at"].startswith("2026-05-01T00:00:00")
    shown = (await root.get(f"{path}/standing")).json
    assert (shown["state"], shown["allowed"], shown["language"], shown["terms"]) == (
        "active", ["10.0.0.0/8", "::1/128"], "zh", "2026-05",
    )  # fmt: skip
    actions = [row["action"] for row in all_rows(here.store, tables_operators.audit)]
    assert actions[-3:] == ["account.allow", "account.language", "account.terms"]


async def test_without_a_time_terms_are_accepted_now_and_once(
    here: Installation, root: Person, path: str
) -> None:
    assert (await root.post(f"{path}/terms", {"version": "1"})).status == 201
    assert (await root.post(f"{path}/terms", {"version": "1"})).status == 409
    assert (
        await root.post(f"{path}/terms", {"version": "2", "accepted_at": "2999-01-01T00:00:00Z"})
    ).status == 422
    assert (await root.get(f"{path}/standing")).json["terms"] == "1"


@pytest.mark.parametrize(
    ("method", "what", "body", "status"),
    [
        ("PUT", "language", {"language": "fr"}, 422),
        ("PUT", "allowed", {"allowed": ["nonsense"]}, 422),
        ("POST", "terms", {"version": ""}, 400),
        ("POST", "terms", {"version": "1", "accepted_at": "yesterday"}, 400),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    root: Person, path: str, method: str, what: str, body: object, status: int
) -> None:
    before = (await root.get(f"{path}/standing")).json
    assert (await root.ask(method, f"{path}/{what}", body)).status == status
    assert (await root.get(f"{path}/standing")).json == before


async def test_an_account_that_is_not_there_is_not_found(root: Person) -> None:
    assert (await root.get("/accounts/acc-nobody/standing")).status == 404
    assert (await root.ask("PUT", "/accounts/acc-nobody/allowed", {"allowed": []})).status == 404
    assert (await root.ask("PUT", "/accounts/acc-nobody/language", {"language": None})).status == 404
    assert (await root.post("/accounts/acc-nobody/terms", {"version": "1"})).status == 404
