"""Small answers written as they are: a dozen headers that are always the same need no multidict each time.

Building and serialising a response costs aiohttp some 35 µs, a fifth of a one-number request. Everything
that is not small and plain goes out the usual way.
"""

import asyncio
import time
from email.utils import formatdate
from typing import Any

from aiohttp import HttpVersion10, hdrs, web
from aiohttp.http import SERVER_SOFTWARE

SMALL = 16 * 1024  # bytes of body; a longer one may have to wait for the peer to read
UNREAD = 64 * 1024  # bytes of answers that may wait for a client; asyncio's own mark as well
PATIENCE = 75.0  # seconds a client may read nothing while so much waits


class Prepared(web.Response):
    """A 200 with a JSON body, complete on the wire in one write."""

    def __init__(self, body: bytes, head: bytes) -> None:
        """`head` is whole header lines, each with its CRLF, besides those every answer has."""
        super().__init__()
        self._payload = body
        self._head = head
        self._asked: web.BaseRequest | None = None

    async def prepare(self, request: web.BaseRequest) -> Any:
        """Note who asked; nothing is written before the end."""
        self._asked = request

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the answer; it is the next request that waits until there is room for more."""
        request, body = self._asked, self._payload
        assert request is not None
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        transport.write(
            b"HTTP/%b 200 OK\r\n%bContent-Length: %d\r\n%b%b\r\n%b"
            % (_version(request), self._head, len(body), _date.line(), _connection(request), body)
        )
        if transport.get_write_buffer_size() > UNREAD:
            await _until_read(request, transport)

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection goes on."""
        return self._asked is not None and self._asked.keep_alive


async def _until_read(request: web.BaseRequest, transport: asyncio.Transport) -> None:
    """Wait for a client that asks faster than it reads; one that does not read at all is left."""
    try:
        async with asyncio.timeout(PATIENCE):
            await request.writer.drain()
    except TimeoutError:
        transport.abort()  # to close would be to wait until what it does not read has been sent


def complete(body: bytes, head: bytes) -> bytes:
    """Return the same answer as bytes, for an HTTP/1.1 connection that goes on."""
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n%b\r\n%b" % (head, len(body), _date.line(), body)


def _version(request: web.BaseRequest) -> bytes:
    return b"1.0" if request.version == HttpVersion10 else b"1.1"


def _connection(request: web.BaseRequest) -> bytes:
    """Return what must be said about the connection (RFC 9112 §9.3): nothing where it is the default."""
    if request.version == HttpVersion10:
        return b"Connection: keep-alive\r\n" if request.keep_alive else b""
    return b"" if request.keep_alive else b"Connection: close\r\n"


class _Date:
    """The `Date` and `Server` lines, made anew once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = b""

    def line(self, now: float | None = None) -> bytes:
        second = int(time.time() if now is None else now)
        if second != self._second:
            self._second = second
            lines = f"{hdrs.DATE}: {formatdate(second, usegmt=True)}\r\n{hdrs.SERVER}: {SERVER_SOFTWARE}\r\n"
            self._line = lines.encode()
        return self._line


_date = _Date()
