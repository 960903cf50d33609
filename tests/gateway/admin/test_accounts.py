"""`/accounts`: customers through the admin API, each change in the audit."""

import json
from typing import Any

import pytest

from gateway.auth.keys import Keyring
from gateway.domain.operator import Role
from gateway.store import tables_operators
from gateway.store.accounts import load_directory
from tests.support.admin import RING, Installation, Person
from tests.support.rows import all_rows


@pytest.fixture
async def root(here: Installation) -> Person:
    return await here.logged_in("root", Role.ADMIN)


@pytest.fixture
async def account(root: Person) -> str:
    return str((await root.post("/accounts", {"name": "Acme"})).json["account_id"])


def last_audit(here: Installation) -> tuple[str, Any, Any, str]:
    row = all_rows(here.store, tables_operators.audit)[-1]
    before, after = (json.loads(row[name]) if row[name] else None for name in ("before", "after"))
    return row["action"], before, after, row["reason"]


async def test_an_account_is_made_with_a_key_that_signs(here: Installation, root: Person) -> None:
    made = (await root.post("/accounts", {"name": " Acme ", "reason": "contract 12"})).json
    directory = here.store.read_now(lambda c: load_directory(c, RING))
    assert isinstance(RING, Keyring)
    assert directory.keys[made["public_key"]].private_key == made["private_key"]
    action, before, after, reason = last_audit(here)
    assert (action, before, reason) == ("account.create", None, "contract 12")
    assert (after["name"], after["public_key"]) == ("Acme", made["public_key"])
    assert made["private_key"] not in str(all_rows(here.store, tables_operators.audit))


async def test_credit_is_added_exactly(here: Installation, root: Person, account: str) -> None:
    first = await root.post(f"/accounts/{account}/credit", {"amount": "12.5", "note": "invoice 7"})
    assert (first.json["available"], first.json["currency"]) == ("12.50", "CNY")
    assert (await root.post(f"/accounts/{account}/credit", {"amount": "0.000001"})).json[
        "available"
    ] == "12.500001"
    action, before, after, _ = last_audit(here)
    assert action == "account.credit"
    assert (before["available"], after["available"], after["credited"]) == ("12.50", "12.500001", "0.000001")


async def test_credit_is_taken_back_once_and_never_more_than_there_is(
    here: Installation, root: Person, account: str
) -> None:
    await root.post(f"/accounts/{account}/credit", {"amount": "12.5"})
    path, body = f"/accounts/{account}/debit", {"amount": "10", "reason": "invoice 7 cancelled"}
    taken = await root.post(path, body)
    assert (taken.status, taken.json["available"]) == (200, "2.50")
    action, before, after, reason = last_audit(here)
    assert (action, reason) == ("account.debit", "invoice 7 cancelled")
    assert (before, after) == ({"available": "12.50"}, {"available": "2.50", "debited": "10.00"})
    refused = await root.post(path, body)
    assert (refused.status, "can spend 2.50" in refused.json["detail"]) == (409, True)
    assert (await root.post(path, {"amount": "1", "reason": " "})).status == 400
    assert (await root.post(path, {"amount": "-1", "reason": "x"})).status == 422
    assert (await root.get(f"/accounts/{account}")).json["available"] == "2.50"


@pytest.mark.parametrize("amount", ["0", "-5", "1e3", "ten", "0.0000001", "99999999999999", "", "5 000", "٥"])
async def test_an_amount_that_is_none_changes_nothing(
    here: Installation, root: Person, account: str, amount: str
) -> None:
    before = len(all_rows(here.store, tables_operators.audit))
    assert (await root.post(f"/accounts/{account}/credit", {"amount": amount})).status == 422
    assert (await root.get(f"/accounts/{account}")).json["available"] == "0.00"
    assert len(all_rows(here.store, tables_operators.audit)) == before


async def test_a_callback_is_set_and_taken_away(here: Installation, root: Person, account: str) -> None:
    path, url = f"/accounts/{account}/callback", "https://acme.example/sms"
    assert (await root.ask("PUT", path, {"url": url})).json["callback_url"] == url
    assert last_audit(here)[:3] == ("account.callback", {"callback_url": None}, {"callback_url": url})
    assert (await root.ask("PUT", path, {"url": "ftp://acme.example"})).status == 422
    assert (await root.ask("PUT", path, {"url": None})).json["callback_url"] is None
    assert last_audit(here)[:3] == ("account.callback", {"callback_url": url}, {"callback_url": None})


async def test_an_account_is_restricted_and_restored_with_a_reason(
    here: Installation, root: Person, account: str
) -> None:
    path = f"/accounts/{account}"
    restricted = await root.post(f"{path}/restrict", {"reason": "unpaid"})
    assert (restricted.json["state"], restricted.json["state_reason"]) == ("restricted", "unpaid")
    action, _, after, reason = last_audit(here)
    assert (action, after["state"], reason) == ("account.restrict", "restricted", "unpaid")
    assert (await root.post(f"{path}/restrict", {"reason": "again"})).status == 409
    assert (await root.post(f"{path}/restrict", {})).status == 400
    assert (await root.post(f"{path}/restore", {"reason": "paid"})).json["state"] == "active"
    assert last_audit(here)[0] == "account.restore"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "/credit", {"amount": "5"}),
        ("PUT", "/callback", {"url": None}),
        ("POST", "/restrict", {"reason": "x"}),
        ("POST", "/restore", {"reason": "x"}),
    ],
)
async def test_an_account_that_is_not_there_is_not_found(
    root: Person, method: str, path: str, body: object
) -> None:
    answer = await root.ask(method, f"/accounts/acc-nobody{path}", body)
    assert (answer.status, answer.problem) == (404, "not-found")


async def test_accounts_are_listed_oldest_first_a_page_at_a_time(here: Installation, root: Person) -> None:
    made = []
    for number in range(5):
        made.append((await root.post("/accounts", {"name": f"Acme {number}"})).json["account_id"])
        here.clock.pass_(number // 3)  # some at the same moment
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await root.get(f"/accounts?limit=2&cursor={cursor}")).json
        seen += [one["id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert len(seen) == 5
    assert set(seen) == set(made)
