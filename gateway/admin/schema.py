"""What requests and answers are made of: checks, answers and the OpenAPI document come from these models."""

import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from gateway.admin.problem import unreadable
from gateway.web.problem import Mistake

LONGEST_PAGE = 200
LONGEST_ID = 2**63 - 1  # of a store's row


class Body(BaseModel):
    """A request's body: JSON of exactly these fields and types; nothing is converted, nothing ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """A request's query: exactly these parameters, each once."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """A response's body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FileAnswer(Answer):
    """A file instead of JSON, to be saved and not to be run."""

    path: Path
    type: str
    name: str


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("no control characters or line breaks here")
    return text


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(_printable)
]
Word = Annotated[str, StringConstraints(max_length=128), AfterValidator(_printable)]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(_printable),
    Field(description="Why: kept in the audit."),
]  # fmt: skip
Secret = Annotated[
    str, StringConstraints(min_length=1, max_length=1_000), Field(json_schema_extra={"format": "password"})
]
Money = Annotated[str, Field(description="Decimal text in the gateway's currency.", examples=["12.50"])]
When = AwareDatetime


class Paging(Query):
    """Which page of a list."""

    limit: int = Field(50, ge=1, le=LONGEST_PAGE, description="At most so many items.")
    cursor: str = Field("", max_length=500, description="`next` of the page before; empty: the first page.")


class Why(Body):
    """Why something is done, where nothing else need be said."""

    reason: Reason = ""


def when(unix_ms: int) -> datetime:
    """Return a stored time as answers hold it."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


def when_or_none(unix_ms: int | None) -> datetime | None:
    """Return a stored time that may be missing."""
    return None if unix_ms is None else when(unix_ms)


def unix_ms(moment: datetime | None) -> int | None:
    """Return a given time as it is stored."""
    return None if moment is None else round(moment.timestamp() * 1000)


def cursor_of(*position: str | int) -> str:
    """Return the opaque text that continues a list after `position`."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def position_in(cursor: str, *kinds: type[Any]) -> tuple[Any, ...] | None:
    """Return the position that `cursor_of` was given, None for the first page; raises `Problem`."""
    if not cursor:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        position = None
    fits = isinstance(position, list) and len(position) == len(kinds)
    if not fits or not all(
        type(one) is kind and _storable(one) for one, kind in zip(position, kinds, strict=True)
    ):
        raise unreadable("the query does not have the form this endpoint takes", _NO_CURSOR)
    return tuple(position)


def _storable(value: str | int) -> bool:
    """Whether a store can compare `value` with its own."""
    return "\0" not in value if isinstance(value, str) else -LONGEST_ID <= value <= LONGEST_ID


_NO_CURSOR = (Mistake("query.cursor", "is not one that this list gave out"),)
