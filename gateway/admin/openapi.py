"""The OpenAPI 3.1 document, made of the route table and the models in it; nothing is described twice."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.admin.route import Route
from gateway.admin.schema import Answer, FileAnswer
from gateway.version import VERSION
from gateway.web.problem import CONTENT_TYPE

_REF = "#/components/schemas/{model}"

Json = dict[str, Any]


class Document(Answer):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Mistake(BaseModel):
    """One thing wrong in a request."""

    where: str
    what: str


class Problem(BaseModel):
    """Why a request was not carried out (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[Mistake] | None = None


def document(routes: Sequence[Route]) -> Json:
    """Return the description of `routes`."""
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Problem, "serialization")]
    for route in routes:
        wanted += [(model, "validation") for model in (route.body, route.query) if model is not None]
        if route.answer is not None and not issubclass(route.answer, FileAnswer):
            wanted.append((route.answer, "serialization"))
    refs, schemas = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REF)
    defined = schemas["$defs"]
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs, defined)
    queries = {refs[route.query, "validation"]["$ref"].rpartition("/")[2] for route in routes if route.query}
    return {
        "openapi": "3.1.0",
        "info": {"title": "SCloud SMS admin API", "version": VERSION, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/admin/v1"}],
        "tags": [{"name": name} for name in dict.fromkeys(route.resource for route in routes)],
        "paths": paths,
        "components": {
            "securitySchemes": SECURITY,
            "schemas": {name: schema for name, schema in defined.items() if name not in queries},
        },
    }


SECURITY: Json = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {"type": "apiKey", "in": "cookie", "name": "scloud_session"},
    "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
}


def _operation(route: Route, refs: Mapping[Any, Json], defined: Mapping[str, Json]) -> Json:
    made: Json = {
        "operationId": getattr(route.handler, "__name__", route.path),
        "summary": route.summary,
        "tags": [route.resource],
        "parameters": [*_path_parameters(route), *_query_parameters(route, refs, defined)],
        "responses": _responses(route, refs),
    }
    if route.description:
        made["description"] = " ".join(route.description.split())
    if route.changes:
        made["parameters"].append(_IDEMPOTENCY)
    if route.body is not None:
        schema = refs[route.body, "validation"]
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    made["security"] = _security(route)
    if route.permission is not None:
        made["x-permission"] = route.permission.value
    return made


_IDEMPOTENCY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A second request of one operator with the same key is refused with 409, nothing changed.",
    "schema": {"type": "string", "maxLength": 128},
}


def _path_parameters(route: Route) -> Iterable[Json]:
    for name in route.path_names:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 128}}


def _query_parameters(route: Route, refs: Mapping[Any, Json], defined: Mapping[str, Json]) -> Iterable[Json]:
    if route.query is None:
        return
    schema = defined[refs[route.query, "validation"]["$ref"].rpartition("/")[2]]
    for name, field in schema["properties"].items():
        made = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": field}
        if "description" in field:
            made["description"] = field["description"]
        yield made


def _responses(route: Route, refs: Mapping[Any, Json]) -> Json:
    problem = {"content": {CONTENT_TYPE: {"schema": refs[Problem, "serialization"]}}}
    if route.answer is None:
        good: Json = {"204": {"description": "Done."}}
    elif issubclass(route.answer, FileAnswer):
        good = {"200": {"description": "The file.", "content": {"application/octet-stream": {}}}}
    else:
        schema = refs[route.answer, "serialization"]
        good = {
            str(route.status): {"description": "Done.", "content": {"application/json": {"schema": schema}}}
        }
    return {**good, "default": {"description": "Not done, and why.", **problem}}


def _security(route: Route) -> list[Json]:
    if route.permission is None:
        return []
    session: Json = {"session": [], "csrf": []} if route.changes else {"session": []}
    return [{"token": []}, session]
