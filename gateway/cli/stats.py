"""`stats`: what was sent and what became of it, counted while it flows; whether codes were used."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection

from gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    day_of,
    now_ms,
    purpose_of,
    show,
    show_rows,
)
from gateway.cli.office import Office, by, known_account, office
from gateway.domain.statistics import COUNTERS, share
from gateway.errors import Invalid
from gateway.store import audit, recount, statistics
from gateway.store.audit import Entry
from gateway.store.bulk import COUNTED
from gateway.store.recount import Recount
from gateway.store.statistics import GROUPS, Page, Wanted

app = typer.Typer(help="Statistics by day, country, purpose and template.", no_args_is_help=True)

MOST = 10_000  # rows of one answer
DAYS = 7  # asked for if no day is named

FromOption = Annotated[
    str, typer.Option("--from", metavar="DAY", help="First day, YYYY-MM-DD; default: a week.")
]
ToOption = Annotated[str, typer.Option("--to", metavar="DAY", help="Last day; default: today.")]
AccountOption = Annotated[str, typer.Option("--account", metavar="ID", help="Of this account only.")]
CountryOption = Annotated[str, typer.Option("--country", metavar="CN,ID", help="To these countries only.")]
PurposeOption = Annotated[str, typer.Option("--purpose", help="1 verification, 2 notification, 3 promotion.")]
TemplateOption = Annotated[str, typer.Option("--template", metavar="ID", help="Of this template only.")]
ByOption = Annotated[
    str, typer.Option("--by", help="A line for each: day, country, purpose, template, account, project.")
]

_WORDS = {"template": "template_id", "account": "account_id", "project": "project_id"}


@app.command("show")
def show_(
    *,
    first: FromOption = "",
    last: ToOption = "",
    account: AccountOption = "",
    country: CountryOption = "",
    purpose: PurposeOption = "",
    template: TemplateOption = "",
    by: ByOption = "day",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show what was sent, by the day it was accepted; today is still counting."""
    with office(config) as here:
        wanted = _wanted(here, (first, last), account, country, purpose, template)
        found = _page(here, wanted, by)
    show_rows([_line(row) for row in found.rows], json)


@app.command("conversion")
def conversion(
    *,
    first: FromOption = "",
    last: ToOption = "",
    account: AccountOption = "",
    country: CountryOption = "",
    purpose: PurposeOption = "verification",
    template: TemplateOption = "",
    by: ByOption = "country",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show how much of what was sent customers told to be used: a country where codes are sent and never
    entered is one where somebody pumps traffic."""
    with office(config) as here:
        wanted = _wanted(here, (first, last), account, country, purpose, template)
        found = _page(here, wanted, by)
    show_rows([_use(row) for row in found.rows], json)


@app.command("recount")
def recount_(
    day: Annotated[str, typer.Option("--day", metavar="DAY", help="This day only; default: every one.")] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 if a counter is wrong.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Count the messages again and put wrong counters right, beside the running gateway.

    Days of which messages are deleted already are left as they are.
    """
    wanted = day_of(day) if day else None
    with office(config) as here:
        with _progress() as counting:
            count = partial(recount.recount, day=wanted, progress=counting)
            found = here.store.read_now(count)
        if found.differences and not check:
            who = by(f"recount of {day or 'every day'}")

            def put_right(connection: Connection) -> None:
                recount.correct(connection, found)
                after = {"counters": len(found.differences), "messages": found.messages}
                entry = Entry("statistics.correct", "statistics", day or "*", None, after, who.reason)
                audit.record(connection, who.actor, entry, who.now_ms)

            here.store.transaction(put_right)
    _tell(found, check, json)
    if check and found.differences:
        raise typer.Exit(1)


def _tell(found: Recount, check: bool, as_json: bool) -> None:
    wrong = [_difference(key, counts) for key, counts in found.differences.items()]
    result = {
        "messages": found.messages,
        "since": found.since,
        "wrong": len(wrong),
        "corrected": 0 if check else len(wrong),
    }
    if as_json:
        show(result | {"differences": wrong}, as_json=True)
        return
    show(result, as_json=False)
    if wrong:
        typer.echo("\nto be added" if check else "\nadded")
        show_rows(wrong, as_json=False)


def _difference(key: Sequence[Any], counts: Sequence[int]) -> dict[str, object]:
    changed = {name: count for name, count in zip(COUNTERS, counts, strict=True) if count}
    told = ", ".join(f"{name} {count:+d}" for name, count in changed.items())
    return {**dict(zip(COUNTED, key, strict=True)), "difference": told}


def _wanted(
    here: Office, days: tuple[str, str], account: str, country: str, purpose: str, template: str
) -> Wanted:
    today = here.store.read_now(statistics.calendar).day(now_ms())
    last = day_of(days[1]) if days[1] else date.fromisoformat(today)
    first = day_of(days[0]) if days[0] else last - min(timedelta(days=DAYS - 1), last - date.min)
    if first > last:
        raise Invalid(f"{first} is after {last}")
    known_account(here, account)
    return Wanted(
        first=first.isoformat(),
        last=last.isoformat(),
        account_id=account or None,
        countries=[code for code in country.upper().split(",") if code],
        purpose=int(purpose_of(purpose)) if purpose else None,
        template_id=template or None,
    )


def _page(here: Office, wanted: Wanted, by: str) -> Page:
    columns = [_WORDS.get(word.strip(), word.strip()) for word in by.split(",")]
    for column in columns:
        if column not in GROUPS or columns.count(column) > 1:
            known = ", ".join(name.removesuffix("_id") for name in GROUPS)
            raise Invalid(f"--by takes each of these once: {known}")
    return here.store.read_now(partial(statistics.page, wanted=wanted, by=columns, limit=MOST))


def _line(row: Mapping[str, Any]) -> dict[str, object]:
    known = sum(row[name] for name in ("success", "failed", "unknown", "submit_failed"))
    return {
        **{name: row[name] for name in GROUPS if name in row},
        "sent": row["messages"],
        "segments": row["segments"],
        "success": row["success"],
        "failed": row["failed"],
        "unknown": row["unknown"],
        "submit_failed": row["submit_failed"],
        "under_way": row["messages"] - known,
        "success_rate": share(row["success"], row["messages"]),
    }


def _use(row: Mapping[str, Any]) -> dict[str, object]:
    told = row["used"] + row["unused"]
    return {
        **{name: row[name] for name in GROUPS if name in row},
        "sent": row["messages"],
        "success": row["success"],
        "told": told,
        "used": row["used"],
        "unused": row["unused"],
        # of customers who never tell, nothing is known
        "conversion": share(row["used"], row["messages"]) if told else None,
    }


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many messages are counted."""
    columns = (TextColumn("counting messages"), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("count", total=None)
        yield lambda messages: progress.update(task, completed=messages)
