"""What every command shares: its two options and how results are printed."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.domain.message import Purpose
from gateway.errors import Invalid

if TYPE_CHECKING:
    from rich.table import Table

Cell = str | int | float | bool | None
Result = Mapping[str, object]

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", metavar="FILE", envvar="SCLOUD_CONFIG", help="The settings file."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")]
SinceOption = Annotated[str, typer.Option("--since", help="2026-01-31 or 2026-01-31T12:00, in UTC.")]
UntilOption = Annotated[str, typer.Option("--until", help="The same; exclusive.")]
DEFAULT_CONFIG = Path("gateway.toml")
WIDE = 400  # columns when nobody's terminal limits them


def moment(unix_ms: int | None) -> str | None:
    """Return a stored time as people write it, in UTC."""
    if unix_ms is None:
        return None
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="seconds")


def day_of(text: str) -> date:
    """Return the day meant by YYYY-MM-DD; raises `Invalid`, also for one no calendar has."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no day: write YYYY-MM-DD") from None


def time_of(text: str) -> int | None:
    """Return the unix ms meant by a day or a time, in UTC unless it names its zone; None for ""."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Invalid(f"{text!r} is no time: write 2026-01-31 or 2026-01-31T12:00") from None


def now_ms() -> int:
    """Return unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def purpose_of(text: str) -> Purpose:
    """Return the purpose meant by its number or word; raises `Invalid`."""
    words = {purpose.name.lower(): purpose for purpose in Purpose}
    numbers = {str(int(purpose)): purpose for purpose in Purpose}
    found = (words | numbers).get(text.strip().lower())
    if found is None:
        raise Invalid(f"{text!r} is no purpose: 1 verification, 2 notification, 3 promotion")
    return found


def show(result: Result, as_json: bool) -> None:
    """Print one result: JSON, or its fields for people."""
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    table = _table(show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in result.items():
        table.add_row(name.replace("_", " "), _text(value))
    _print(table)


def show_rows(rows: Sequence[Result], as_json: bool) -> None:
    """Print a list: a JSON array, or a table."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        typer.echo("none")
        return
    table = _table()
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    _print(table)


def _table(*, show_header: bool = True) -> "Table":
    from rich.table import Table  # noqa: PLC0415 — programs ask for JSON and need not wait for it

    return Table(box=None, show_header=show_header, pad_edge=False)


def _print(table: "Table") -> None:
    from rich.console import Console  # noqa: PLC0415

    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, markup=False, width=width).print(table)


def _text(value: object) -> str:
    return "-" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
