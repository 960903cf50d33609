"""Reads a request's body: bounded in size and time, one by one and all together, whatever clients do."""

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

SECONDS = 60.0  # a body that takes longer is given up; the customers' clients wait 30
SMALL_BODY = 64 * 1024  # bytes; what is not longer needs no room of its own
SHARE = 4  # of all room for large bodies, one client may have this fraction


class BodyError(Exception):
    """The body cannot be had."""


class BodyTooLarge(BodyError):
    """It is longer than the application's `client_max_size`."""


class BodyTimeout(BodyError):
    """It did not arrive in time."""


class BodyRefused(BodyError):
    """Too many bytes of large bodies are held already; nothing of this one was read."""


class BodyBroken(BodyError):
    """Its chunks or its compression make no sense, or the client went away."""


class Room:
    """Bytes of large bodies that may be held at once; a client that hoards leaves room for the others."""

    def __init__(self, most: int, longest: int) -> None:
        """`most`: of all together; `longest`: of one body, which one client always has room for."""
        self.longest = longest
        self._free = max(most, longest)
        self._share = max(self._free // SHARE, longest)
        self._held: dict[str, int] = {}  # by client

    def held(self, client: str) -> "Held":
        """Return the place of one request of `client`; leaving its block gives back what it took."""
        return Held(self, client)

    def take(self, client: str, size: int) -> None:
        """Set `size` aside for `client`; raises `BodyRefused`."""
        held = self._held.get(client, 0) + size
        if size > self._free or held > self._share:
            raise BodyRefused
        self._free -= size
        self._held[client] = held

    def give_back(self, client: str, size: int) -> None:
        """Take back what was set aside."""
        self._free += size
        self._held[client] -= size
        if not self._held[client]:
            del self._held[client]


class Held:
    """What one request holds of the room, from before its body is read until its answer is known."""

    def __init__(self, room: Room, client: str) -> None:
        self._room = room
        self._client = client
        self._size = 0

    def __enter__(self) -> Self:
        """Hold nothing yet: most bodies are small."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what was taken."""
        if self._size:
            self._room.give_back(self._client, self._size)

    async def read(self, request: web.Request) -> bytes:
        """Return the whole body, decompressed; raises one of the `BodyError`s."""
        size = request.content_length
        if size is not None and size > self._room.longest:
            raise BodyTooLarge
        try:
            # nearly every body has come together with its headers
            if request.content.is_eof() and "Content-Encoding" not in request.headers:
                return await request.read()
            async with asyncio.timeout(SECONDS):
                if size is None or "Content-Encoding" in request.headers:
                    return await self._read_growing(request)
                self._need(size)
                return await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise BodyTooLarge from None
        except TimeoutError:
            raise BodyTimeout from None
        except (web.RequestPayloadError, ConnectionError) as error:
            raise BodyBroken(str(error)) from None

    async def _read_growing(self, request: web.Request) -> bytes:
        """Read what does not say how long it is going to be, and take room as it grows."""
        body = bytearray()
        while chunk := await request.content.readany():
            body += chunk
            if len(body) > self._room.longest:
                raise BodyTooLarge
            if len(body) > self._size:
                self._need(min(2 * len(body), self._room.longest))
        return bytes(body)

    def _need(self, size: int) -> None:
        if size > SMALL_BODY:
            self._room.take(self._client, size - self._size)
            self._size = size
