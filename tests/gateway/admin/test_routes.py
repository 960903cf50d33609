"""The route table as a whole: every endpoint demands a permission, and gives in to no other."""

import re
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.admin.routes import ROUTES
from gateway.admin.schema import cursor_of
from gateway.domain.inbound import Forwarding, Ownership
from gateway.domain.message import Purpose
from gateway.domain.operator import SYSTEM, Permission, Role
from gateway.domain.review import Kind
from gateway.store import applications, reviews, tables_operators
from gateway.store.applications import TemplateForm
from gateway.store.audit import By
from gateway.store.inbound import Finished, finish
from tests.support.admin import PASSWORD, Installation, Person
from tests.support.review import CHECKS
from tests.support.rows import all_rows, mo_message, row_count

NOBODYS: dict[str, Any] = {
    "account_id": None, "project_id": None, "ownership": Ownership.NOBODY, "forwarding": Forwarding.NONE,
}  # fmt: skip
PUBLIC = {("POST", "/login")}
EVERY = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES]


def test_every_endpoint_but_the_log_in_demands_a_permission() -> None:
    assert {(route.method, route.path) for route in ROUTES if route.permission is None} == PUBLIC


def test_what_changes_something_demands_more_than_reading() -> None:
    reads = {permission for permission in Permission if permission.endswith(":read")}
    wrong = [(route.method, route.path) for route in ROUTES if route.changes and route.permission in reads]
    assert wrong == []


def test_no_endpoint_is_there_twice_and_every_handler_once() -> None:
    places = [(route.method, route.path) for route in ROUTES]
    assert len(places) == len(set(places))
    names = [route.handler.__name__ for route in ROUTES]
    assert len(names) == len(set(names)), "a handler's name is its operationId"


def test_before_the_password_is_changed_there_is_only_what_that_takes() -> None:
    assert {route.path for route in ROUTES if route.before_change} == {"/me", "/password", "/logout"}


@pytest.mark.parametrize("route", EVERY)
async def test_each_role_gets_to_what_it_may_and_to_nothing_else(here: Installation, route) -> None:
    """A role that may is refused for the request's form or its subject at most, never with 403."""
    path = route.path
    for name in route.path_names:
        path = path.replace(f"{{{name}}}", "nothing")
    for role in Role:
        person: Person = await here.logged_in(f"the-{role}", role)
        answer = await person.ask(route.method, path, json=None)
        may = route.permission is None or role.may(route.permission)
        wanting = (answer.status, answer.json)
        assert (answer.status in (401, 403)) is not may, (role, wanting)
        assert answer.status < 500, (role, wanting)


@pytest.mark.parametrize("route", [param for param in EVERY if param.values[0].permission is not None])
async def test_nobody_gets_to_anything(here: Installation, route) -> None:
    path = route.path.replace("{", "").replace("}", "")
    assert (await here.person().ask(route.method, path)).status == 401


@pytest.mark.parametrize("route", [param for param in EVERY if param.values[0].changes])
async def test_every_change_by_session_takes_the_csrf_token(here: Installation, route) -> None:
    if route.permission is None:
        pytest.skip("nobody has a session yet when they log in")
    root = await here.logged_in("root", Role.ADMIN)
    root.csrf = ""
    before = row_count(here.store, tables_operators.audit)
    path = route.path.replace("{", "").replace("}", "")
    answer = await root.ask(route.method, path)
    assert (answer.status, answer.problem) == (403, "csrf")
    assert row_count(here.store, tables_operators.audit) == before


