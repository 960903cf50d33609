"""What every command shares: its two options, the store it works on, and how results are printed."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from config.load import load_settings
from config.schema import LogSettings, Settings
from gateway.auth.keys import Keyring
from gateway.cli import acting
from gateway.domain.message import Purpose
from gateway.domain.operator import Permission
from gateway.errors import Invalid
from gateway.logs import configure
from gateway.store import accounts
from gateway.store.audit import By
from gateway.store.engine import Store, open_store
from gateway.store.keyring import open_keyring

Cell = str | int | float | bool | None
Result = Mapping[str, object]

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", metavar="FILE", envvar="SCLOUD_CONFIG", help="The settings file."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")]
DEFAULT_CONFIG = Path("gateway.toml")
WIDE = 400  # columns when nobody's terminal limits them


@dataclass(frozen=True, slots=True)
class Office:
    """Where an operator's command works: beside the running gateway, on the same store."""

    settings: Settings
    store: Store

    def keyring(self) -> Keyring:
        """Return the keyring; makes the master key if nothing is sealed yet."""
        return open_keyring(self.store, Path(self.settings.security.master_key_file))


@contextmanager
def office(config: Path) -> Iterator[Office]:
    """Open the store of `config`, making it or bringing it up to date first.

    Raises `NotFound` or `Forbidden` if the command is to act as an operator who cannot.
    """
    settings = load_settings(config)
    configure(LogSettings(level="warning", format="console"))
    store = open_store(settings.store.url)
    try:
        store.migrate()
        with acting.resolved(store):
            yield Office(settings, store)
    finally:
        store.close()


def by(reason: str = "", permission: Permission = Permission.ACCOUNTS_WRITE) -> By:
    """Return who decides this, when and why, as the audit keeps it; call it inside `office`.

    Raises `Forbidden` if the operator's role has not this permission.
    """
    return By(acting.actor(permission), now_ms(), reason)


def known_account(here: Office, account: str | None) -> None:
    """Raise `NotFound` unless there is this account; none named is all of them."""
    if account:
        here.store.read_now(lambda c: accounts.list_accounts(c, account))


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
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in result.items():
        table.add_row(name.replace("_", " "), _text(value))
    _console().print(table)


def show_rows(rows: Sequence[Result], as_json: bool) -> None:
    """Print a list: a JSON array, or a table."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        typer.echo("none")
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    _console().print(table)


def _console() -> Console:
    width = None if sys.stdout.isatty() else WIDE
    return Console(highlight=False, markup=False, width=width)


def _text(value: object) -> str:
    return "-" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
