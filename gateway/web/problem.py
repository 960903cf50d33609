"""What goes wrong as the client sees it: a status and an `application/problem+json` body (RFC 9457)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from aiohttp import web

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:scloud-sms:problem:"

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_CODES = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 503: "busy"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in a request; never the value itself, which may be a secret."""

    where: str  # body.amount
    what: str


@dataclass(slots=True)
class Problem(Exception):
    """An answer that is none of the endpoint's own; `code` is the last part of its type."""

    status: int
    code: str
    title: str
    detail: str = ""
    mistakes: Sequence[Mistake] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """Return the answer."""
        body: dict[str, object] = {"type": TYPE + self.code, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.mistakes:
            body["errors"] = [{"where": one.where, "what": one.what} for one in self.mistakes]
        headers = {**HEADERS, **self.headers}
        return web.Response(
            body=orjson.dumps(body), status=self.status, content_type=CONTENT_TYPE, headers=headers
        )


def of_http(error: web.HTTPException) -> Problem:
    """Return the answer to what the router could not place."""
    allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return Problem(
        error.status, _CODES.get(error.status, "http"), error.reason or "HTTP error", headers=allow
    )


@web.middleware
async def in_our_form(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer what no endpoint is there for, and what one refuses as HTTP, as a problem."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return of_http(error).response()