@pytest.mark.parametrize("route", [param for param in EVERY if param.values[0].body is not None])
async def test_every_body_is_checked(here: Installation, route) -> None:
    root = await here.logged_in("root", Role.ADMIN)
    path = route.path.replace("{", "").replace("}", "")
    unknown = await root.ask(route.method, path, {"no_such_field": 1})
    assert (unknown.status, unknown.problem) == (400, "bad-request")
    assert {"where": "body.no_such_field", "what": "Extra inputs are not permitted"} in unknown.json["errors"]
    for body in (b"", b"{", b"[]", b'"x"', b"null", b'{"a":' * 5000, b"\xff"):
        answer = await root.ask(route.method, path, data=body, headers={"Content-Type": "application/json"})
        assert (answer.status, answer.problem) == (400, "bad-request"), body[:20]
    plain = await root.ask(route.method, path, data=b"{}", headers={"Content-Type": "text/plain"})
    assert (plain.status, plain.problem) == (415, "media-type")
    long = await root.ask(
        route.method, path, data=b" " * (route.max_body + 1), headers={"Content-Type": "application/json"}
    )
    assert (long.status, long.problem) == (413, "too-large")


@pytest.mark.parametrize("route", EVERY)
async def test_every_unknown_parameter_is_refused(here: Installation, route) -> None:
    if route.permission is None:
        pytest.skip("the log-in is tested by its own")
    root = await here.logged_in("root", Role.ADMIN)
    path = route.path.replace("{", "").replace("}", "")
    answer = await root.ask(route.method, f"{path}?no_such=1", json=None)
    assert (answer.status, answer.problem) == (400, "bad-request")
    assert answer.json["errors"][0]["where"] == "query.no_such"


@pytest.mark.parametrize("route", [param for param in EVERY if not param.values[0].changes])
async def test_no_made_up_cursor_or_id_is_a_fault_of_ours(here: Installation, route) -> None:
    """Nothing that a client can write into a path or a cursor breaks the store's types."""
    root = await here.logged_in("root", Role.ADMIN)
    for part in ("9" * 19, "9" * 100, "0", "-1", "%27", "%F0%9F%98%80", "٣"):
        path = route.path
        for name in route.path_names:
            path = path.replace(f"{{{name}}}", part)
        positions = (2**63, 2**64 - 1, -(2**63), 0, "", "a\0b")
        cursors = ["", *(cursor_of(*one) for n in (1, 2, 3) for one in product(positions, repeat=n))]
        for cursor in cursors if route.query is not None and "cursor" in route.query.model_fields else [""]:
            answer = await root.get(f"{path}?cursor={cursor}" if cursor else path)
            assert answer.status < 500, (path, cursor, answer.json)
        if not route.path_names:
            break


# in this order: method, path, body, what the audit calls it; names in capitals are filled in on the way
STORY: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("POST", "/accounts", {"name": "Acme"}, "account.create"),
    ("POST", "/accounts/ACCOUNT/credit", {"amount": "5"}, "account.credit"),
    ("POST", "/accounts/ACCOUNT/debit", {"amount": "1", "reason": "too much"}, "account.debit"),
    ("PUT", "/accounts/ACCOUNT/callback", {"url": "https://acme.example/sms"}, "account.callback"),
    ("PUT", "/accounts/ACCOUNT/pull-reports", {"pull_reports": True}, "account.pull_reports"),
    ("POST", "/accounts/ACCOUNT/restrict", {"reason": "complaints"}, "account.restrict"),
    ("POST", "/accounts/ACCOUNT/restore", {"reason": "settled"}, "account.restore"),
    ("PUT", "/accounts/ACCOUNT/allowed", {"allowed": ["192.0.2.1"]}, "account.allow"),
    ("PUT", "/accounts/ACCOUNT/language", {"language": "zh"}, "account.language"),
    ("POST", "/accounts/ACCOUNT/terms", {"version": "2"}, "account.terms"),
    ("POST", "/accounts/ACCOUNT/projects", {"name": "Shop"}, "project.create"),
    ("POST", "/projects/PROJECT/rename", {"name": "Store"}, "project.rename"),
    ("POST", "/projects/PROJECT/default", {}, "project.default"),
    ("POST", "/accounts/ACCOUNT/keys", {}, "key.create"),
    ("POST", "/keys/KEY/disable", {}, "key.disable"),
    ("POST", "/keys/KEY/enable", {}, "key.enable"),
    ("PUT", "/keys/KEY/allowed", {"allowed": ["::1"]}, "key.allow"),
    ("POST", "/keys/KEY/rotate", {}, "key.rotate"),
    ("POST", "/inbound/1/assign", {"account_id": "ACCOUNT"}, "inbound.assign"),
    ("POST", "/numbers", {"account_id": "ACCOUNT", "number": "10690001"}, "number.add"),
    ("POST", "/numbers/NUMBER/remove", {}, "number.remove"),
    ("POST", "/review/ITEM/reject", {"version": 1, "reason": "say more"}, "template.reject"),
    ("POST", "/review/ITEM/approve", {"version": 1, "reason": "said enough"}, "template.approve"),
    ("POST", "/review/ITEM/disable", {"version": 1, "reason": "complaints"}, "template.disable"),
    ("POST", "/operators", {"name": "olga", "role": "viewer"}, "operator.create"),
    ("POST", "/operators/olga/role", {"role": "operator"}, "operator.role"),
    ("POST", "/operators/olga/disable", {}, "operator.disable"),
    ("POST", "/operators/olga/enable", {}, "operator.enable"),
    ("POST", "/operators/olga/password", {}, "operator.password"),
    ("POST", "/tokens", {"label": "ci", "role": "viewer"}, "token.create"),
    ("DELETE", "/tokens/TOKEN", {}, "token.revoke"),
    ("POST", "/password", {"current": PASSWORD, "new": "a horse of another colour"}, "operator.password"),
    ("POST", "/logout", {}, "session.logout"),
    ("POST", "/login", {"name": "root", "password": "a horse of another colour"}, "session.login"),
)


