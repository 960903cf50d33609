"""The admin listener's health pages, over a real socket."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from carriers.status import ChannelStatus, Counters
from gateway.metrics import Metrics
from gateway.web.health import STOPPING, Health, admin_app, is_served

Get = Callable[[str], Awaitable[ClientResponse]]


class Gateway:
    """A gateway as its health pages see it."""

    def __init__(self) -> None:
        self.metrics = Metrics("9.9.9")
        self.reasons = ["the store is not open yet"]
        self.channels: dict[str, dict[str, object]] = {}

    def health(self) -> Health:
        return Health(
            "9.9.9",
            self.metrics.render,
            lambda: self.reasons,
            lambda: self.channels,
            lambda: {"directory": 7},
        )


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def get(gateway: Gateway) -> AsyncIterator[Get]:
    runner = web.AppRunner(admin_app(gateway.health()))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with ClientSession(f"http://{host}:{port}") as session:
        yield session.get
    await runner.cleanup()


async def test_a_gateway_that_starts_is_alive_but_not_ready_and_says_why(get: Get) -> None:
    alive = await get("/healthz")
    told = {"status": "ok", "version": "9.9.9", "revisions": {"directory": 7}}
    assert (alive.status, await alive.json()) == (200, told)
    ready = await get("/readyz")
    assert ready.status == 503
    assert (await ready.json())["reasons"] == ["the store is not open yet"]


async def test_a_carrier_that_is_down_is_told_and_changes_nothing(gateway: Gateway, get: Get) -> None:
    gateway.reasons = []
    gateway.channels = {"a": {"up": False, "last_error": "connection refused"}, "b": {"up": True}}
    ready = await get("/readyz")
    assert ready.status == 200
    assert await ready.json() == {
        "ready": True,
        "reasons": [],
        "channels_down": ["a"],
        "channels": {"a": {"up": False, "last_error": "connection refused"}, "b": {"up": True}},
    }


async def test_counts_by_status_and_by_word_are_told(gateway: Gateway, get: Get) -> None:
    counters = Counters(throttled=Counter({88: 2}), bind_failures=Counter({"credentials": 1}))
    status = ChannelStatus(False, [], 0, 0, 0, 0.0, 0.0, counters)
    gateway.reasons, gateway.channels = [], {"sim-1": status.as_dict()}
    answer = await get("/readyz")
    assert answer.status == 200
    told = json.dumps(await answer.json())
    assert '{"ESME_RTHROTTLED": 2}' in told
    assert '{"credentials": 1}' in told


async def test_metrics_are_what_prometheus_reads(gateway: Gateway, get: Get) -> None:
    gateway.metrics.messages.accepted.add(2, "verification")
    page = await get("/metrics")
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'scloud_messages_accepted_total{purpose="verification"} 2.0' in await page.text()
    assert 'scloud_build_info{version="9.9.9"} 1.0' in await page.text()


async def test_answers_are_not_cached(get: Get) -> None:
    assert (await get("/readyz")).headers["Cache-Control"] == "no-store"


async def test_a_gateway_that_serves_is_known_by_its_answer_and_one_that_ends_is_not_in_the_way(
    gateway: Gateway,
) -> None:
    runner = web.AppRunner(admin_app(gateway.health()))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    for reasons, served in (([], True), (["the store does not commit"], True), ([STOPPING], False)):
        gateway.reasons = reasons
        assert await is_served(f"{host}:{port}") is served
    await runner.cleanup()
    assert not await is_served(f"{host}:{port}")


@pytest.mark.parametrize("body", [b"hello", b"[]", b'{"status": "ok"}', b"null"])
async def test_something_else_at_that_address_is_no_gateway(body: bytes) -> None:
    async def readyz(_: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    async with TestServer(app) as server:
        assert not await is_served(f"{server.host}:{server.port}")
