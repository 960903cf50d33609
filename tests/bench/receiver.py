"""The customer's side of the benchmark: takes callbacks fast, counts them, and notices doubles and strangers.

`POST /…` is a callback; `GET /stats` answers `{"posts", "reports", "distinct", "last"}`. Numbers are counted
in a bitmap: the generator's are `(60)1` and eight digits, each used once.
"""

import asyncio
import json
import re
import sys
import time
from typing import cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PHONE = re.compile(rb'"Phone": *"\(60\)1(\d{8})"')
_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n" + b'{"code":0}'


class Counts:
    """What has come so far."""

    def __init__(self) -> None:
        self.posts = 0
        self.reports = 0
        self.distinct = 0
        self.last = 0.0  # when the last callback came, unix time
        self._seen = bytearray(10**8 // 8)

    def take(self, body: bytes) -> None:
        """Count one callback."""
        self.posts += 1
        self.last = time.time()
        seen = self._seen
        for digits in _PHONE.findall(body):
            self.reports += 1
            number = int(digits)
            bit = 1 << (number & 7)
            if not seen[number >> 3] & bit:
                seen[number >> 3] |= bit
                self.distinct += 1

    def page(self) -> bytes:
        """Return the counts as an HTTP answer."""
        text = json.dumps(
            {"posts": self.posts, "reports": self.reports, "distinct": self.distinct, "last": self.last}
        ).encode()
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text)
            + text
        )


class Endpoint(asyncio.Protocol):
    """One connection of the gateway's."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        assert self._transport is not None
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[: end + 2])
            length = _LENGTH.search(head)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < size:
                return
            if head.startswith(b"GET"):
                self._transport.write(self._counts.page())
            else:
                self._counts.take(bytes(self._buffer[end + 4 : size]))
                self._transport.write(_TAKEN)
            del self._buffer[:size]


async def _main(port: int) -> None:
    counts = Counts()
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(counts), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1])))
