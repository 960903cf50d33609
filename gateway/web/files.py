"""Hands out a stored file so that a browser saves it and does nothing else with it."""

from pathlib import Path
from urllib.parse import quote

from aiohttp import web


def file_response(path: Path, content_type: str, name: str) -> web.FileResponse:
    """Return the file; its type is what its bytes were checked to be, its name what the sender called it."""
    return web.FileResponse(
        path,
        headers={
            "Content-Type": content_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        },
    )
