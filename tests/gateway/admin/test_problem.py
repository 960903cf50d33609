"""Problems: the status and the form of everything that goes wrong."""

import orjson
import pytest

from gateway.admin.problem import of, unreadable
from gateway.errors import Conflict, Forbidden, GatewayError, Invalid, NotFound, Overloaded, StoreUnavailable
from gateway.flow.login import LockedOut, LoginRefused
from gateway.web.problem import Mistake


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (Invalid("x"), 422),
        (Forbidden("x"), 403),
        (LoginRefused(), 401),
        (LockedOut(1), 429),
        (Overloaded("x"), 503),
        (StoreUnavailable("x"), 503),
        (GatewayError("x"), 500),
    ],
)
def test_each_of_our_errors_has_its_status(error: GatewayError, status: int) -> None:
    response = of(error).response()
    assert response.status == status
    assert response.content_type == "application/problem+json"
    assert ("Retry-After" in response.headers) is (status in (429, 503))


def test_a_lock_out_says_for_how_many_whole_seconds() -> None:
    assert of(LockedOut(1_001)).headers["Retry-After"] == "2"


def test_what_the_store_said_is_not_repeated() -> None:
    assert b"secret" not in bytes(of(StoreUnavailable("/secret")).response().body)


def test_the_body_is_a_problem_document() -> None:
    body = orjson.loads(bytes(unreadable("no", [Mistake("body.name", "is missing")]).response().body))
    assert body == {
        "type": "urn:scloud-sms:problem:bad-request",
        "title": "Request not understood",
        "status": 400,
        "detail": "no",
        "errors": [{"where": "body.name", "what": "is missing"}],
    }
