"""What goes wrong as the client sees it: a status and an `application/problem+json` body (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from aiohttp import web
from pydantic import ValidationError

from gateway.errors import Conflict, Forbidden, GatewayError, Invalid, NotFound, Overloaded, StoreUnavailable
from gateway.flow.login import LockedOut, LoginRefused

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:scloud-sms:problem:"
RETRY_AFTER = 2  # seconds, where nothing better is known

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


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


def credentials_needed(detail: str = "log in, or send an API token") -> Problem:
    """Return the answer to who has not said who they are."""
    return Problem(
        401, "credentials", "Credentials needed", detail, headers={"WWW-Authenticate": 'Bearer realm="admin"'}
    )


def refused(detail: str) -> Problem:
    """Return the answer to who is known and may not."""
    return Problem(403, "forbidden", "Not allowed", detail)


def unreadable(detail: str, mistakes: Sequence[Mistake] = ()) -> Problem:
    """Return the answer to a request that does not have the endpoint's form."""
    return Problem(400, "bad-request", "Request not understood", detail, mistakes)


def mistaken(error: ValidationError, part: str) -> Problem:
    """Return the answer to a body or query with mistakes, all of them at once."""
    mistakes = [
        Mistake(".".join(map(str, (part, *one["loc"]))), one["msg"])
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return unreadable(f"the {part} does not have the form this endpoint takes", mistakes)


def of_http(error: web.HTTPException) -> Problem:
    """Return the answer to what the router could not place."""
    allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    code = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(error.status, "http")
    return Problem(error.status, code, error.reason or "HTTP error", headers=allow)


def of(error: GatewayError) -> Problem:
    """Return the answer to one of our own errors."""
    if isinstance(error, LockedOut):
        return Problem(
            429, "locked-out", "Too many failures", str(error), headers={"Retry-After": str(error.seconds)}
        )
    for kind, (status, code, title) in _ANSWERS.items():
        if isinstance(error, kind):
            retry = {"Retry-After": str(RETRY_AFTER)} if status == 503 else {}
            detail = "" if isinstance(error, StoreUnavailable) else str(error)
            return Problem(status, code, title, detail, headers=retry)
    return Problem(500, "internal", "Internal error")


_ANSWERS: Mapping[type[GatewayError], tuple[int, str, str]] = {
    LoginRefused: (401, "login-refused", "Log-in refused"),
    NotFound: (404, "not-found", "Not found"),
    Conflict: (409, "conflict", "Contradicts what exists"),
    Invalid: (422, "invalid", "Cannot be done"),
    Forbidden: (403, "forbidden", "Not allowed"),
    Overloaded: (503, "busy", "Busy"),
    StoreUnavailable: (503, "store", "The store cannot take it; nothing was changed"),
}
