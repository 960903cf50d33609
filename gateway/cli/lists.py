"""`blacklist`, `optout`, `allowlist`: numbers that get nothing, asked for no more, or have no rates."""

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.progress import track
from sqlalchemy import Connection

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, show, show_rows
from gateway.cli.listfile import (
    HEADER,
    PURPOSE_WORDS,
    Entry,
    check_file,
    checked_remark,
    chunks,
    list_number,
    list_purpose,
)
from gateway.cli.office import Office, by, office
from gateway.domain.lists import ANY_PURPOSE, Listing, ListKind, Source
from gateway.domain.operator import Permission
from gateway.errors import Invalid
from gateway.store import audit, numbers
from gateway.store.audit import By
from gateway.store.numbers import CHUNK, Listed, Wanted
from routing.number import NumberReader, mask
from routing.plan import NumberPlan

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id (acc-…).")]
NumbersArgument = Annotated[
    list[str], typer.Argument(metavar="NUMBER…", help="(60)123456789, +60123456789 or 60123456789.")
]
ProjectOption = Annotated[
    str, typer.Option("--project", metavar="PROJECT", help="Of this project only; default: of all.")
]
PurposeOption = Annotated[
    str,
    typer.Option(
        "--purpose", metavar="PURPOSE", help="all, verification, notification or promotion; 0 to 3."
    ),
]
RemarkOption = Annotated[str, typer.Option("--remark", help="Kept with the number.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Kept with the number and in the audit.")]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Lines of phone,purpose,remark.")]

PAGE = 10_000  # numbers read at once for an export
_NAMES = {ListKind.BLOCKED: "blacklist", ListKind.OPTED_OUT: "optout", ListKind.ALLOWED: "allowlist"}
_HELP = {
    ListKind.BLOCKED: "Numbers that get nothing more.",
    ListKind.OPTED_OUT: "Numbers whose owners asked for no more; a removal needs their written consent.",
    ListKind.ALLOWED: "Numbers without rates: they may get the same text again and again.",
}


