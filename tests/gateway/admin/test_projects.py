"""`/projects` through the admin API."""

import pytest

from gateway.domain.operator import Role
from gateway.store import tables_operators
from tests.support.admin import Installation, Person
from tests.support.rows import all_rows


@pytest.fixture
async def root(here: Installation) -> Person:
    return await here.logged_in("root", Role.ADMIN)


async def test_projects_are_made_renamed_and_one_is_the_default(here: Installation, root: Person) -> None:
    account = (await root.post("/accounts", {"name": "Acme"})).json["account_id"]
    here.clock.pass_(1)
    made = (await root.post(f"/accounts/{account}/projects", {"name": "Shop"})).json["project_id"]
    assert (await root.post(f"/projects/{made}/rename", {"name": "Shop 2", "reason": "new"})).status == 200
    assert (await root.post(f"/projects/{made}/default")).status == 200
    listed = (await root.get(f"/accounts/{account}/projects")).json["items"]
    assert [(one["name"], one["is_default"]) for one in listed] == [("Default", False), ("Shop 2", True)]
    actions = [row["action"] for row in all_rows(here.store, tables_operators.audit)]
    assert actions[-3:] == ["project.create", "project.rename", "project.default"]


async def test_what_contradicts_or_is_not_there_is_refused(root: Person) -> None:
    account = (await root.post("/accounts", {"name": "Acme"})).json["account_id"]
    assert (await root.post(f"/accounts/{account}/projects", {"name": "Default"})).status == 409
    assert (await root.get("/accounts/acc-nobody/projects")).status == 404
    assert (await root.post("/projects/org-nobody/default")).status == 404
