"""The customers' listener: `/?Action=…`, one door, every decision an HTTP 200 with a RetCode."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog
from aiohttp import web

from config.schema import HttpSettings
from gateway import ids
from gateway.api.scloud.access import admit, authenticate, choose_project, public_text
from gateway.api.scloud.actions import ACTIONS
from gateway.api.scloud.call import Call, Services, refused
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.files import FileDoor
from gateway.api.scloud.parameters import read_parameters
from gateway.api.scloud.schema import bind
from gateway.auth.scloud import SIGNATURE, Parameters
from gateway.errors import Overloaded, StoreUnavailable
from gateway.flow.funds import InsufficientFunds
from gateway.flow.replay import Answer, request_key
from gateway.web.address import ClientAddress
from gateway.web.body import SMALL_BODY, BodyBroken, BodyRefused, BodyTimeout, BodyTooLarge, Held, Room
from gateway.web.express import Express, Limits, Plain
from gateway.web.prepared import SMALL, Prepared, complete
from gateway.web.problem import in_our_form
from gateway.web.rate import KeyRate

log = structlog.get_logger(__name__)

MAX_LINE = 64 * 1024  # of a request's first line: a GET of 1000 numbers
KEEP_ALIVE = 75.0  # seconds a connection may be silent between two requests
MASKED_FROM = 16  # characters of a key from which on its beginning may be logged
GRACE = 5.0  # seconds the last answers may take when the listener closes

_FAULTS: dict[type[Exception], RetCode] = {
    InsufficientFunds: RetCode.BALANCE_SHORT,
    Overloaded: RetCode.THROTTLED,
    StoreUnavailable: RetCode.SERVICE_FAULT,
    BodyTooLarge: RetCode.TOO_LARGE,
    BodyRefused: RetCode.THROTTLED,
    BodyTimeout: RetCode.GATEWAY_TIMEOUT,
    BodyBroken: RetCode.PARAMETER_FORMAT,
}
# refusals of somebody who may be guessing: worth a line in the log
_SUSPECT = frozenset(
    {
        RetCode.SIGNATURE_WRONG,
        RetCode.USER_UNKNOWN,
        RetCode.PROJECT_FORBIDDEN,
        RetCode.ADDRESS_FORBIDDEN,
    }
)


@contextlib.asynccontextmanager
async def listen(services: Services, http: HttpSettings, host: str, port: int) -> AsyncIterator[int]:
    """Open the customers' listener for the length of the block; gives its port.

    No access log: the query of a GET holds numbers and texts.
    """
    door = Door(services, ClientAddress(http.trusted_proxies), Room(http.max_bodies, http.max_body))
    app = web.Application(client_max_size=http.max_body, middlewares=[in_our_form])
    app.router.add_post("/", door.handle)
    app.router.add_get("/", door.handle, allow_head=False)
    app.router.add_route("*", "/", door.other_method)
    app.router.add_get("/files/{file_id}", FileDoor(services.papers).handle, allow_head=False)
    runner = web.AppRunner(
        app,
        access_log=None,
        max_line_size=MAX_LINE,
        keepalive_timeout=KEEP_ALIVE,
        shutdown_timeout=GRACE,
    )
    await runner.setup()
    ordinary = runner.server
    assert ordinary is not None
    express = Express(door.express, ordinary, Limits(KEEP_ALIVE, min(http.max_body, SMALL_BODY)))
    try:
        server = await asyncio.get_running_loop().create_server(express, host, port, backlog=1024)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await express.close(GRACE)
        await runner.cleanup()
        door.close()


class _Caller(NamedTuple):
    """Who a request says it is from."""

    address: str
    key: str  # anything at all

    @property
    def masked_key(self) -> str:
        """The beginning of the key: enough to find it in a list, and of a mistaken private key too little."""
        return f"{self.key[:8]}…" if len(self.key) > MASKED_FROM else "…" if self.key else ""


class Door:
    """Takes a request from its bytes to its answer; nothing a client sends makes it raise."""

    def __init__(self, services: Services, address: ClientAddress, room: Room) -> None:
        self._services = services
        self._address = address
        self._room = room
        self._rate = KeyRate(services.settings.requests_per_second)
        self._aside = ThreadPoolExecutor(1, "large bodies")

    def close(self) -> None:
        """Let go of the thread for large bodies."""
        self._aside.shutdown()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request that came through aiohttp."""
        request_id = ids.request_id()
        with self._room.held(self._client(request)) as held:
            answer = await self._serve(request, request_id, held)
        if len(answer.body) <= SMALL and answer.code != RetCode.TOO_LARGE:
            return Prepared(answer.body, _HEAD % request_id.encode())
        return _response(answer, request_id)

    async def other_method(self, request: web.Request) -> web.Response:
        """Answer what is neither GET nor POST: nothing of it is read, so it names no action."""
        del request
        request_id = ids.request_id()
        self._services.metrics.requests.add(1, "", str(int(RetCode.ACTION_MISSING)))
        refusal = Refusal(RetCode.ACTION_MISSING, "requests are made by GET or POST")
        return _response(refused(refusal, ""), request_id)

    async def express(self, plain: Plain) -> bytes:
        """Answer a request that came through the express lane."""
        request_id = ids.request_id()
        answer = await self._serve(plain, request_id)
        return complete(answer.body, _HEAD % request_id.encode())

    async def _serve(self, request: Plain | web.Request, request_id: str, held: Held | None = None) -> Answer:
        clock, metrics = self._services.clock, self._services.metrics
        started = clock.monotonic()
        action, client = "", self._client(request)
        parameters: Parameters = {}
        large = False
        try:
            if isinstance(request, Plain):
                parameters = read_parameters(request.body, b"", request.content_type)
            else:
                assert held is not None
                parameters, large = await self._parameters(request, held)
            named = parameters.get("Action")
            action = named if isinstance(named, str) and named in ACTIONS else ""
            answer = await self._answer(action, parameters, client, request_id, large)
        except Exception as error:
            who = public_text(parameters, "PublicKey")
            answer = self._fault(error, action, _Caller(client, who), request_id)
        metrics.requests.add(1, action, str(int(answer.code)))
        metrics.seconds.observe(clock.monotonic() - started, action)
        return answer

    async def _parameters(self, request: web.Request, held: Held) -> tuple[Parameters, bool]:
        """Return the parameters, and whether they are so large that nothing should go through them here."""
        body = await held.read(request) if request.body_exists else b""
        kind = request.headers.get("Content-Type", "")
        if body:
            if len(body) <= SMALL_BODY:
                return read_parameters(body, b"", kind), False
            # megabytes take seconds to unescape, and whoever sends them has not shown a signature yet
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._aside, read_parameters, body, b"", kind), True
        # as it came over the wire: nothing but our own reader may unescape it
        query = request.raw_path.partition("?")[2].partition("#")[0].encode("utf-8", "surrogateescape")
        return read_parameters(b"", query, kind), False

    async def _answer(
        self, action: str, parameters: Parameters, client: str, request_id: str, large: bool
    ) -> Answer:
        """Check in the order the API promises: action, key, account, client, project, repetition, rate."""
        if not action:
            missing = not public_text(parameters, "Action")
            raise Refusal(RetCode.ACTION_MISSING if missing else RetCode.ACTION_UNKNOWN)
        services = self._services
        directory = services.directory.value
        now_ms = services.clock.now_ms()
        if large:
            loop, keys = asyncio.get_running_loop(), directory.keys
            key = await loop.run_in_executor(self._aside, authenticate, parameters, keys, now_ms)
        else:
            key = authenticate(parameters, directory.keys, now_ms)
        admit(key, client)
        services.used(key.public_key, now_ms, client)
        project = choose_project(parameters, key.account, directory)
        repeat_key = request_key(key.public_key, public_text(parameters, SIGNATURE))

        async def perform() -> Answer:
            if not self._rate.allow(key.public_key, services.clock.monotonic()):
                raise Refusal(RetCode.THROTTLED)
            entry = ACTIONS[action]
            bound = bind(parameters, entry.schema)
            return await entry.handle(
                Call(action, key.account, project, bound, request_id, repeat_key, services)
            )

        if not ACTIONS[action].changes:
            return await perform()
        answer = await services.replay.once(repeat_key, perform)
        if answer.replayed:
            services.metrics.replayed.add(1)
        return answer

    def _fault(self, error: Exception, action: str, caller: _Caller, request_id: str) -> Answer:
        """Return the answer to a request that ended in `error`; what nobody expected is logged."""
        if isinstance(error, Refusal):
            if error.code in _SUSPECT:
                known = {"client": caller.address, "key": caller.masked_key, "action": action}
                log.info("request refused", code=int(error.code), **known, request=request_id)
            return refused(error, action)
        code = next((code for kind, code in _FAULTS.items() if isinstance(error, kind)), None)
        if code is None:
            log.error("request failed", request=request_id, action=action, exc_info=error)
            code = RetCode.SERVICE_UNAVAILABLE
        return refused(Refusal(code), action)

    def _client(self, request: Plain | web.Request) -> str:
        if isinstance(request, Plain):
            return self._address.of(request.remote, request.forwarded)
        return self._address.of(request.remote or "", request.headers.getall("X-Forwarded-For", ()))


def _response(answer: Answer, request_id: str) -> web.Response:
    return web.Response(
        body=answer.body,
        status=413 if answer.code == RetCode.TOO_LARGE else 200,
        headers={
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "X-UCLOUD-REQUEST-UUID": request_id,
        },
    )


_HEAD = b"Content-Type: application/json\r\nCache-Control: no-store\r\nX-UCLOUD-REQUEST-UUID: %b\r\n"