class _Commands:
    """The commands of one list."""

    def __init__(self, kind: ListKind) -> None:
        self._kind = kind
        self._name = _NAMES[kind]

    def add(
        self,
        *,
        account: AccountArgument,
        phones: NumbersArgument,
        project: ProjectOption = "",
        purpose: PurposeOption = "all",
        remark: RemarkOption = "",
        config: ConfigOption = DEFAULT_CONFIG,
        json: JsonOption = False,
    ) -> None:
        """Put numbers on the list; in effect within a second."""
        with office(config) as here:
            change = by(remark, Permission.RISK_WRITE)
            listing = Listing(
                account, project, self._kind, 0, self._purpose(purpose), Source.OPERATOR,
                checked_remark(remark), change.actor.name,
            )  # fmt: skip
            listings = _named(here, listing, phones)
            done = here.store.transaction(lambda c: self._change(c, numbers.list_numbers, listings, change))
        show({"account_id": account, "list": self._name, "added": done}, json)

    def remove(
        self,
        *,
        account: AccountArgument,
        phones: NumbersArgument,
        project: ProjectOption = "",
        purpose: PurposeOption = "all",
        reason: ReasonOption = "",
        config: ConfigOption = DEFAULT_CONFIG,
        json: JsonOption = False,
    ) -> None:
        """Take numbers off the list, as they were put on it: of that project, for that purpose."""
        with office(config) as here:
            change = by(reason, Permission.RISK_WRITE)
            listing = Listing(
                account, project, self._kind, 0, self._purpose(purpose), Source.OPERATOR,
                checked_remark(reason), change.actor.name,
            )  # fmt: skip
            listings = _named(here, listing, phones)
            done = here.store.transaction(lambda c: self._change(c, numbers.unlist_numbers, listings, change))
        show({"account_id": account, "list": self._name, "removed": done}, json)

    def list_(
        self,
        *,
        account: AccountArgument,
        project: Annotated[str | None, typer.Option("--project", help="Only of this project.")] = None,
        phone: Annotated[str | None, typer.Option("--phone", help="Only this number.")] = None,
        after: Annotated[int, typer.Option("--after", help="Only those behind this id.")] = 0,
        limit: Annotated[int, typer.Option("--limit", min=1, help="So many at most.")] = 100,
        reveal: Annotated[bool, typer.Option("--reveal", help="Show numbers whole.")] = False,
        config: ConfigOption = DEFAULT_CONFIG,
        json: JsonOption = False,
    ) -> None:
        """Show the numbers on the list, oldest first."""
        with office(config) as here:
            by(permission=Permission.NUMBERS_READ if reveal else Permission.RISK_READ)
            digits = list_number(_reader(here), phone) if phone else None
            wanted = Wanted(account_id=account, kinds=[self._kind], project_id=project, phone=digits)
            found = here.store.read_now(partial(_listed, wanted=wanted, limit=limit, after_id=after))
        show_rows([_row(one, reveal=reveal) for one in found], json)

    def import_(
        self,
        *,
        account: AccountArgument,
        file: FileArgument,
        project: ProjectOption = "",
        purpose: PurposeOption = "all",
        config: ConfigOption = DEFAULT_CONFIG,
        json: JsonOption = False,
    ) -> None:
        """Put the numbers of FILE on the list; --purpose is for lines that name none.

        The file is looked at whole first: with one bad line nothing is imported. Numbers take effect as the
        import goes on; if it is broken off, run it again: what is listed already stays as it is.
        """
        with office(config) as here:
            change = by(str(file), Permission.RISK_WRITE)
            reader, default = _reader(here), self._purpose(purpose)
            here.store.read_now(lambda c: numbers.check_scope(c, account, project))
            total = check_file(file, reader, default)
            listing = Listing(account, project, self._kind, 0, default, Source.IMPORT, "", change.actor.name)
            done = 0
            steps = chunks(file, reader, default, CHUNK)
            for number, chunk in enumerate(_shown(steps, -(-total // CHUNK))):
                listings = [_of(listing, entry) for entry in chunk]
                work = partial(self._import, listings=listings, change=change, total=0 if number else total)
                done += here.store.transaction(work)
        show({"account_id": account, "list": self._name, "lines": total, "added": done}, json)

    def export(
        self,
        *,
        account: AccountArgument,
        file: Annotated[
            Path | None, typer.Argument(metavar="[FILE]", help="Default: standard output.")
        ] = None,
        project: Annotated[str | None, typer.Option("--project", help="Only of this project.")] = None,
        config: ConfigOption = DEFAULT_CONFIG,
    ) -> None:
        """Write the numbers on the list as lines that `import` reads, numbers in clear."""
        wanted = Wanted(account_id=account, kinds=[self._kind], project_id=project)
        with office(config) as here:
            by(permission=Permission.NUMBERS_READ)
            here.store.read_now(lambda c: numbers.check_scope(c, account, project or ""))
            if file is None:
                _write(sys.stdout, here, wanted)
                return
            with file.open("w", encoding="utf-8", newline="") as opened:
                _write(opened, here, wanted)

    def _purpose(self, text: str) -> int:
        found = list_purpose(text)
        if found != ANY_PURPOSE and self._kind is ListKind.ALLOWED:
            raise Invalid("the allow-list has no purposes: a number on it is free of every rate")
        return found

    def _change(
        self,
        connection: Connection,
        work: Callable[[Connection, Sequence[Listing], int], int],
        listings: Sequence[Listing],
        change: By,
    ) -> int:
        """Do `work` and note it in the audit."""
        done = work(connection, listings, change.now_ms)
        added = work is numbers.list_numbers
        self._audit(connection, "add" if added else "remove", listings, change, done)
        return done

    def _import(self, connection: Connection, listings: Sequence[Listing], change: By, total: int) -> int:
        """List one chunk; with the first one the audit learns of the whole file."""
        if total:
            self._audit(connection, "import", listings, change, total)
        return numbers.list_numbers(connection, listings, change.now_ms)

    def _audit(
        self, connection: Connection, verb: str, listings: Sequence[Listing], change: By, count: int
    ) -> None:
        first = listings[0]
        numbers.check_scope(connection, first.account_id, first.project_id)
        told = {
            "list": self._name,
            "project_id": first.project_id,
            "numbers": count,
            "first": mask(str(first.phone)),
        }
        entry = audit.Entry(f"{self._name}.{verb}", "account", first.account_id, None, told, change.reason)
        audit.record(connection, change.actor, entry, change.now_ms)


def _group(kind: ListKind) -> typer.Typer:
    app = typer.Typer(help=_HELP[kind], no_args_is_help=True)
    commands = _Commands(kind)
    app.command("add")(commands.add)
    app.command("remove")(commands.remove)
    app.command("list")(commands.list_)
    app.command("import")(commands.import_)
    app.command("export")(commands.export)
    return app


blacklist, optout, allowlist = map(_group, (ListKind.BLOCKED, ListKind.OPTED_OUT, ListKind.ALLOWED))


def _reader(here: Office) -> NumberReader:
    return NumberReader(NumberPlan(), here.settings.api.default_country)


def _named(here: Office, listing: Listing, phones: Sequence[str]) -> list[Listing]:
    if len(phones) > CHUNK:
        raise Invalid(f"{len(phones)} numbers, at most {CHUNK}: write them into a file and import it")
    reader = _reader(here)
    return [listing._replace(phone=list_number(reader, phone)) for phone in phones]


def _of(listing: Listing, entry: Entry) -> Listing:
    phone, purpose, remark = entry
    return listing._replace(phone=phone, purpose=purpose, remark=remark)


def _listed(connection: Connection, wanted: Wanted, limit: int, after_id: int) -> list[Listed]:
    numbers.check_scope(connection, wanted.account_id, wanted.project_id or "")
    return numbers.listed(connection, wanted, limit, after_id)


def _shown(steps: Iterator[list[Entry]], total: int) -> Iterator[list[Entry]]:
    """Show how far a long import is, to people."""
    if total < 4 or not sys.stderr.isatty():
        yield from steps
    else:
        yield from track(steps, "importing", total=total)


def _row(one: Listed, *, reveal: bool) -> dict[str, object]:
    digits = str(one.phone)
    return {
        "id": one.id,
        "phone": f"+{digits}" if reveal else mask(digits),
        "project_id": one.project_id or None,
        "purpose": PURPOSE_WORDS[one.purpose],
        "source": one.source.name.lower(),
        "by": one.by,
        "at": moment(one.at),
        "remark": one.remark,
    }


def _write(target: TextIO, here: Office, wanted: Wanted) -> None:
    lines = csv.writer(target, lineterminator="\n")
    lines.writerow(HEADER)
    after = 0
    while found := here.store.read_now(partial(numbers.listed, wanted=wanted, limit=PAGE, after_id=after)):
        after = found[-1].id
        for one in found:
            purpose = "" if one.purpose == ANY_PURPOSE else PURPOSE_WORDS[one.purpose]
            lines.writerow((f"+{one.phone}", purpose, one.remark))
