"""One callback POST: to public addresses only, no redirects, bounded in time and size; it never raises.

The address check sits where the socket is made, so it sees exactly the address about to be connected to:
a name that resolves differently a moment later (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import os
import socket
import threading
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult

from config.schema import CallbackSettings

MAX_ANSWER = 64 * 1024  # a customer's answer is {"code": 0}; nobody needs more
HEADERS = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "scloud-sms"}
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: carries an IPv4 address in its low 32 bits
# RFC 6890 and RFC 9637: not global, though not every Python we run on knows
NOT_GLOBAL = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("3fff::/20"))
DNS_CACHE_SECONDS = 30

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
AddrInfo = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]
]  # as from getaddrinfo


class Reply(Enum):
    """How a POST ended, as far as the next one is concerned."""

    TAKEN = "taken"  # 2xx and code 0
    REFUSED = "refused"  # the endpoint answered, but not that
    UNREACHABLE = "unreachable"  # no answer: refused connection, time-out, broken off


class Verdict(NamedTuple):
    """The end of one POST; `detail` is for people."""

    reply: Reply
    detail: str = ""


class TargetRefused(OSError):
    """The address is not a public one; no socket was opened."""


def embedded(address: Address) -> Address | None:
    """Return the IPv4 address that an IPv6 address stands for (mapped, 6to4, Teredo, NAT64), if any."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None


def is_public(host: str) -> bool:
    """Whether a numeric address may be called: global unicast, and so is any IPv4 address inside it."""
    address = ipaddress.ip_address(host.partition("%")[0])
    inner = embedded(address)
    if inner is not None and (address in NAT64 or not is_public(str(inner))):
        return is_public(str(inner))
    if any(address in network for network in NOT_GLOBAL):
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address.ipv4_mapped):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def open_guarded(info: AddrInfo) -> socket.socket:
    """Make the socket for one resolved address; raises `TargetRefused` unless it is public."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise TargetRefused(f"{address[0]} is not a public address")
    return socket.socket(family=family, type=kind, proto=protocol)


class OwnThreadResolver(AbstractResolver):
    """Looks names up in a thread of their own each.

    A shared pool would be a limit that a few names with a dead DNS server could use up for everybody. The
    connector asks for one name once at a time, so there are never more threads than endpoints.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of `host`; raises OSError."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def settle(result: list[ResolveResult] | OSError) -> None:
            if found.done():
                return
            if isinstance(result, OSError):
                found.set_exception(result)
            else:
                found.set_result(result)

        def look_up() -> None:
            result: list[ResolveResult] | OSError
            try:
                result = [
                    _resolved(host, info)
                    for info in socket.getaddrinfo(
                        host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
                    )
                ]
            except OSError as error:
                result = error
            except UnicodeError as error:
                result = OSError(f"not a host name: {error}")
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result)

        try:
            threading.Thread(target=look_up, name=f"dns {host}", daemon=True).start()
        except RuntimeError as error:  # the system gives out no more threads
            raise OSError(str(error)) from error
        return await found

    async def close(self) -> None:
        """Nothing is kept open."""


def _resolved(host: str, info: Sequence[Any]) -> ResolveResult:
    family, _, protocol, _, address = info
    return ResolveResult(
        hostname=host,
        host=str(address[0]),
        port=int(address[1]),
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


class CallbackClient:
    """POSTs to customers' endpoints. Open it with `async with`."""

    def __init__(self, settings: CallbackSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "CallbackClient":
        connector = aiohttp.TCPConnector(
            limit=0,  # a shared limit is one that a few dead endpoints could use up
            resolver=OwnThreadResolver(),
            ttl_dns_cache=DNS_CACHE_SECONDS,
            socket_factory=None if self._settings.allow_private else open_guarded,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # an answer may not grow past its bound
            skip_auto_headers=("Accept-Encoding",),
            headers=HEADERS,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, url: str, body: bytes) -> Verdict:
        """Send `body` and judge the answer. Whatever the peer does is a verdict, not an exception."""
        if self._session is None:
            raise RuntimeError("the client is not open")
        try:
            async with self._session.post(url, data=body, allow_redirects=False) as response:
                answer = await _read(response)
                return judge(response.status, answer)
        except TimeoutError:
            return Verdict(Reply.UNREACHABLE, f"no answer within {self._settings.timeout:g} s")
        except aiohttp.ClientConnectorError as error:
            return Verdict(Reply.UNREACHABLE, _cause(error.os_error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Verdict(Reply.UNREACHABLE, _cause(error))


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the answer's body, or None (and give up the connection) when it is too long."""
    answer = bytearray()
    async for chunk in response.content.iter_any():
        answer += chunk
        if len(answer) > MAX_ANSWER:
            response.close()
            return None
    return bytes(answer)


def judge(status: int, answer: bytes | None) -> Verdict:
    """Read an endpoint's answer: taken means 2xx and a JSON object whose `code` is 0."""
    if not 200 <= status < 300:
        return Verdict(Reply.REFUSED, f"HTTP {status}")
    if answer is None:
        return Verdict(Reply.REFUSED, f"answer longer than {MAX_ANSWER} bytes")
    try:
        document = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return Verdict(Reply.REFUSED, "answer is not JSON")
    if not isinstance(document, dict) or "code" not in document:
        return Verdict(Reply.REFUSED, "answer has no code")
    code = document["code"]
    if code is False or code not in (0, "0"):
        return Verdict(Reply.REFUSED, f"answer has code {str(code)[:40]}")
    return Verdict(Reply.TAKEN)


def _cause(error: BaseException) -> str:
    """Return a short, stable text for a network failure; never the URL, which may hold a password."""
    if isinstance(error, aiohttp.InvalidURL):
        return "the callback URL cannot be used"
    if isinstance(error, OSError):
        code = error.errno or 0  # negative: a name lookup's own
        text = os.strerror(code) if code > 0 else error.strerror or str(error)
        return f"{type(error).__name__}: {text}"[:120]
    return type(error).__name__
