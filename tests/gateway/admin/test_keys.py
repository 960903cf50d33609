"""`/keys` through the admin API: shown once, replaced, switched off, bound to addresses."""

import pytest

from gateway.domain.operator import Role
from gateway.store import tables_operators
from gateway.store.accounts import load_directory
from gateway.store.key_uses import keep_uses
from tests.support.admin import RING, Installation, Person
from tests.support.rows import all_rows


@pytest.fixture
async def root(here: Installation) -> Person:
    return await here.logged_in("root", Role.ADMIN)


@pytest.fixture
async def account(root: Person) -> dict[str, str]:
    made: dict[str, str] = (await root.post("/accounts", {"name": "Acme"})).json
    return made


def usable(here: Installation, public_key: str) -> bool:
    directory = here.store.read_now(lambda c: load_directory(c, RING))
    return directory.keys[public_key].usable(here.clock.now_ms())


async def test_a_key_is_made_and_its_private_half_shown_once(
    here: Installation, root: Person, account: dict[str, str]
) -> None:
    path = f"/accounts/{account['account_id']}/keys"
    here.clock.pass_(1)
    made = await root.post(path, {"name": " web ", "reason": "second server"})
    assert made.status == 201
    directory = here.store.read_now(lambda c: load_directory(c, RING))
    assert directory.keys[made.json["public_key"]].private_key == made.json["private_key"]
    here.store.transaction(lambda c: keep_uses(c, [(account["public_key"], here.clock.now_ms(), "::1")]))
    listed = await root.get(path)
    assert made.json["private_key"] not in str(listed.json)
    first, second = listed.json["items"]
    assert (first["public_key"], first["used_from"], first["state"]) == (
        account["public_key"],
        "::1",
        "active",
    )
    assert (second["name"], second["used_at"], second["allowed"]) == ("web", None, [])
    written = all_rows(here.store, tables_operators.audit)
    assert (written[-1]["action"], written[-1]["actor"]) == ("key.create", "root")
    assert made.json["private_key"] not in str(written)


async def test_a_key_is_replaced_at_once_or_with_an_overlap(
    here: Installation, root: Person, account: dict[str, str]
) -> None:
    first = account["public_key"]
    second = (await root.post(f"/keys/{first}/rotate", {"reason": "leak"})).json["public_key"]
    assert (usable(here, first), usable(here, second)) == (False, True)
    third = (await root.post(f"/keys/{second}/rotate", {"overlap": 60})).json["public_key"]
    assert (usable(here, second), usable(here, third)) == (True, True)
    here.clock.pass_(60)
    assert (usable(here, second), usable(here, third)) == (False, True)
    assert (await root.post(f"/keys/{first}/enable")).status == 409
    assert (await root.post(f"/keys/{third}/rotate", {"overlap": 999_999})).status == 422
    assert (await root.post(f"/keys/{third}/rotate", {"overlap": "60"})).status == 400


async def test_who_is_told_that_a_key_is_off_can_rely_on_it(
    here: Installation, root: Person, account: dict[str, str]
) -> None:
    """The change is in the memory of who answers customers before it is answered."""
    key, before = account["public_key"], here.taken_over
    await root.post(f"/keys/{key}/disable", {"reason": "leak"})
    assert here.taken_over == before + 1
    await root.post("/keys/nobody/disable")
    assert here.taken_over == before + 1


async def test_a_key_is_switched_off_and_on(
    here: Installation, root: Person, account: dict[str, str]
) -> None:
    key = account["public_key"]
    assert (await root.post(f"/keys/{key}/disable", {"reason": "leak"})).json["state"] == "disabled"
    assert not usable(here, key)
    assert (await root.post(f"/keys/{key}/enable")).json["state"] == "active"
    assert usable(here, key)


async def test_a_key_is_bound_to_addresses(here: Installation, root: Person, account: dict[str, str]) -> None:
    path = f"/keys/{account['public_key']}/allowed"
    answer = await root.ask("PUT", path, {"allowed": ["192.0.2.7", "2001:DB8::/32"]})
    assert answer.json == {"allowed": ["192.0.2.7/32", "2001:db8::/32"]}
    assert (await root.ask("PUT", path, {"allowed": ["192.0.2.7/24"]})).status == 422
    assert (await root.ask("PUT", path, {})).status == 400
    (listed,) = (await root.get(f"/accounts/{account['account_id']}/keys")).json["items"]
    assert listed["allowed"] == ["192.0.2.7/32", "2001:db8::/32"]
    assert (await root.ask("PUT", path, {"allowed": []})).json == {"allowed": []}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/accounts/acc-nobody/keys", None),
        ("POST", "/accounts/acc-nobody/keys", {}),
        ("POST", "/keys/nobody/rotate", {}),
        ("POST", "/keys/nobody/disable", {}),
        ("POST", "/keys/nobody/enable", {}),
        ("PUT", "/keys/nobody/allowed", {"allowed": []}),
    ],
)
async def test_what_is_not_there_is_not_found(root: Person, method: str, path: str, body: object) -> None:
    assert (await root.ask(method, path, body)).status == 404
