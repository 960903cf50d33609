"""Logging, set up once: one line an event, JSON or for people; numbers masked, texts and secrets left out."""

import asyncio
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.schema import LogSettings

# values that are replaced whole; in a log line nobody needs them
SECRET_KEYS = frozenset(
    {"password", "private_key", "master_key", "secret", "authorization", "signature", "body", "request_body"}
    | {"text", "texts", "content", "sig_content", "template_params", "params", "payload", "short_message"}
)
# values that are telephone numbers; enough of them stays to recognise a country and tell two apart
NUMBER_KEYS = frozenset(
    {"phone", "phones", "phone_given", "number", "numbers", "destination", "source", "msisdn", "recipient"}
)
FREE_TEXT_KEYS = ("event", "error", "exception", "detail", "reason")
_NUMBER_IN_TEXT = re.compile(r"(?<![\w.:-])\+?\d{8,15}(?![\w-])")
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]*@")
HIDDEN = "[hidden]"


def mask_number(number: str) -> str:
    """Return `number` with all but its first three and last two characters starred."""
    if len(number) < 8:
        return "*" * len(number)
    return number[:3] + "*" * (len(number) - 5) + number[-2:]


def mask_text(text: str) -> str:
    """Return `text` with everything that looks like a telephone number or a URL's password masked."""
    text = _URL_PASSWORD.sub(r"\1:[hidden]@", text)
    return _NUMBER_IN_TEXT.sub(lambda found: mask_number(found.group()), text)


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: hide what the key says is secret, mask numbers wherever they may be."""
    for key, value in event.items():
        if key in SECRET_KEYS:
            event[key] = HIDDEN
        elif key in NUMBER_KEYS:
            event[key] = _masked_numbers(value)
        elif key in FREE_TEXT_KEYS and isinstance(value, str):
            event[key] = mask_text(value)
        elif isinstance(value, Mapping):
            event[key] = mask(_logger, _method, dict(value))
    return event


def _masked_numbers(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_number(str(item)) for item in value]
    return None if value is None else mask_number(str(value))


def configure(settings: LogSettings, stream: TextIO | None = None, log_format: str | None = None) -> None:
    """Send our events and those of every library to `stream` (standard error) in one form.

    `log_format` wins over the one in the settings.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if (log_format or settings.format) == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(settings.level.upper())
    for chatty in ("alembic", "aiohttp.access", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.root.level, logging.WARNING))
    logging.getLogger("aiohttp.server").addFilter(_tell_less_of_bad_requests)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


# where aiohttp defines its errors about what a peer sent
_ABOUT_BYTES = ("aiohttp.http_exceptions", "aiohttp.web_protocol")


def _tell_less_of_bad_requests(record: logging.LogRecord) -> bool:
    """Reduce what aiohttp says of bytes that are no HTTP: it quotes numbers, texts and signature."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None or type(error).__module__ not in _ABOUT_BYTES:
        return True
    peer = record.args[0] if isinstance(record.args, tuple) and record.args else "somebody"
    record.msg, record.args = "not HTTP, from %s: %s", (peer, type(error).__name__)
    record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
    return logging.root.isEnabledFor(logging.INFO)


def log_loop_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Send what a callback of the event loop raised, which nobody can catch, to the log."""
    log = structlog.get_logger("asyncio")

    def report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        log.error("callback failed", error=str(context.get("message", "")), exc_info=error)

    loop.set_exception_handler(report)
