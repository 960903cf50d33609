"""One row of the route table: it knows its models from its handler."""

import pytest

from gateway.admin.call import Call
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Body, Query
from gateway.domain.operator import Permission


class Thing(Body):
    size: int


class Which(Query):
    colour: str = ""


class Made(Answer):
    id: str


async def make(call: Call, body: Thing, query: Which) -> Made:
    """Make a thing.

    It has a size.
    """
    return Made(id=f"{body.size}{query.colour}{call.address}")


async def drop(call: Call) -> None:
    """Drop a thing."""


def test_a_row_knows_what_its_handler_takes_and_returns() -> None:
    row = Route("POST", "/things/{kind}/{id}", Permission.NETWORK_WRITE, make)
    assert (row.body, row.query, row.answer) == (Thing, Which, Made)
    assert (row.path_names, row.resource, row.changes) == (("kind", "id"), "things", True)
    assert (row.summary, row.description) == ("Make a thing.", "It has a size.")


def test_a_row_may_take_and_return_nothing() -> None:
    row = Route("GET", "/things", Permission.NETWORK_READ, drop)
    assert (row.body, row.query, row.answer, row.changes) == (None, None, None, False)


def test_a_handler_the_door_could_not_call_is_refused_at_once() -> None:
    async def wrong(call: Call, thing: Thing) -> None:
        """Take a thing by another name."""

    with pytest.raises(TypeError, match="/things"):
        Route("POST", "/things", Permission.NETWORK_WRITE, wrong)
