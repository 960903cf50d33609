"""Reads a request's body: bounded in size and time, whatever the client does."""

import asyncio

from aiohttp import web

SECONDS = 60.0  # a body that takes longer is given up; the customers' clients wait 30


class BodyError(Exception):
    """The body cannot be had."""


class BodyTooLarge(BodyError):
    """It is longer than the application's `client_max_size`."""


class BodyTimeout(BodyError):
    """It did not arrive in time."""


class BodyBroken(BodyError):
    """Its chunks or its compression make no sense, or the client went away."""


async def read_body(request: web.Request) -> bytes:
    """Return the whole body, decompressed; raises one of the `BodyError`s."""
    try:
        # nearly every body has come together with its headers
        if request.content.is_eof():
            return await request.read()
        async with asyncio.timeout(SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge from None
    except TimeoutError:
        raise BodyTimeout from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise BodyBroken(str(error)) from None
