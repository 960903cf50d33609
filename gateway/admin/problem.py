"""What goes wrong in the admin API, as a problem that its client can tell from others."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from gateway.errors import Conflict, Forbidden, GatewayError, Invalid, NotFound, Overloaded, StoreUnavailable
from gateway.flow.login import LockedOut, LoginRefused
from gateway.web.problem import Mistake, Problem

RETRY_AFTER = 2  # seconds, where nothing better is known


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