async def test_every_change_leaves_a_line_in_the_audit(here: Installation) -> None:
    root = await here.logged_in("root", Role.ADMIN)
    kept = [Finished(mo_message(1, **NOBODYS), [], [], None)]
    here.store.transaction(lambda c: finish(c, kept, [], {}.get))
    known: dict[str, str] = {}
    made: set[tuple[str, str]] = set()
    for method, place, body, action in STORY:
        path = "/".join(known.get(part, part) for part in place.split("/"))
        filled = {
            name: known.get(value, value) if isinstance(value, str) else value for name, value in body.items()
        }
        before = row_count(here.store, tables_operators.audit)
        answer = await root.ask(method, path, filled if method != "DELETE" else None)
        assert answer.status in (200, 201, 204), (path, answer)
        lines = all_rows(here.store, tables_operators.audit)[before:]
        assert [(line["actor"], line["action"]) for line in lines] == [("root", action)], path
        assert lines[0]["reason"] == filled.get("reason", lines[0]["reason"]), path
        made.add((method, _template_of(method, path)))
        _learn(here, known, place, answer.json)
        root.csrf = (answer.json or {}).get("csrf_token", root.csrf)
    assert made == {(route.method, route.path) for route in ROUTES if route.changes}


def _template_of(method: str, path: str) -> str:
    """Return the path of the route that `path` is one of."""
    for route in ROUTES:
        if route.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path), path):
            return route.path
    raise AssertionError(path)


def _learn(here: Installation, known: dict[str, str], place: str, answer: Any) -> None:
    """Keep what later requests name."""
    if place == "/accounts":
        known |= {"ACCOUNT": answer["account_id"], "KEY": answer["public_key"]}
        by = By(SYSTEM, here.clock.now_ms())
        form = TemplateForm(purpose=Purpose.NOTIFICATION, text="Order {1} has left.")

        def hand_in(connection: Connection) -> str:
            return applications.create_template(
                connection, applications.owner_of(connection, answer["account_id"]), form, by
            )

        known["ITEM"] = here.store.transaction(hand_in)
        here.store.transaction(lambda c: reviews.check(c, CHECKS, Kind.TEMPLATE, known["ITEM"], by.now_ms))
    elif place.endswith("/projects"):
        known["PROJECT"] = answer["project_id"]
    elif place == "/numbers":
        known["NUMBER"] = str(answer["id"])
    elif place == "/tokens":
        known["TOKEN"] = answer["details"]["id"]
