"""`review`: what customers handed in, decided upon by people."""

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from config.rules import SHIPPED, load_rules
from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, show, show_rows
from gateway.cli.notice import NOT_NOTICED, await_notice
from gateway.cli.office import by, known_account, office
from gateway.domain.operator import Permission
from gateway.domain.review import Kind, Move, Review, word
from gateway.errors import Invalid
from gateway.flow.life import readable
from gateway.flow.rules import checks_of
from gateway.store import review_reads, reviews, revisions
from gateway.store.review_reads import Filter
from gateway.store.vault import Vault

app = typer.Typer(help="What customers handed in and waits for a decision.", no_args_is_help=True)
rules_app = typer.Typer(help="The rules of the automatic checks.", no_args_is_help=True)
app.add_typer(rules_app, name="rules")

LISTED = ("id", "kind", "account_id", "account", "title", "status", "flags", "version", "updated_at")
WORDS = {status.name.lower().replace("_", "-"): status for status in Review}

ItemArgument = Annotated[str, typer.Argument(metavar="ID", help="SIG…, UT… or QUA…")]
VersionOption = Annotated[
    int | None,
    typer.Option(
        "--version",
        help="What you looked at, as `review show` told; needed once the customer has changed it.",
    ),
]
DisableVersion = Annotated[
    int | None, typer.Option("--version", help="Disable it only if its version still is this one.")
]


@app.command("list")
def list_(
    kind: Annotated[
        str, typer.Option("--kind", help="signature, template or qualification; default: all.")
    ] = "",
    status: Annotated[
        str, typer.Option("--status", help="in-review, pending, approved, rejected, disabled or all.")
    ] = "in-review",
    account: Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="One account's only.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 50,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show what waits for a decision, the longest first; or, by --status, anything else."""
    wanted = Filter(kinds=_kinds(kind), statuses=_statuses(status), account_id=account)
    with office(config) as here:
        known_account(here, account)
        found = here.store.read_now(lambda c: review_reads.queue(c, wanted, limit))
    rows = [{name: readable(item[name], name) for name in LISTED} for item in found]
    show_rows(rows if json else [{**row, "flags": ", ".join(row["flags"])} for row in rows], json)


@app.command("show")
def show_(item: ItemArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show all that is known of one: content, findings, files, history. Who looked at persons is audited."""
    with office(config) as here:
        who = by(permission=Permission.REVIEW_READ)
        decides = who.actor.may(Permission.REVIEW_DECIDE)
        found = here.store.read_now(lambda c: review_reads.item(c, item.strip()))
        if found["kind"] == Kind.QUALIFICATION:
            here.store.transaction(lambda c: review_reads.note_look(c, found["id"], decides, who))
    told = readable(found if decides else review_reads.without_persons(found))
    if json:
        show(told, as_json=True)
        return
    lists = ("findings", "files", "earlier", "history")
    show({name: _flat(value) for name, value in told.items() if name not in lists}, as_json=False)
    for name in lists:
        if told[name]:
            typer.echo(f"\n{name}")
            rows = [{key: _flat(value) for key, value in row.items()} for row in told[name]]
            show_rows(rows, as_json=False)


@app.command("approve")
def approve(
    item: ItemArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="Needed for what was rejected or disabled before.")
    ] = "",
    version: VersionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Approve it: messages may use it from now on."""
    decide(config, item, Move.APPROVE, reason, json, version)


@app.command("reject")
def reject(
    item: ItemArgument,
    reason: Annotated[str, typer.Option("--reason", help="Shown to the customer.")],
    version: VersionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Reject what is under review; the customer may change it and hand it in anew."""
    decide(config, item, Move.REJECT, reason, json, version)


@app.command("disable")
def disable(
    item: ItemArgument,
    reason: Annotated[str, typer.Option("--reason", help="Shown to the customer.")],
    version: DisableVersion = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Disable it: the next message cannot use it, and only a reviewer can approve it again."""
    decide(config, item, Move.DISABLE, reason, json, version)


@app.command("file")
def file(
    item: ItemArgument,
    file_id: Annotated[str, typer.Argument(metavar="FILE", help="A file's id, as `review show` told.")],
    to: Annotated[Path, typer.Option("--to", metavar="PATH", help="Where to; must not exist yet.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Copy a file that was handed in; who had it is in the audit."""
    item = item.strip()
    with office(config) as here:
        who = by(permission=Permission.REVIEW_DECIDE)
        stored = here.store.read_now(lambda c: review_reads.file_of(c, item, file_id.strip()))
        source = Vault(Path(here.settings.files.directory)).path(stored.sha256)
        with source.open("rb") as original, to.open("xb") as copy:
            here.store.transaction(lambda c: review_reads.hand_out(c, item, stored.id, who))
            shutil.copyfileobj(original, copy)
    show({"file": stored.id, "type": stored.type, "size": stored.size, "written": str(to)}, json)


@rules_app.command("check")
def check_rules(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Default: the one the settings name.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Read a rule file as the gateway would; print its mistakes, or what it amounts to."""
    if file is None:
        with office(config) as here:
            file = Path(here.settings.review.rules or SHIPPED)
    rules = load_rules(file)
    words = sum(len(given) for rule in rules.rule for given in rule.words.values())
    show({"file": str(file), "rules": len(rules.rule), "words": words}, json)


@rules_app.command("copy")
def copy_rules(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; must not exist yet.")],
    json: JsonOption = False,
) -> None:
    """Write a copy of the shipped rules to start from; name it in the settings: `[review] rules`."""
    with to.open("xb") as copy:
        copy.write(SHIPPED.read_bytes())
    show({"written": str(to)}, json)


def decide(config: Path, item: str, move: Move, reason: str, json: bool, version: int | None = None) -> None:
    """Make a reviewer's move and print it; returns once the running gateway acts on it."""
    item = item.strip()
    with office(config) as here:
        checks, who = checks_of(here.settings.review), by(reason, Permission.REVIEW_DECIDE)

        def work(connection: Any) -> tuple[reviews.Decided, int]:
            made = reviews.decide(connection, checks, item, move, who, version=version)
            return made, revisions.current(connection).get(revisions.DIRECTORY, 0)

        made, revision = here.store.transaction(work)
        noticed = Review.APPROVED not in (made.before, made.after) or await_notice(
            here, revisions.DIRECTORY, revision
        )
    if not noticed:
        print(NOT_NOTICED, file=sys.stderr)
    kept = "" if made.after is Review.APPROVED and made.before is Review.IN_REVIEW else reason
    show({"id": item, "status": word(made.kind, made.after), "reason": kept}, json)


def _kinds(text: str) -> tuple[Kind, ...]:
    if not text:
        return tuple(Kind)
    try:
        return (Kind(text.strip().lower()),)
    except ValueError:
        raise Invalid(f"{text!r} is no kind: {', '.join(Kind)}") from None


def _statuses(text: str) -> tuple[Review, ...]:
    wanted = text.strip().lower().replace("_", "-")
    if wanted == "all":
        return tuple(Review)
    if wanted not in WORDS:
        raise Invalid(f"{text!r} is no status: {', '.join(WORDS)}, all")
    return (WORDS[wanted],)


def _flat(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
