"""A customer's callback endpoint inside the test: real HTTP on a free port, behaviour by script."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def takes(_request: web.Request) -> web.StreamResponse:
    """Answer as the API says a customer should."""
    return web.json_response({"code": 0, "message": "ok"})


def answers(text: str, status: int = 200, **headers: str) -> Behaviour:
    """Answer `text` with `status`."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, headers=headers)

    return answer


async def never_answers(_request: web.Request) -> web.StreamResponse:
    """Hold the request until the client gives up."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Begin an answer and close the connection in the middle of it."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"code"')
    assert request.transport is not None
    request.transport.abort()
    return response


class Receiver:
    """Records every POST; `behaviour` may be swapped at any time."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = takes
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.taken: list[dict[str, Any]] = []  # items of POSTs answered with success
        self.url = ""
        self._changed = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one POST."""
        body = json.loads(await request.read())
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        async with self._changed:
            self._changed.notify_all()
        response = await self.behaviour(request)
        if self.behaviour is takes:
            self.taken += body["Data"]
            async with self._changed:
                self._changed.notify_all()
        return response

    async def until(self, condition: Callable[[], bool], limit: float = 20.0) -> None:
        """Return once `condition` holds; it is looked at after every POST."""
        async with asyncio.timeout(limit), self._changed:
            await self._changed.wait_for(condition)


@asynccontextmanager
async def receiver(host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """Run a `Receiver` on a free port."""
    found = Receiver()
    app = web.Application()
    app.router.add_post("/{tail:.*}", found.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    port = runner.addresses[0][1]
    found.url = f"http://{host}:{port}/callback"
    try:
        yield found
    finally:
        await runner.cleanup()
