"""The OpenAPI document: valid, whole, and what the endpoints really do."""

import json

import jsonschema
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from gateway.admin.openapi import document
from gateway.admin.routes import ROUTES
from gateway.domain.operator import Role
from tests.support.admin import Installation

DOCUMENT = document(ROUTES)


def test_it_is_valid_openapi() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_every_endpoint_is_in_it_with_its_permission() -> None:
    listed = {
        (method.upper(), path, operation.get("x-permission"))
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    assert listed == {(route.method, route.path, route.permission) for route in ROUTES}


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            assert operation["summary"].endswith(".")
            assert "default" in operation["responses"]


def test_a_change_by_session_needs_the_csrf_header_and_a_token_does_not() -> None:
    change = DOCUMENT["paths"]["/accounts"]["post"]["security"]
    assert change == [{"token": []}, {"session": [], "csrf": []}]
    assert DOCUMENT["paths"]["/accounts"]["get"]["security"] == [{"token": []}, {"session": []}]
    assert DOCUMENT["paths"]["/login"]["post"]["security"] == []


def test_query_models_are_parameters_and_no_schemas() -> None:
    parameters = DOCUMENT["paths"]["/audit"]["get"]["parameters"]
    assert {one["name"] for one in parameters} >= {"limit", "cursor", "actor", "since"}
    assert "AuditFilter" not in DOCUMENT["components"]["schemas"]


async def test_it_is_served_to_whoever_is_known(here: Installation) -> None:
    alice = await here.logged_in("alice")
    answer = await alice.get("/openapi.json")
    assert answer.json == json.loads(json.dumps(DOCUMENT))
    assert (await here.person().get("/openapi.json")).status == 401


async def test_what_is_answered_is_what_it_says(here: Installation) -> None:
    root = await here.logged_in("root", Role.ADMIN)
    account = (await root.post("/accounts", {"name": "Acme"})).json["account_id"]
    await root.post(f"/accounts/{account}/credit", {"amount": "5"})
    here.channels = {"sim-1": CHANNEL}
    for template in (
        "/me", "/operators", "/operators/root", "/tokens", "/accounts", f"/accounts/{account}",
        f"/accounts/{account}/projects", "/audit", "/status", "/channels",
    ):  # fmt: skip
        answer = await root.get(template)
        assert answer.status == 200, template
        pattern = template.replace(account, "{account_id}").replace("/operators/root", "/operators/{name}")
        content = DOCUMENT["paths"][pattern]["get"]["responses"]["200"]["content"]["application/json"]
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json)


CHANNEL = {
    "up": True, "links": [], "queued": 0, "in_flight": 1, "window": 10, "rate": 0.0, "paused_for": 0.0,
    "counters": {"sent": 3},
}  # fmt: skip
