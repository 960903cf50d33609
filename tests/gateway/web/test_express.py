"""The express lane: what is plain is answered directly, all else reaches aiohttp with every byte."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.web.express import BODY_SECONDS, Express, Head, Limits, Plain, read_head
from gateway.web.prepared import complete

KEEP_ALIVE = 75.0
_LENGTH = re.compile(rb"Content-Length: (\d+)\r\n(?:[^\r]+\r\n)*\r\n")
LINES = (b"Host: x", b"Content-Type: text/plain", b"Content-Length: 3")


def head(*lines: bytes, first: bytes = b"POST / HTTP/1.1") -> bytes:
    return b"\r\n".join((first, *lines)) + b"\r\n\r\n"


def test_a_plain_head() -> None:
    assert read_head(head(*LINES)) == Head(3, "text/plain", ())
    full = head(
        b"hOST:x:80", b"content-length: 3 ", b"Connection:\tKeep-Alive", b"User-Agent: a b", b"Accept:",
        b"X-Forwarded-For: 203.0.113.9", b"X-Forwarded-For: 10.0.0.1, 10.0.0.2",
        first=b"POST /?Action=X&a=%20 HTTP/1.1",
    )  # fmt: skip
    assert read_head(full) == Head(3, "", ("203.0.113.9", "10.0.0.1, 10.0.0.2"))


@pytest.mark.parametrize(
    "other",
    [
        head(*LINES, first=b"GET / HTTP/1.1"),
        head(*LINES, first=b"POST / HTTP/1.0"),
        head(*LINES, first=b"POST /v1 HTTP/1.1"),
        head(*LINES, first=b"POST  / HTTP/1.1"),
        head(*LINES, first=b"post / HTTP/1.1"),
        head(*LINES[1:]),
        head(b"Host:", *LINES[1:]),
        head(*LINES, b"Host: y"),
        head(*LINES, b"Content-Length: 3"),
        head(*LINES[:2]),
        head(*LINES[:2], b"Content-Length: 0"),
        head(*LINES[:2], b"Content-Length: 03"),
        head(*LINES[:2], b"Content-Length: +3"),
        head(*LINES[:2], b"Content-Length: 3, 3"),
        head(*LINES, b"Transfer-Encoding: chunked"),
        head(*LINES, b"Content-Encoding: gzip"),
        head(*LINES, b"Expect: 100-continue"),
        head(*LINES, b"Upgrade: websocket"),
        head(*LINES, b"Connection: close"),
        head(*LINES, b"X : y"),
        head(*LINES, b" folded"),
        head(*LINES, b"X: \xe9"),
        head(*LINES, b"X: a\x00b"),
        head(*LINES, b"X: a\rb"),
        head(*LINES, b"X: a\nTransfer-Encoding: chunked"),
        head(*LINES, b": y"),
    ],
)
def test_a_head_that_is_not_plain(other: bytes) -> None:
    assert read_head(other) is None


@dataclass
class Lane:
    """A listener whose plain requests and others are answered alike, and told apart by what was noted."""

    port: int
    express: Express
    plain: list[Plain] = field(default_factory=list)
    other: list[bytes] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    answer_size: int = 0  # octets of padding

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Connect."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def exchange(self, *writes: bytes) -> bytes:
        """Write, each time letting the server see it, and return the answer."""
        async with self.client() as (reader, writer):
            for data in writes:
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(0)
            return await _until_silent(reader)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():  # noqa: ASYNC110  # the state of protocols, which tell nobody of their changes
                await asyncio.sleep(0)


async def _until_silent(reader: asyncio.StreamReader, answers: int = 1) -> bytes:
    """Return so many whole answers, or what there is when the server closes."""
    data, begin = b"", 0
    async with asyncio.timeout(10):
        while answers:
            length = _LENGTH.search(data, begin)
            end = begin if length is None else length.end() + int(length[1])
            if length is not None and len(data) >= end:
                begin, answers = end, answers - 1
                continue
            piece = await reader.read(65536)
            if not piece:
                break
            data += piece
    return data


def reply(body: bytes) -> bytes:
    return b"got:" + body


@contextlib.asynccontextmanager
async def lane(body: int = 1000) -> AsyncIterator[Lane]:
    opened: Lane

    async def plain(request: Plain) -> bytes:
        opened.plain.append(request)
        await opened.gate.wait()
        return complete(reply(request.body) + b"y" * opened.answer_size, b"X-Own: yes\r\n")

    async def other(request: web.Request) -> web.Response:
        data = await request.read()
        opened.other.append(data)
        return web.Response(body=reply(data))

    app = web.Application()
    app.router.add_route("*", "/", other)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    assert runner.server is not None
    express = Express(plain, runner.server, Limits(KEEP_ALIVE, body))
    server = await asyncio.get_running_loop().create_server(express, "127.0.0.1", 0)
    opened = Lane(server.sockets[0].getsockname()[1], express)
    opened.gate.set()
    try:
        yield opened
    finally:
        server.close()
        await express.close(1.0)
        await runner.cleanup()


async def test_a_plain_request_is_answered_and_its_connection_used_again() -> None:
    async with lane() as here, here.client() as (reader, writer):
        for _ in range(3):
            writer.write(head(*LINES, b"X-Forwarded-For: 203.0.113.9") + b"abc")
            assert (await _until_silent(reader)).endswith(b"got:abc")
        assert here.plain == [Plain(b"abc", "text/plain", "127.0.0.1", ("203.0.113.9",))] * 3
        assert here.other == []


async def test_a_request_in_pieces_is_plain_too() -> None:
    async with lane() as here:
        first, rest = head(*LINES), [b"a", b"b", b"c"]
        assert (await here.exchange(first, *rest)).endswith(b"got:abc")
        assert [request.body for request in here.plain] == [b"abc"]


@pytest.mark.parametrize(
    ("request_bytes", "body"),
    [
        (head(*LINES[:2], b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (head(*LINES, b"Connection: close") + b"abc", b"abc"),
        (head(*LINES[:2], b"Content-Length: 1001") + b"x" * 1001, b"x" * 1001),
        (head(b"Host: x", first=b"GET / HTTP/1.1"), b""),
        (head(*LINES, b"X: " + b"y" * 8150) + b"abc", b"abc"),
    ],
)
async def test_what_is_not_plain_is_aiohttps(request_bytes: bytes, body: bytes) -> None:
    async with lane() as here:
        assert (await here.exchange(request_bytes)).endswith(reply(body))
        assert here.plain == []
        assert here.other == [body]
        assert not here.express.connections


async def test_nonsense_is_aiohttps_to_refuse() -> None:
    async with lane() as here:
        assert b" 400 " in await here.exchange(b"\x16\x03\x01 hello\r\n\r\n")
        assert here.plain == here.other == []


async def test_requests_sent_together_are_answered_in_order() -> None:
    async with lane() as here, here.client() as (reader, writer):
        writer.write((head(*LINES) + b"abc") + (head(*LINES) + b"def"))
        answers = await _until_silent(reader, 2)
        assert answers.index(b"got:abc") < answers.index(b"got:def")


async def test_a_request_that_comes_while_another_is_answered_waits_for_it() -> None:
    async with lane() as here:
        here.gate.clear()
        async with here.client() as (reader, writer):
            writer.write(head(*LINES) + b"abc")
            await here.until(lambda: len(here.plain) == 1)
            writer.write(head(*LINES) + b"def")
            await writer.drain()
            assert len(here.plain) == 1
            here.gate.set()
            answers = await _until_silent(reader, 2)
            assert answers.index(b"got:abc") < answers.index(b"got:def")


async def test_a_client_that_sends_on_and_on_is_not_read_without_end() -> None:
    async with lane(body=10_000) as here:
        here.gate.clear()
        one = head(*LINES) + b"abc"
        async with here.client() as (reader, writer):
            writer.write(one)
            await here.until(lambda: len(here.plain) == 1)
            (connection,) = here.express.connections
            writer.write(one * 2_000)
            await here.until(lambda: "not reading" in repr(connection))
            here.gate.set()
            assert (await _until_silent(reader, 2_001)).count(b"got:abc") == 2_001


async def test_a_client_that_leaves_before_its_answer_disturbs_nobody() -> None:
    async with lane() as here:
        here.gate.clear()
        async with here.client() as (_, writer):
            writer.write(head(*LINES) + b"abc")
            await here.until(lambda: len(here.plain) == 1)
            writer.transport.abort()
            await here.until(lambda: not here.express.connections)
            here.gate.set()
            assert (await here.exchange(head(*LINES) + b"def")).endswith(b"got:def")


async def test_a_silent_connection_is_closed_and_a_slow_one_given_to_aiohttp() -> None:
    async with lane() as here, here.client() as (reader, writer):
        writer.write(head(*LINES) + b"abc")
        await _until_silent(reader)
        async with here.client() as (slow_reader, slow):
            slow.write(head(*LINES) + b"ab")
            await here.until(lambda: len(here.express.connections) == 2)
            now = asyncio.get_running_loop().time()
            for connection in tuple(here.express.connections):
                connection.sweep(now)
            assert len(here.express.connections) == 2
            held = len(head(*LINES)) + 2
            await here.until(lambda: f"waiting, {held} " in repr(here.express.connections))
            for connection in tuple(here.express.connections):
                connection.sweep(now + BODY_SECONDS + 1.0)
            slow.write(b"c")
            assert (await _until_silent(slow_reader)).endswith(b"got:abc")
            assert here.other == [b"abc"]
            (quiet,) = here.express.connections
            quiet.sweep(now + KEEP_ALIVE + 1.0)
            async with asyncio.timeout(10):
                assert await reader.read() == b""


async def test_a_client_that_never_reads_its_answers_is_dropped() -> None:
    async with lane() as here, here.client() as (_, writer):
        body = b"x" * 1000
        one = head(*LINES[:2], b"Content-Length: 1000") + body
        here.answer_size = 4_000_000
        writer.write(one)
        await here.until(lambda: "not reading" in repr(here.express.connections))
        (connection,) = here.express.connections
        connection.sweep(asyncio.get_running_loop().time() + KEEP_ALIVE + 1.0)
        await here.until(lambda: not here.express.connections)


async def test_a_client_that_asks_again_before_it_reads_is_not_given_away_while_its_answer_waits() -> None:
    """aiohttp would not know that the connection takes no more, and be told that it takes more again."""
    async with lane() as here, here.client() as (reader, writer):
        one = head(*LINES) + b"abc"
        here.gate.clear()
        here.answer_size = 4_000_000
        writer.write(one)
        await here.until(lambda: len(here.plain) == 1)
        writer.write(one)
        await here.until(lambda: f"{len(one)} bytes held" in repr(here.express.connections))
        here.gate.set()
        await here.until(lambda: "waiting" in repr(here.express.connections))
        (connection,) = here.express.connections
        connection.sweep(asyncio.get_running_loop().time() + BODY_SECONDS + 1.0)
        assert here.express.connections
        assert (await _until_silent(reader, 2)).count(b"got:abc") == 2
        assert len(here.plain) == 2
        assert here.other == []


async def test_closing_lets_the_answer_out_and_closes_the_rest() -> None:
    async with lane() as here, here.client() as (idle_reader, idle):
        idle.write(head(*LINES) + b"abc")
        await _until_silent(idle_reader)
        here.gate.clear()
        async with here.client() as (reader, writer):
            writer.write(head(*LINES) + b"def")
            await here.until(lambda: len(here.plain) == 2)
            async with asyncio.TaskGroup() as group:
                group.create_task(here.express.close(5.0))
                async with asyncio.timeout(10):
                    assert await idle_reader.read() == b""
                here.gate.set()
                async with asyncio.timeout(10):
                    assert (await reader.read()).endswith(b"got:def")
            assert not here.express.connections


async def test_closing_waits_no_longer_than_it_was_told() -> None:
    async with lane() as here:
        here.gate.clear()
        async with here.client() as (reader, writer):
            writer.write(head(*LINES) + b"abc")
            await here.until(lambda: len(here.plain) == 1)
            await here.express.close(0.0)
            async with asyncio.timeout(10):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            here.gate.set()


tokens = st.sampled_from(
    [
        *LINES, b"Connection: keep-alive", b"Connection: close", b"Transfer-Encoding: chunked", b"Host: y",
        b"Content-Length: 2", b"Content-Length: 3x", b"Expect: 100-continue", b"Accept: */*", b"X:\ty",
        b"Content-Encoding: identity", b"X : y", b"", b"\tx", b"X: \xff", b"Content-Length:3",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    first=st.sampled_from(
        [b"POST / HTTP/1.1", b"POST /?a=b HTTP/1.1", b"POST /# HTTP/1.1", b"PUT / HTTP/1.1"]
    ),
    lines=st.lists(tokens, min_size=1, max_size=6),
)
def test_whatever_is_understood_is_understood_as_aiohttp_does(first: bytes, lines: list[bytes]) -> None:
    """Send the same bytes to the lane and straight to aiohttp: both see the same body, or neither any."""

    async def both() -> None:
        request = head(*lines, first=first) + b"abc"
        found = read_head(head(*lines, first=first))
        async with lane() as here:
            if found is None or found.length != 3:
                return
            assert (await here.exchange(request)).endswith(b"got:abc")
            assert (await here.exchange(request.replace(b"POST", b"PUT", 1))).endswith(b"got:abc")
            assert [request.body for request in here.plain] == here.other == [b"abc"]

    asyncio.run(both())
