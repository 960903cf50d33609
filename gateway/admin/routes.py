"""The route table of the admin API: every endpoint, whom it is for, what it takes and who answers.

A new endpoint is a handler with its models in the file of its resource and a row in that file's `ROUTES`; a
new resource is one more line here. Checks, metrics, OpenAPI document and docs/admin-api.md follow.
"""

from functools import cache

from gateway.admin import (
    accounts,
    audit,
    inbound,
    keys,
    messages,
    operators,
    projects,
    reviews,
    session,
    standing,
    stats,
    status,
    tokens,
)
from gateway.admin.call import Call
from gateway.admin.openapi import Document, document
from gateway.admin.route import Route
from gateway.domain.operator import Permission


async def show_openapi(call: Call) -> Document:
    """Return this API's OpenAPI 3.1 document."""
    del call
    return _document()


@cache
def _document() -> Document:
    return Document.model_validate(document(ROUTES))


ROUTES: tuple[Route, ...] = (
    *session.ROUTES,
    *operators.ROUTES,
    *tokens.ROUTES,
    *accounts.ROUTES,
    *keys.ROUTES,
    *standing.ROUTES,
    *projects.ROUTES,
    *messages.ROUTES,
    *inbound.ROUTES,
    *reviews.ROUTES,
    *stats.ROUTES,
    *audit.ROUTES,
    *status.ROUTES,
    Route("GET", "/openapi.json", Permission.SELF, show_openapi),
)
