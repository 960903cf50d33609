"""The express lane: plain requests go straight to their handler, all others to aiohttp.

Nearly every request of a busy customer is the same small POST on a kept-alive connection. A parser's events,
a task switch, a URL, multidicts and a response object for it cost as much as accepting the message itself.

What is plain is defined narrowly: `POST /`, HTTP/1.1, one `Host`, one decimal `Content-Length`, nothing about
transfer, expectation, upgrade or closing, printable ASCII, a body that is not large. Whatever differs, if
only in one byte, is given unread to aiohttp together with its connection, and stays there. So all questions
of HTTP are answered in one place, and what the express lane understands it understands as aiohttp does.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple, cast

import structlog

log = structlog.get_logger(__name__)

Protocols = Callable[[], asyncio.BaseProtocol]

MAX_HEAD = 8 * 1024  # bytes
BODY_SECONDS = 5.0  # the rest of a request may take on the express lane
SWEEP = 5.0  # seconds between looks at who has been silent

_END = b"\r\n\r\n"
_TARGET = rb"/(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?"
_HEAD = re.compile(rb"POST %b HTTP/1\.1\r\n((?:[!#$%%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)+)\r\n" % _TARGET)
_FIELD = re.compile(rb"([^:\r\n]+):([^\r\n]*)\r\n")
_LENGTH = re.compile(rb"[1-9][0-9]{0,5}")
# what they ask for is aiohttp's business
_NOT_PLAIN = frozenset((b"transfer-encoding", b"content-encoding", b"expect", b"upgrade", b"te", b"trailer"))
_ONCE = frozenset((b"host", b"content-length", b"content-type", b"connection"))
_FORWARDED = b"x-forwarded-for"


class Head(NamedTuple):
    """What the lines before a plain request's body say."""

    length: int  # of the body
    content_type: str
    forwarded: tuple[str, ...]  # the values of X-Forwarded-For


class Limits(NamedTuple):
    """What a connection of the express lane may do."""

    keep_alive: float  # seconds it may be silent
    body: int  # bytes of a body, at most 999,999


class Plain(NamedTuple):
    """A plain request."""

    body: bytes
    content_type: str
    remote: str  # the address at the other end of the socket
    forwarded: tuple[str, ...]


Handle = Callable[[Plain], Awaitable[bytes]]  # returns the whole answer, head and body


def read_head(head: bytes) -> Head | None:
    """Return what `head`, its empty line included, says; None if it is not plain."""
    lines = _HEAD.fullmatch(head)
    if lines is None:
        return None
    once: dict[bytes, bytes] = {}
    forwarded: list[str] = []
    for name, value in _FIELD.findall(lines[1]):
        known = name.lower()
        if known in _ONCE:
            if known in once:
                return None
            once[known] = value.strip(b"\t ")
        elif known == _FORWARDED:
            forwarded.append(value.strip(b"\t ").decode())
        elif known in _NOT_PLAIN:
            return None
    length = once.get(b"content-length", b"")
    if not once.get(b"host") or not _LENGTH.fullmatch(length):
        return None
    if once.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    return Head(int(length), once.get(b"content-type", b"").decode(), tuple(forwarded))


class Express:
    """Makes the protocols of a listener: `loop.create_server(express, …)`."""

    def __init__(self, handle: Handle, ordinary: Protocols, limits: Limits) -> None:
        """`ordinary` makes aiohttp's protocols."""
        self.handle = handle
        self.ordinary = ordinary
        self.closing = False
        self.loop = asyncio.get_running_loop()
        self.connections: set[Connection] = set()
        self.limits = limits
        self._empty = asyncio.Event()
        self._sweeper = self.loop.call_later(SWEEP, self._sweep)

    def __call__(self) -> "Connection":
        """Return the protocol of a new connection."""
        return Connection(self)

    def gone(self, connection: "Connection") -> None:
        """Forget a connection that was closed or given away."""
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()

    async def close(self, seconds: float) -> None:
        """Close what is idle, give what is being answered `seconds`, then close that too."""
        self.closing = True
        self._sweeper.cancel()
        for connection in tuple(self.connections):
            connection.close_if_idle()
        if self.connections:
            self._empty.clear()
            try:
                await asyncio.wait_for(self._empty.wait(), seconds)
            except TimeoutError:
                for connection in tuple(self.connections):
                    connection.abort()

    def _sweep(self) -> None:
        now = self.loop.time()
        self._sweeper = self.loop.call_at(now + SWEEP, self._sweep)
        for connection in tuple(self.connections):
            connection.sweep(now)


