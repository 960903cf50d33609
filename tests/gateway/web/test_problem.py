"""Problems: what the router cannot place, and what a handler refuses as HTTP, has the form of all others."""

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.web.problem import Problem, in_our_form


class Teapot(web.HTTPClientError):
    """A status that has no word of its own."""

    status_code = 418


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("POST", "/", 405, "method-not-allowed"),
        ("GET", "/busy", 503, "busy"),
        ("GET", "/teapot", 418, "http"),
    ],
)
async def test_every_refusal_of_http_is_a_problem(method: str, path: str, status: int, code: str) -> None:
    async def fine(_: web.Request) -> web.Response:
        return web.Response(text="fine")

    async def busy(_: web.Request) -> web.Response:
        raise web.HTTPServiceUnavailable

    async def teapot(_: web.Request) -> web.Response:
        raise Teapot

    app = web.Application(middlewares=[in_our_form])
    app.router.add_get("/", fine)
    app.router.add_get("/busy", busy)
    app.router.add_get("/teapot", teapot)
    async with TestServer(app) as server, ClientSession() as client:
        async with client.get(server.make_url("/")) as got:
            assert await got.text() == "fine"
        async with client.request(method, server.make_url(path)) as got:
            assert (got.status, got.content_type) == (status, "application/problem+json")
            document = await got.json(content_type=None)
            assert (document["type"], document["status"]) == (f"urn:scloud-sms:problem:{code}", status)
            assert got.headers["Cache-Control"] == "no-store"
            assert ("Allow" in got.headers) is (status == 405)


def test_a_problem_tells_nothing_it_was_not_given() -> None:
    body = Problem(404, "not-found", "Not found").response().body
    assert body == b'{"type":"urn:scloud-sms:problem:not-found","title":"Not found","status":404}'
