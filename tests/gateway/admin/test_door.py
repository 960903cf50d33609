"""The way of every request: what is asked for, how mistakes are told, what is done once."""

import asyncio

import pytest
import structlog
from aiohttp import ClientSession

from gateway.domain.operator import Role
from gateway.errors import StoreUnavailable
from gateway.store import accounts
from tests.support.admin import Installation


async def test_health_and_metrics_stay_open_beside_it(here: Installation) -> None:
    async with ClientSession(here.base) as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await http.get(path)).status == 200
        assert "scloud_admin_logins_total" in await (await http.get("/metrics")).text()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("PATCH", "/accounts", 405)]
)
async def test_what_is_not_there_is_told_in_the_same_form(
    here: Installation, method: str, path: str, status: int
) -> None:
    answer = await here.person().ask(method, path)
    assert answer.status == status
    assert answer.problem in ("not-found", "method-not-allowed")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_all_mistakes_of_a_body_are_told_at_once_and_no_value_is_repeated(here: Installation) -> None:
    answer = await here.person().post("/login", {"password": 12345678, "nmae": "hunter2"})
    assert {one["where"] for one in answer.json["errors"]} == {"body.name", "body.password", "body.nmae"}
    assert "hunter2" not in str(answer.json)
    assert "12345678" not in str(answer.json)


@pytest.mark.parametrize(
    "body", [{"name": 5}, {"name": None}, {"name": ["Acme"]}, {"name": True}, {"name": ""}]
)
async def test_nothing_is_converted(here: Installation, body: object) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)
    assert (await alice.post("/accounts", body)).status == 400
    assert (await alice.get("/accounts")).json["items"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=5&limit=6", "cursor=%00", "cursor=W10"]
)
async def test_a_query_is_checked_too(here: Installation, query: str) -> None:
    alice = await here.logged_in("alice")
    answer = await alice.get(f"/accounts?{query}")
    assert (answer.status, answer.problem) == (400, "bad-request")


@pytest.mark.parametrize(
    "part", ["%00", "a%0Ab", "x" * 129, "..%2F..%2Fetc", "%F0%9F%98%80", "'; DROP TABLE accounts"]
)
async def test_a_path_that_names_nothing_is_not_found(here: Installation, part: str) -> None:
    alice = await here.logged_in("alice")
    assert (await alice.get(f"/accounts/{part}")).status == 404


async def test_a_request_with_a_key_is_carried_out_once(here: Installation) -> None:
    root = await here.logged_in("root", Role.ADMIN)
    account = (await root.post("/accounts", {"name": "Acme"})).json["account_id"]
    credit = f"/accounts/{account}/credit"
    key = {"Idempotency-Key": "invoice-7"}
    answers = await asyncio.gather(*(root.post(credit, {"amount": "5"}, headers=key) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert (await root.get(f"/accounts/{account}")).json["available"] == "5.00"
    again = await root.post(credit, {"amount": "5"}, headers={"Idempotency-Key": "invoice-8"})
    assert again.json["available"] == "10.00"


async def test_a_key_is_not_used_up_by_a_request_that_was_refused(here: Installation) -> None:
    root = await here.logged_in("root", Role.ADMIN)
    key = {"Idempotency-Key": "k"}
    assert (await root.post("/accounts/acc-none/credit", {"amount": "5"}, headers=key)).status == 404
    assert (await root.post("/accounts", {"name": "Acme"}, headers=key)).status == 201
    assert (
        await root.post("/accounts", {"name": "Acme"}, headers={"Idempotency-Key": "k" * 129})
    ).status == 400


async def test_a_store_that_cannot_is_told_without_its_words(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await here.logged_in("alice")

    def gone(*_: object) -> None:
        raise StoreUnavailable("disk I/O error in /secret/path")

    monkeypatch.setattr(accounts, "page_accounts", gone)
    answer = await alice.get("/accounts")
    assert (answer.status, answer.problem) == (503, "store")
    assert "Retry-After" in answer.headers
    assert "secret" not in str(answer.json)


async def test_a_fault_of_ours_is_logged_and_told_as_one(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await here.logged_in("alice")
    monkeypatch.setattr(accounts, "page_accounts", lambda *_: 1 / 0)
    with structlog.testing.capture_logs() as lines:
        answer = await alice.get("/accounts")
    assert (answer.status, answer.problem) == (500, "internal")
    assert [line["event"] for line in lines] == ["admin request failed"]


async def test_requests_are_counted_by_endpoint_not_by_what_is_in_the_path(here: Installation) -> None:
    alice = await here.logged_in("alice")
    for account in ("acc-1", "acc-2"):
        await alice.get(f"/accounts/{account}")
    labels = {"method": "GET", "path": "/accounts/{account_id}", "status": "404"}
    assert here.metric("scloud_admin_requests_total", **labels) == 2
