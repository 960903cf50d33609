"""The admin API on its listener: every request takes one way, through access, checks, handler and answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import web
from multidict import MultiMapping
from pydantic import ValidationError

from gateway.admin import access, problem
from gateway.admin.call import SERVICES, Call, Principal, Services
from gateway.admin.problem import unreadable
from gateway.admin.route import Route
from gateway.admin.routes import ROUTES
from gateway.admin.schema import Answer, Body, FileAnswer, Query
from gateway.domain.operator import Actor, ActorKind, Role
from gateway.errors import GatewayError, Overloaded
from gateway.web.body import BodyError, BodyRefused, BodyTimeout, BodyTooLarge, Held, Room
from gateway.web.files import file_response
from gateway.web.problem import HEADERS, Mistake, Problem, in_our_form

log = structlog.get_logger(__name__)

PREFIX = "/admin/v1"
KEY_HEADER = "Idempotency-Key"
NO_FORM = "the query does not have the form this endpoint takes"
ROOM = 8 * 1024 * 1024  # bytes of bodies held at once
LONGEST_PATH_PART, LONGEST_KEY = 128, 128
NOBODY = Principal(Actor("", ActorKind.OPERATOR, Role.VIEWER))  # asks where nobody need be known: the log-in

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


def mount(app: web.Application, services: Services) -> None:
    """Add the admin API to the application of the admin listener."""
    api = web.Application(middlewares=[in_our_form])
    api[SERVICES] = services
    room = Room(ROOM, max(route.max_body for route in ROUTES))
    for route in ROUTES:
        api.router.add_route(route.method, route.path, _endpoint(route, services, room))
    app.add_subapp(PREFIX, api)


def _endpoint(route: Route, services: Services, room: Room) -> Endpoint:
    async def endpoint(request: web.Request) -> web.StreamResponse:
        try:
            response = await _answer(request, route, services, room)
        except Problem as found:
            response = found.response()
        except GatewayError as error:
            response = problem.of(error).response()
        except Exception:
            log.exception("admin request failed", method=route.method, path=route.path)
            response = Problem(500, "internal", "Internal error").response()
        services.metrics.requests.add(1, route.method, route.path, str(response.status))
        return response

    return endpoint


async def _answer(request: web.Request, route: Route, services: Services, room: Room) -> web.StreamResponse:
    address = services.client.of(request.remote or "", request.headers.getall("X-Forwarded-For", ()))
    if route.permission is None:
        who = NOBODY
    else:
        who = await access.authenticate(request, services, address)
        access.check(request, route, who, services)
    old_session = request.cookies.get(access.COOKIE, "")
    call = Call(services, who, _path(request, route), address, _request_key(request), old_session)
    given: dict[str, Any] = {}
    if route.query is not None:
        given["query"] = _query(request.query, route.query)
    elif request.query:
        unknown = [
            Mistake(f"query.{name}", "this endpoint takes no such parameter") for name in request.query
        ]
        raise unreadable(NO_FORM, unknown)
    if route.body is not None:
        with room.held(address) as held:
            given["body"] = await _body(request, held, route.body, route.max_body)
    answer = await route.handler(call, **given)
    response = _response(answer, route)
    proto = request.headers.get("X-Forwarded-Proto", "")
    secure = services.client.is_https(request.remote or "", proto, request.scheme)
    _set_cookie(response, call, secure=secure)
    return response


def _path(request: web.Request, route: Route) -> Mapping[str, str]:
    found = {name: request.match_info[name] for name in route.path_names}
    for value in found.values():
        if not value.isprintable() or len(value) > LONGEST_PATH_PART:
            raise Problem(404, "not-found", "Not found")
    return found


def _request_key(request: web.Request) -> str:
    key = request.headers.get(KEY_HEADER, "")
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise unreadable(f"{KEY_HEADER} has at most {LONGEST_KEY} printable characters")
    return key


def _query(given: MultiMapping[str], model: type[Query]) -> Query:
    names = [name for name in set(given) if len(given.getall(name)) > 1]
    if names:
        raise unreadable(NO_FORM, [Mistake(f"query.{name}", "is given more than once") for name in names])
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise problem.mistaken(error, "query") from None


async def _body(request: web.Request, held: Held, model: type[Body], longest: int) -> Body:
    if request.content_type != "application/json":
        raise Problem(415, "media-type", "Not JSON", "Content-Type must be application/json")
    try:
        body = await held.read(request)
    except BodyTooLarge:
        raise _too_large(longest) from None
    except BodyRefused:
        raise Overloaded("too many large requests at once; try again shortly") from None
    except BodyTimeout:
        raise Problem(408, "timeout", "Body not received in time") from None
    except BodyError:
        raise unreadable("the body could not be read") from None
    if len(body) > longest:
        raise _too_large(longest)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise problem.mistaken(error, "body") from None


def _too_large(longest: int) -> Problem:
    return Problem(413, "too-large", "Body too large", f"at most {longest} bytes here")


def _response(answer: Answer | None, route: Route) -> web.Response | web.FileResponse:
    if answer is None:
        return web.Response(status=204, headers=HEADERS)
    if isinstance(answer, FileAnswer):
        return file_response(answer.path, answer.type, answer.name)
    return web.Response(
        text=answer.model_dump_json(),
        status=route.status,
        content_type="application/json",
        headers=HEADERS,
    )


def _set_cookie(response: web.StreamResponse, call: Call, *, secure: bool) -> None:
    if call.new_session is None:
        return
    flags: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "Strict", "secure": secure}
    if call.new_session:
        response.set_cookie(access.COOKIE, call.new_session, **flags)
    else:
        response.del_cookie(access.COOKIE, **flags)
