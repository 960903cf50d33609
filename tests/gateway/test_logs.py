"""Logs: one line an event, and nothing in it that should not be read."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp import web
from aiohttp.http_exceptions import BadStatusLine

from config.schema import LogSettings
from gateway.logs import configure, mask_number, mask_text


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    handlers, level = logging.root.handlers, logging.root.level
    stream = io.StringIO()
    configure(LogSettings(), stream)
    yield stream
    logging.root.handlers, logging.root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_its_level_time_and_origin(stream: io.StringIO) -> None:
    structlog.get_logger("gateway.flow").info("link bound", channel="a", links=2)
    (line,) = lines(stream)
    assert line["event"] == "link bound"
    assert line["level"] == "info"
    assert line["logger"] == "gateway.flow"
    assert line["channel"] == "a"
    assert line["links"] == 2
    assert str(line["timestamp"]).endswith("Z")


def test_numbers_texts_and_secrets_do_not_reach_the_log(stream: io.StringIO) -> None:
    structlog.get_logger("t").warning(
        "cannot send to 60123456789",
        phone="60123456789",
        phones=["+6598765432", "8613800138000"],
        text="Your code is 246810",
        password="hunter2",
        private_key="46f09bb9fab4f12d",
        nested={"destination": "60123456789", "channel": "a"},
    )
    written = stream.getvalue()
    for secret in ("60123456789", "98765432", "13800138000", "246810", "hunter2", "46f09bb9fab4f12d"):
        assert secret not in written
    (line,) = lines(stream)
    assert line["phone"] == "601******89"
    assert line["event"] == "cannot send to 601******89"
    assert line["nested"] == {"destination": "601******89", "channel": "a"}


def test_of_a_request_that_is_no_http_the_log_says_only_so(stream: io.StringIO) -> None:
    # what aiohttp makes of the first line of a GET, with whatever the customer put there
    error = BadStatusLine("GET /?TemplateParams.0=246810&Signature=fb4287 HTTP/9.9")
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "192.0.2.1", exc_info=error)
    (line,) = lines(stream)
    assert (line["level"], line["event"]) == ("info", "not HTTP, from 192.0.2.1: BadStatusLine")
    assert "246810" not in stream.getvalue()
    assert "fb4287" not in stream.getvalue()


def test_a_body_that_cannot_be_unpacked_is_no_alarm(stream: io.StringIO) -> None:
    logging.getLogger("aiohttp.server").error("Unhandled exception", exc_info=web.RequestPayloadError("gzip"))
    (line,) = lines(stream)
    assert (line["level"], line["event"]) == ("info", "not HTTP, from somebody: RequestPayloadError")


def test_an_exception_is_written_in_full_but_masked(stream: io.StringIO) -> None:
    try:
        raise ValueError("no country for 60123456789")
    except ValueError:
        structlog.get_logger("t").exception("failed")
    (line,) = lines(stream)
    assert "Traceback" in str(line["exception"])
    assert "no country for 601******89" in str(line["exception"])


def test_a_library_logs_in_the_same_form(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("connected to %s", "postgresql://sms:hunter2@db/sms")
    (line,) = lines(stream)
    assert line["event"] == "connected to postgresql://sms:[hidden]@db/sms"
    assert line["logger"] == "some.library"


def test_the_level_is_a_setting() -> None:
    handlers, level = logging.root.handlers, logging.root.level
    stream = io.StringIO()
    try:
        configure(LogSettings(level="error"), stream)
        structlog.get_logger("quiet").info("not written")
        structlog.get_logger("quiet").error("written")
    finally:
        logging.root.handlers, logging.root.level = handlers, level
        structlog.reset_defaults()
    assert [line["event"] for line in lines(stream)] == ["written"]


def test_people_get_lines_they_can_read() -> None:
    handlers, level = logging.root.handlers, logging.root.level
    stream = io.StringIO()
    try:
        configure(LogSettings(format="console"), stream)
        structlog.get_logger("t").info("link bound", channel="a")
    finally:
        logging.root.handlers, logging.root.level = handlers, level
        structlog.reset_defaults()
    assert "link bound" in stream.getvalue()
    assert "channel=a" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+60123456789", "+60*******89"),
        ("ids 1795418388842000123 stay", "ids 1795418388842000123 stay"),
        ("0198f3a2-1234-7abc-8def-123456789012", "0198f3a2-1234-7abc-8def-123456789012"),
        ("port 8080", "port 8080"),
    ],
)
def test_only_what_looks_like_a_number_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_a_short_number_shows_nothing() -> None:
    assert mask_number("12345") == "*****"
