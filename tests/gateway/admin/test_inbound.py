"""`/inbound` and `/numbers` through the admin API."""

import pytest

from gateway.domain.inbound import Forwarding, Ownership
from gateway.domain.operator import Role
from gateway.store.inbound import Finished, finish
from tests.support.admin import Installation, Person
from tests.support.rows import mo_message

NOBODYS = {
    "account_id": None, "project_id": None, "ownership": Ownership.NOBODY, "forwarding": Forwarding.NONE,
}  # fmt: skip


@pytest.fixture
async def root(here: Installation) -> Person:
    return await here.logged_in("root", Role.ADMIN)


@pytest.fixture
async def account(here: Installation, root: Person) -> str:
    """An account, beside three messages of nobody's."""
    made: str = (await root.post("/accounts", {"name": "Acme"})).json["account_id"]
    kept = [Finished(mo_message(n, **NOBODYS, text="secret"), [], [], None) for n in (1, 2, 3)]
    here.store.transaction(lambda c: finish(c, kept, [], {}.get))
    return made


async def test_messages_are_listed_page_by_page(root: Person, account: str) -> None:
    first = (await root.get("/inbound?unowned=true&limit=2")).json
    assert [one["id"] for one in first["items"]] == [3, 2]
    rest = (await root.get(f"/inbound?unowned=true&limit=2&cursor={first['next']}")).json
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([1], None)
    assert (await root.get("/inbound?source=%2B60123456789&limit=1")).json["items"][0]["id"] == 3
    assert (await root.get(f"/inbound?account_id={account}")).json["items"] == []


async def test_who_may_not_see_numbers_sees_them_masked_and_no_texts(
    here: Installation, root: Person, account: str
) -> None:
    viewer = await here.logged_in("vera", Role.VIEWER)
    shown = await viewer.get("/inbound/1")
    assert (shown.json["source"], shown.json["text"]) == ("601******89", None)
    assert (await viewer.get("/inbound/1?text=true")).status == 403
    whole = (await root.get("/inbound/1?text=true")).json
    assert (whole["source"], whole["text"]) == ("60123456789", "secret")
    assert (await root.get("/inbound/9")).status == 404
    assert (await root.get("/inbound/x")).status == 404


async def test_an_unowned_message_is_given_away_once(here: Installation, root: Person, account: str) -> None:
    given = await root.post("/inbound/1/assign", {"account_id": account, "reason": "theirs"})
    assert (given.status, given.json["ownership"], given.json["forwarding"]) == (200, "assigned", "due")
    assert (await root.post("/inbound/1/assign", {"account_id": account})).status == 409
    assert (await root.post("/inbound/2/assign", {"account_id": "acc-none"})).status == 404
    viewer = await here.logged_in("vera", Role.VIEWER)
    assert (await viewer.post("/inbound/2/assign", {"account_id": account})).status == 403


async def test_a_number_is_owned_by_channels_of_the_network_only(
    here: Installation, root: Person, account: str
) -> None:
    here.channels = {"sim-1": {}}
    body = {"account_id": account, "number": "*", "channel": "nope"}
    refused = await root.post("/numbers", body)
    assert refused.status == 422
    assert "there are: sim-1" in refused.json["detail"]
    assert (await root.post("/numbers", body | {"channel": "sim-1"})).status == 201


async def test_numbers_are_given_listed_and_taken(root: Person, account: str) -> None:
    made = await root.post("/numbers", {"account_id": account, "number": "+1069", "extend": "88"})
    assert (made.status, made.json["number"], made.json["channel"]) == (201, "1069", "*")
    assert (
        await root.post("/numbers", {"account_id": account, "number": "1069", "extend": "88"})
    ).status == 409
    assert (await root.get(f"/numbers?account_id={account}")).json["items"] == [made.json]
    assert (await root.post(f"/numbers/{made.json['id']}/remove")).status == 200
    assert (await root.get("/numbers")).json["items"] == []