class Connection(asyncio.Protocol):
    """One connection, for as long as its requests are plain; one request at a time."""

    def __init__(self, express: Express) -> None:
        self._express = express
        self._transport: asyncio.Transport | None = None
        self._remote = ""
        self._held = bytearray()  # came too early, or is not whole yet
        self._needed = 0  # bytes of the request that is not whole yet; 0 while nobody knows
        self._task: asyncio.Task[None] | None = None  # answers the request that is being answered
        self._writable = True
        self._reading = True
        self._since = 0.0  # when the last bytes came or went
        self._last_head = b""  # a client's heads hardly differ from one request to the next
        self._last_read: Head | None = None

    def __repr__(self) -> str:
        doing = "answering" if self._task is not None else "waiting"
        paused = "" if self._reading else ", not reading"
        return f"<Connection of {self._remote}, {doing}, {len(self._held)} bytes held{paused}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the lane."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._remote = str(peer[0]) if peer else ""
        self._since = self._express.loop.time()
        self._express.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those that come while a request is answered wait."""
        if self._held or self._task is not None:
            self._held += data
            if self._task is not None:
                if len(self._held) > self._express.limits.body:
                    self._pause()
                return
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        self._begin(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """Leave; what is being accepted is accepted all the same."""
        self._transport = None
        self._express.gone(self)

    def pause_writing(self) -> None:
        """Read no more requests of a client that does not read its answers."""
        self._writable = False
        self._pause()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        if self._task is None:
            self._next()

    def close_if_idle(self) -> None:
        """Close, unless a request is being answered."""
        if self._task is None and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def sweep(self, now: float) -> None:
        """Close a connection that is silent; give one away that takes long over its request."""
        if self._task is not None:
            return
        silent = now - self._since
        if self._held and self._writable and silent > BODY_SECONDS:
            self._give_away(bytes(self._held))
        elif silent > self._express.limits.keep_alive:
            if self._writable:
                self.close_if_idle()
            else:
                self.abort()  # to close would be to wait until what it does not read has been sent

    # one request

    def _begin(self, data: bytes) -> None:
        """Start answering the request that `data` is, keep what is not whole, give away what is not plain."""
        express = self._express
        end = data.find(_END) + len(_END)
        if end < len(_END):
            self._give_away(data)
            return
        head_bytes = data[:end]
        if head_bytes == self._last_head:
            head = self._last_read
        else:
            head = read_head(head_bytes) if end <= MAX_HEAD else None
            self._last_head, self._last_read = head_bytes, head
        self._needed = needed = end + head.length if head is not None else 0
        if head is None or head.length > express.limits.body or len(data) > needed or express.closing:
            self._give_away(data)
        elif len(data) < needed:
            self._held += data
            self._since = express.loop.time()
        else:
            plain = Plain(data[end:], head.content_type, self._remote, head.forwarded)
            self._task = express.loop.create_task(self._answer(plain))

    async def _answer(self, plain: Plain) -> None:
        try:
            answer = await self._express.handle(plain)
        except Exception:
            log.exception("no answer")
            self.abort()
            return
        finally:
            self._task = None
        self._since = self._express.loop.time()
        transport = self._transport
        if transport is None:
            return
        transport.write(answer)
        if self._express.closing:
            transport.close()
        elif self._writable:
            self._next()

    def _next(self) -> None:
        """Go on with what came meanwhile, and read on."""
        if self._transport is None:
            return
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()
        if self._held:
            data = bytes(self._held)
            self._held.clear()
            self._begin(data)

    def _pause(self) -> None:
        if self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()

    def _give_away(self, data: bytes) -> None:
        """Let aiohttp have the connection, and `data` as the first it hears of it."""
        transport = self._transport
        assert transport is not None
        if not self._reading:
            transport.resume_reading()
        self._transport = None
        self._held.clear()
        self._express.gone(self)
        ordinary = cast(asyncio.Protocol, self._express.ordinary())
        transport.set_protocol(ordinary)
        ordinary.connection_made(transport)
        ordinary.data_received(data)
