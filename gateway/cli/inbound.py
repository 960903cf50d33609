"""`inbound` and `number`: what handsets sent, and whose the numbers are that they write to."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from config.load import load_network
from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, show, show_rows
from gateway.cli.office import by, known_account, office
from gateway.domain.numbers import OwnedNumber, bare, handset
from gateway.domain.operator import Permission
from gateway.flow.life import readable
from gateway.flow.wishes import OBEY
from gateway.logs import mask_number
from gateway.store import audit, inbound_desk, owned_numbers
from gateway.store.audit import Entry
from gateway.store.inbound_desk import View, Wanted
from gateway.store.owned_numbers import Place, known_channel

messages = typer.Typer(help="Messages from handsets: list, show, give to somebody.", no_args_is_help=True)
numbers = typer.Typer(
    help="Numbers that handsets write to, and whose they are. Changes count from the next message on.",
    no_args_is_help=True,
)

EVERYTHING = "*"
LISTED = (
    "id", "received_at", "channel", "source", "destination", "account_id", "ownership", "completion",
    "missing", "flags", "wish", "forwarding",
)  # fmt: skip
HIDDEN_PARTS = ("payload_hex", "tlvs")

AccountOption = Annotated[str, typer.Option("--account", help="The account's id (acc-…).")]
ProjectOption = Annotated[str, typer.Option("--project", help="Instead of its default project.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Kept in the audit.")]
IdArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `inbound list` shows it.")]
RevealOption = Annotated[bool, typer.Option("--reveal", help="Show handsets' numbers whole.")]


@messages.command("list")
def list_(
    *,
    unowned: Annotated[bool, typer.Option("--unowned", help="Only those that nobody owns.")] = False,
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only what came by it.")] = None,
    source: Annotated[str | None, typer.Option("--from", help="Only this handset's.")] = None,
    before: Annotated[int | None, typer.Option("--before", help="Only older ones than this ID.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=inbound_desk.MOST)] = 50,
    reveal: RevealOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show messages of handsets, the newest first; numbers masked, texts left out."""
    wanted = Wanted(
        unowned=unowned,
        account_id=account,
        channel=channel,
        source=handset(source) if source else None,
        before_id=before,
    )
    with office(config) as here:
        by(permission=Permission.NUMBERS_READ if reveal else Permission.MESSAGES_READ)
        known_account(here, account)
        found = here.store.read_now(lambda c: inbound_desk.listed(c, wanted, limit))
    rows = [readable({name: one[name] for name in LISTED} | _source(one, reveal)) for one in found]
    show_rows(rows if json else [_flat(row) for row in rows], json)


@messages.command("show")
def show_(
    id_: IdArgument,
    text: Annotated[bool, typer.Option("--text", help="Show what it says, too.")] = False,
    reveal: RevealOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show one message: whose it is and why, its parts, its callback."""
    with office(config) as here:
        who = by(permission=Permission.NUMBERS_READ if reveal or text else Permission.MESSAGES_READ)
        found = here.store.read_now(lambda c: inbound_desk.one(c, id_))
        entry = Entry("inbound.show", "inbound", str(id_), None, {"numbers": reveal, "text": text})
        here.store.transaction(lambda c: audit.record(c, who.actor, entry, who.now_ms))
    view = readable(found | _source(found, reveal))
    if not reveal:
        view.pop("phone_given")
    if not text:
        for name in ("text", "data_hex"):
            view.pop(name)
        view["parts"] = [{k: v for k, v in part.items() if k not in HIDDEN_PARTS} for part in view["parts"]]
    if json:
        show(view, as_json=True)
        return
    lists = {name: view.pop(name) for name in ("parts", "callbacks")}
    show(_flat(view), as_json=False)
    for name, rows in lists.items():
        typer.echo(f"\n{name}")
        show_rows(rows, as_json=False)


@messages.command("assign")
def assign(
    id_: IdArgument,
    account: AccountOption,
    project: ProjectOption = "",
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Give an unowned message to an account; the running gateway forwards it within a second."""
    with office(config) as here:
        owner = (account, project)
        given = here.store.transaction(lambda c: inbound_desk.assign(c, id_, owner, OBEY, by(reason)))
    names = ("id", "account_id", "project_id", "ownership", "wish", "forwarding")
    show({name: given[name] for name in names}, json)


@numbers.command("add")
def add(
    *,
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help='As the carrier writes it; "*": all of a channel.')
    ],
    account: AccountOption,
    project: ProjectOption = "",
    extend: Annotated[str, typer.Option("--extend", help="Only extend codes that begin so.")] = "",
    channel: Annotated[str, typer.Option("--channel", help="Only what comes by it.")] = "",
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Give NUMBER, and every longer one that begins with it, to an account.

    The longest number that fits wins. What is behind it is the ExtendCode of the callback.
    """
    place = Place("" if number == EVERYTHING else bare(number), extend, channel)
    with office(config) as here:
        if channel:
            known_channel(channel, load_network(here.settings.network.file).channels)
        made = here.store.transaction(lambda c: owned_numbers.add(c, place, (account, project), by(reason)))
    show(_number(made), json)


@numbers.command("list")
def list_numbers(
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show whose the numbers are."""
    with office(config) as here:
        known_account(here, account)
        found = here.store.read_now(lambda c: owned_numbers.everything(c, account))
    show_rows([_number(one) for one in found], json)


@numbers.command("remove")
def remove(
    id_: Annotated[int, typer.Argument(metavar="ID", help="As `number list` shows it.")],
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Take a number from its account; what handsets send to it is kept, and is nobody's."""
    with office(config) as here:
        removed = here.store.transaction(lambda c: owned_numbers.remove(c, id_, by(reason)))
    show(_number(removed), json)


def _number(one: OwnedNumber) -> dict[str, Any]:
    return asdict(one) | {"number": one.number or EVERYTHING, "channel": one.channel or EVERYTHING}


def _source(view: View, reveal: bool) -> View:
    source = view["source"]
    return {"source": source if reveal or source is None else mask_number(source)}


def _flat(view: View) -> View:
    return {name: " ".join(map(str, v)) or None if isinstance(v, list) else v for name, v in view.items()}
