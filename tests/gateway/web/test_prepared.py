"""A prepared answer is plain HTTP: any client reads it, and connections live as long as they should."""

import asyncio
import socket
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.web import prepared
from gateway.web.prepared import SMALL, Prepared


async def answer(request: web.Request) -> web.Response:
    body = await request.read()
    return Prepared(b'{"got":%d}' % len(body), b"Content-Type: application/json\r\nX-Own: yes\r\n")


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_post("/", answer)
    async with TestServer(app) as server:
        yield server


async def exchange(server: TestServer, request: bytes) -> bytes:
    """Send raw bytes and return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    async with asyncio.timeout(10):
        data = await reader.read()
    writer.close()
    await writer.wait_closed()
    return data


async def test_a_client_reads_status_headers_and_body_and_uses_the_connection_again(
    server: TestServer,
) -> None:
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        for size in (0, 3):
            async with session.post(server.make_url("/"), data=b"x" * size) as response:
                assert response.status == 200
                assert await response.json() == {"got": size}
                assert response.headers["X-Own"] == "yes"
                assert parsedate_to_datetime(response.headers["Date"]).year >= 2026


async def test_several_requests_in_one_write_are_answered_in_order(server: TestServer) -> None:
    one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%b\r\n%b"
    data = await exchange(server, one % (1, b"", b"a") + one % (2, b"Connection: close\r\n", b"bb"))
    assert data.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert data.index(b'{"got":1}') < data.index(b'{"got":2}')
    assert data.endswith(b'{"got":2}')
    assert data.count(b"Connection: close\r\n") == 1


async def test_an_old_client_is_answered_in_its_version_and_left_unless_it_asks_to_stay(
    server: TestServer,
) -> None:
    plain = await exchange(server, b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
    assert plain.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"keep-alive" not in plain
    stays = b"POST / HTTP/1.0\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
    both = await exchange(server, stays + b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
    assert both.count(b"200 OK") == 2
    assert both.count(b"Connection: keep-alive\r\n") == 1


class Unread:
    """A server of large answers, and a client that asks for many at once and reads none."""

    def __init__(self) -> None:
        self.answered = 0
        self.transport: asyncio.Transport | None = None

    @property
    def waiting(self) -> int:
        """How many octets the server holds for the client."""
        return self.transport.get_write_buffer_size() if self.transport is not None else 0

    async def answer(self, request: web.Request) -> web.Response:
        self.transport = self.transport or request.transport
        self.answered += 1
        return Prepared(b"x" * SMALL, b"")

    async def until_full(self) -> None:
        """Wait until the socket takes no more, then give the server every chance to go on."""
        async with asyncio.timeout(10):
            while self.waiting <= prepared.UNREAD and self.answered < 2_000:  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)


@pytest.fixture
async def unread() -> AsyncIterator[tuple[Unread, asyncio.StreamReader]]:
    handler = Unread()
    app = web.Application()
    app.router.add_get("/", handler.answer)
    async with TestServer(app) as server:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", server.port))
        reader, writer = await asyncio.open_connection(sock=client, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2_000)
        yield handler, reader
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> None:
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
    await reader.readexactly(SMALL)


async def read_for_ever(reader: asyncio.StreamReader) -> None:
    while True:
        await read_answer(reader)


async def test_who_asks_on_and_on_and_reads_nothing_is_not_answered_without_end(
    unread: tuple[Unread, asyncio.StreamReader],
) -> None:
    handler, reader = unread
    await handler.until_full()
    assert handler.waiting <= prepared.UNREAD + 2 * SMALL
    answers = 0
    async with asyncio.timeout(30):
        while answers < 2_000:  # and once it reads, it gets all of them
            await read_answer(reader)
            answers += 1


async def test_who_goes_on_reading_nothing_is_dropped(
    unread: tuple[Unread, asyncio.StreamReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "PATIENCE", 0.01)
    handler, reader = unread
    await handler.until_full()
    async with asyncio.timeout(30):
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await read_for_ever(reader)
