"""A command waits for the running gateway, and for nobody else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from config.load import load_settings
from gateway.cli import notice
from gateway.cli.office import Office
from gateway.store.engine import open_store
from tests.support.cli import CommandLine


@contextmanager
def gateway(*answers: dict[str, int]) -> Iterator[tuple[str, list[str]]]:
    """Answer /healthz with these revisions, one after the other, then with the last of them."""
    asked: list[str] = []

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"revisions": answers[min(len(asked), len(answers) - 1)]}).encode()
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Health)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def office(directory: Path, admin: str) -> Iterator[Office]:
    settings = load_settings(directory / "gateway.toml")
    store = open_store(settings.store.url)
    yield Office(replace(settings, http=replace(settings.http, admin=admin)), store)
    store.close()


def test_it_waits_for_the_revision_of_its_scope(cli: CommandLine) -> None:
    older = {"money": 2, "directory": 9}
    with gateway({}, older, older, {"money": 3}) as (admin, asked), office(cli.directory, admin) as here:
        assert notice.await_notice(here, "money", 3)
    assert asked == ["/healthz"] * 4


def test_it_does_not_wait_for_ever(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice, "LIMIT", 0.05)
    with gateway({"money": 2}) as (admin, _), office(cli.directory, admin) as here:
        assert not notice.await_notice(here, "money", 3)


def test_where_nobody_answers_nobody_is_waited_for(cli: CommandLine) -> None:
    with gateway({}) as (admin, _):
        pass
    with office(cli.directory, admin) as here:
        assert notice.await_notice(here, "money", 3)
