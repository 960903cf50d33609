"""Bodies that come late, broken or never."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.web import body
from gateway.web.body import BodyBroken, BodyTimeout, BodyTooLarge, read_body


@asynccontextmanager
async def server(seen: list[object]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that notes what it read, or the error."""

    async def handle(request: web.Request) -> web.Response:
        try:
            seen.append(await read_body(request))
        except body.BodyError as error:
            seen.append(type(error))
        return web.Response(text="done")

    app = web.Application(client_max_size=100)
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
