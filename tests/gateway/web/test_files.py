"""A file on its way out: saved under its name, never run."""

from pathlib import Path

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.web.files import file_response


async def test_a_browser_saves_it_and_does_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "ab"
    path.write_bytes(b"%PDF-1.7 <script>")

    async def handle(_: web.Request) -> web.StreamResponse:
        return file_response(path, "application/pdf", '营业 "执照";.pdf')

    app = web.Application()
    app.router.add_get("/", handle)
    async with TestServer(app) as server, ClientSession() as client, client.get(server.make_url("/")) as got:
        assert await got.read() == b"%PDF-1.7 <script>"
        assert got.headers["Content-Type"] == "application/pdf"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Cache-Control"] == "no-store"
        assert "sandbox" in got.headers["Content-Security-Policy"]
        disposition = got.headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename*=UTF-8''%E8%90%A5%E4%B8%9A%20%22")
        assert disposition.isascii()
