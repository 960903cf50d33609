"""Whatever is sent, in whatever encoding, by whomever: an answer with a RetCode, and nothing half done."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from gateway.api.scloud.actions import ACTIONS, COMMON
from gateway.api.scloud.codes import SERVICE_CODES, RetCode
from tests.actions.areas import DECLARED, MAKERS
from tests.actions.hostile import ENCODINGS, Request, parameters, request, texts
from tests.actions.world import World

# the gateway's own way to say that something broke
FAULTS = {RetCode.SERVICE_UNAVAILABLE, RetCode.SERVICE_FAULT}
DOOR = {code for code in RetCode if code < SERVICE_CODES} - FAULTS - {RetCode.GATEWAY_TIMEOUT}
SUBMITTED = {RetCode.OK, RetCode.PARTLY_SUBMITTED}

QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
DEEP = settings(QUICK, max_examples=1_000, phases=[Phase.generate])


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose carrier is away: what is accepted stays as it was accepted."""
    with World(tmp_path_factory.mktemp("quiet"), MAKERS, carrier=False) as running:
        yield running


class Wire:
    """A connection to the gateway, kept alive as clients do."""

    def __init__(self, world: World) -> None:
        self._connection = HTTPConnection("127.0.0.1", int(world.url.rpartition(":")[2]), timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, wanted: Request) -> tuple[HTTPResponse, dict[str, Any]]:
        """Return the response and its JSON."""
        headers = {"Content-Type": wanted.content_type} if wanted.content_type else {}
        self._connection.request(wanted.method, wanted.path, wanted.body or None, headers)
        response = self._connection.getresponse()
        return response, json.loads(response.read())


def check(world: World, wire: Wire, wanted: Request, action: str) -> int:
    """Send `wanted`, check everything an answer promises, return its RetCode."""
    before = world.rows()
    response, answer = wire.send(wanted)
    code = answer["RetCode"]
    assert response.status == 200, answer
    assert type(code) is int
    assert isinstance(answer["Message"], str)
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.headers["X-UCLOUD-REQUEST-UUID"]) == 36
    assert code not in FAULTS, answer
    assert code in DOOR | COMMON | ACTIONS[action].codes | {0}, answer
    if "Action" in answer:
        assert code == 0 or code >= SERVICE_CODES
        assert answer["Action"] in (f"{action}Response", action)
    else:
        assert code != 0
    after = world.rows()
    if code not in SUBMITTED or not ACTIONS[action].changes:
        assert after == before, answer
    else:
        world.check_whole()
    return int(code)


def try_(action: str, world: World, profile: settings) -> None:
    """Try `action` with generated requests, one after the other on one connection."""

    @profile
    @given(data=st.data())
    def one(data: st.DataObject) -> None:
        good = DECLARED[action].good(world)
        named = {"Action": action, "PublicKey": world.one.public_key, "ProjectId": world.one.project_id}
        whole = data.draw(parameters(action, {**named, **good}), "parameters")
        encoding = data.draw(st.sampled_from(ENCODINGS), "encoding")
        signature = data.draw(st.sampled_from(["right"] * 6 + ["wrong", "none"]) | texts, "signature")
        check(world, wire, request(whole, encoding, signature, world.one), _named(whole, action))

    with Wire(world) as wire:
        one()


def _named(whole: dict[str, Any], action: str) -> str:
    """Return the action a request is for: the parameter may have been exchanged for another one's name."""
    given_ = whole.get("Action")
    return given_ if isinstance(given_, str) and given_ in ACTIONS else action


@pytest.mark.parametrize("action", ACTIONS)
def test_no_request_breaks_anything(quiet: World, action: str) -> None:
    try_(action, quiet, QUICK)


@pytest.mark.soak
@pytest.mark.parametrize("action", ACTIONS)
def test_no_request_breaks_anything_however_long_one_tries(quiet: World, action: str) -> None:
    try_(action, quiet, DEEP)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("action", ACTIONS)
def test_the_same_call_succeeds_in_every_encoding(quiet: World, action: str, encoding: str) -> None:
    """So the trials above do reach the actions, not only the reading of parameters."""
    named = {"Action": action, "PublicKey": quiet.one.public_key, "ProjectId": quiet.one.project_id}
    wanted = request({**named, **DECLARED[action].good(quiet)}, encoding, "right", quiet.one)
    with Wire(quiet) as wire:
        assert check(quiet, wire, wanted, action) == 0


@pytest.fixture
def new_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], World]]:
    """Make worlds in which nothing was called yet."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(World(tmp_path_factory.mktemp("new"), MAKERS, carrier=False))


def written(world: World, action: str) -> list[str]:
    """Call `action` and return the tables it wrote to."""
    good = DECLARED[action].good(world)  # may make what the call is about
    before = world.rows()
    assert world.call(world.one, action, good)["RetCode"] == 0
    after = world.rows()
    return [name for name in after if after[name] != before[name]]


@pytest.mark.parametrize("action", [name for name, action in ACTIONS.items() if action.changes])
def test_what_fails_in_the_middle_leaves_nothing(new_world: Callable[[], World], action: str) -> None:
    """Each table the action writes refuses its row once: no row of any other table may stay."""
    world = new_world()
    tables = written(world, action)
    assert tables
    repeated = bool(written(world, action))  # or said twice is said once, and only the first time writes
    for table in tables:
        world = world if repeated else new_world()
        good = DECLARED[action].good(world)
        world.store.transaction(lambda c, table=table: forbid(c, table))
        try:
            before = world.rows()
            assert world.call(world.one, action, good)["RetCode"] in FAULTS
            assert world.rows() == before, table
        finally:
            world.store.transaction(allow)
        assert table in written(world, action)
        world.check_whole()


def forbid(connection: Connection, table: str) -> None:
    """Make every change of `table` fail."""
    for what in ("INSERT", "UPDATE", "DELETE"):
        refuse = "BEGIN SELECT RAISE(ABORT, 'not now'); END"
        connection.execute(text(f"CREATE TRIGGER forbidden_{what} BEFORE {what} ON {table} {refuse}"))


def allow(connection: Connection) -> None:
    """Take the triggers away again."""
    for what in ("INSERT", "UPDATE", "DELETE"):
        connection.execute(text(f"DROP TRIGGER forbidden_{what}"))


def test_a_body_too_large_is_413_and_changes_nothing(quiet: World) -> None:
    before = quiet.rows()
    body = b"x" * (quiet.settings.http.max_body + 1)
    status, answer = quiet.raw("POST", "/", body, {"Content-Type": "application/json"})
    assert (status, answer["RetCode"]) == (413, 240)
    assert quiet.rows() == before
