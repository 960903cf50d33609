"""The bare floor: the least an aiohttp handler can do with such a request. Run as a process of its own."""

import sys
from urllib.parse import parse_qsl
from uuid import uuid4

import uvloop
from aiohttp import web

SESSION = str(uuid4())


async def handle(request: web.Request) -> web.Response:
    """Read the body, parse the form, answer the same JSON as the gateway; check and store nothing."""
    form = dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
    return web.json_response(
        {
            "Action": form["Action"] + "Response",
            "Message": "Send success",
            "RetCode": 0,
            "SessionNo": SESSION,
        }
    )


def main(port: int) -> None:
    """Serve until terminated."""
    app = web.Application(client_max_size=13 * 1024 * 1024)
    app.router.add_post("/", handle)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main(int(sys.argv[1]))
