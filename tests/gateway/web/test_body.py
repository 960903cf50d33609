"""Bodies that come late, broken, never, or all at once."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.web import body
from gateway.web.body import SMALL_BODY, BodyBroken, BodyRefused, BodyTimeout, BodyTooLarge, Room


@asynccontextmanager
async def server(
    seen: list[object], room: Room | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that notes what it read, or the error."""
    room = room or Room(most=1_000, longest=100)

    async def handle(request: web.Request) -> web.Response:
        with room.held("192.0.2.7") as held:
            try:
                seen.append(await held.read(request))
            except body.BodyError as error:
                seen.append(type(error))
        return web.Response(text="done")

    app = web.Application(client_max_size=room.longest)
    app.router.add_post("/", handle)
    async with TestServer(app) as running:
        reader, writer = await asyncio.open_connection(running.host, running.port)
        try:
            yield reader, writer
        finally:
            writer.close()


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (HEAD + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (HEAD + b"Content-Length: 0\r\n\r\n", b""),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (HEAD + b"Content-Length: 101\r\n\r\n" + b"x" * 101, BodyTooLarge),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n", BodyTooLarge),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", BodyBroken),
    ],
)
async def test_what_is_read(request_bytes: bytes, expected: object) -> None:
    seen: list[object] = []
    async with server(seen) as (reader, writer):
        writer.write(request_bytes)
        assert (await reader.readline()).startswith(b"HTTP/1.1")
        assert seen == [expected]


async def test_a_body_may_come_in_pieces() -> None:
    seen: list[object] = []
    async with server(seen) as (reader, writer):
        writer.write(HEAD + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert b"100" in await reader.readline()
        writer.write(b"ab")
        await writer.drain()
        writer.write(b"cd")
        await reader.readuntil(b"done")
        assert seen == [b"abcd"]


async def test_a_body_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "SECONDS", 0.0)
    seen: list[object] = []
    async with server(seen) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 4\r\n\r\nab")
        await reader.readuntil(b"done")
        assert seen == [BodyTimeout]


def chunked(size: int) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size)


def compressed(size: int) -> bytes:
    packed = gzip.compress(b"x" * size)
    return HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(packed), packed)


def plain(size: int) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % size + b"x" * size


LARGE = 10 * SMALL_BODY


@pytest.mark.parametrize("make", [plain, chunked, compressed])
async def test_a_large_body_needs_room_and_gives_it_back(make: Callable[[int], bytes]) -> None:
    room, seen = Room(most=LARGE, longest=LARGE), []
    for held, expected in ((0, b"x" * LARGE), (1, BodyRefused), (0, b"x" * LARGE)):
        room.take("198.51.100.1", held)
        async with server(seen, room) as (reader, writer):
            writer.write(make(LARGE))
            assert (await reader.readline()).startswith(b"HTTP/1.1")
        assert seen.pop() == expected
        room.give_back("198.51.100.1", held)
    room.take("198.51.100.1", LARGE)


@pytest.mark.parametrize("make", [plain, chunked, compressed])
async def test_a_small_body_is_read_however_full_it_is(make: Callable[[int], bytes]) -> None:
    room, seen = Room(most=LARGE, longest=LARGE), []
    room.take("198.51.100.1", LARGE)
    async with server(seen, room) as (reader, writer):
        writer.write(make(SMALL_BODY // 2))
        assert (await reader.readline()).startswith(b"HTTP/1.1")
    assert seen == [b"x" * (SMALL_BODY // 2)]


async def test_what_cannot_be_taken_is_refused_before_it_is_read() -> None:
    room, seen = Room(most=LARGE, longest=LARGE), []
    room.take("198.51.100.1", LARGE)
    async with server(seen, room) as (reader, writer):
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % LARGE)
        assert (await reader.readline()).startswith(b"HTTP/1.1")
    assert seen == [BodyRefused]


def test_one_client_leaves_room_for_the_others() -> None:
    room = Room(most=100, longest=10)
    room.take("a", 25)
    with pytest.raises(BodyRefused):
        room.take("a", 1)
    for client in "bcd":
        room.take(client, 25)
    with pytest.raises(BodyRefused):
        room.take("e", 1)
    room.give_back("a", 5)
    room.take("e", 5)


def test_there_is_always_room_for_one_body() -> None:
    room = Room(most=1, longest=10)
    room.take("a", 10)
    with pytest.raises(BodyRefused):
        room.take("b", 1)
