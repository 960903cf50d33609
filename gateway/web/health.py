"""The operators' questions: `/healthz` is it alive, `/readyz` can it take work and if not why, `/metrics`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

STOPPING = "stopping"  # among the reasons of one that ends
ASKED_FOR = ClientTimeout(total=2.0)  # how long another gateway may take to say how it is

Status = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Health:
    """Where the answers come from; each is asked anew for every request."""

    version: str
    metrics: Callable[[], bytes]
    unready: Callable[[], Sequence[str]]  # why no work can be taken; empty: it can
    channels: Callable[[], Mapping[str, Status]]  # by channel id: "up" and whatever else explains it
    revisions: Callable[[], Mapping[str, int]]  # of what was changed beside us: how far we have taken it over


HEALTH = web.AppKey("health", Health)


def admin_app(health: Health) -> web.Application:
    """Return the application of the admin listener."""
    app = web.Application()
    app[HEALTH] = health
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


async def is_served(address: str) -> bool:
    """Whether a gateway answers at `address`, an admin listener's, and does not say that it is ending."""
    try:
        async with (
            ClientSession(timeout=ASKED_FOR) as client,
            client.get(f"http://{address}/readyz") as answer,
        ):
            told = orjson.loads(await answer.read())
    except (ClientError, OSError, TimeoutError, ValueError):
        return False
    return isinstance(told, dict) and "ready" in told and STOPPING not in told.get("reasons", ())


async def healthz(request: web.Request) -> web.Response:
    """Answer 200: the process lives and its event loop turns; and which changes it has taken over."""
    health = request.app[HEALTH]
    return _json({"status": "ok", "version": health.version, "revisions": health.revisions()})


async def readyz(request: web.Request) -> web.Response:
    """Answer 200 if submissions are taken, else 503 with the reasons.

    A channel that is down is told, but leaves the gateway ready: what is accepted waits for it in the store.
    """
    health = request.app[HEALTH]
    reasons = list(health.unready())
    channels = health.channels()
    down = sorted(name for name, status in channels.items() if not status.get("up"))
    body = {"ready": not reasons, "reasons": reasons, "channels_down": down, "channels": channels}
    return _json(body, status=503 if reasons else 200)


async def metrics(request: web.Request) -> web.Response:
    """Answer with the exposition page."""
    return web.Response(
        body=request.app[HEALTH].metrics(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
    )


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        # a channel counts refusals by status, which is a number
        body=orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
