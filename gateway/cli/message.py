"""`message`: finding them, and what became of one, and why."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    SinceOption,
    UntilOption,
    show,
    show_rows,
    time_of,
)
from gateway.cli.office import Office, by, office
from gateway.domain.message import Message
from gateway.domain.operator import Permission
from gateway.flow.life import masked, readable
from gateway.store import audit, reads, search
from gateway.store.audit import Entry
from gateway.store.search import Wanted
from routing.number import NumberReader
from routing.plan import NumberPlan

app = typer.Typer(help="Messages: their whole life, with reasons.", no_args_is_help=True)

SUMMARY = (
    "id", "session_no", "account_id", "purpose", "template_id", "phone", "country", "segments", "price",
    "charged", "state", "reason", "channel", "lane", "attempts", "command_status_name",
    "receipt_code", "expires_at",
)  # fmt: skip
LISTED = (
    "id", "accepted_at", "account_id", "user_id", "phone", "country", "purpose", "template_id", "segments",
    "charged", "state", "reason", "channel", "receipt_code", "final_at",
)  # fmt: skip


@app.command("list")
def list_(
    *,
    phone: Annotated[
        str, typer.Option("--phone", help="Whom they went to: +86…, 0086…, (86)… or 139….")
    ] = "",
    account: Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="One account's only.")] = "",
    user_id: Annotated[
        str, typer.Option("--user-id", help="The customer's own id; name the account too.")
    ] = "",
    state: Annotated[
        str, typer.Option("--state", help="queued, delivered, failed, …; several by commas.")
    ] = "",
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    before: Annotated[int | None, typer.Option("--before", help="Older than the one with this id.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Show the texts too: they may hold codes.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Find messages, the newest first."""
    states, first, end = search.states_of(state), time_of(since), time_of(until)
    with office(config) as here:
        who = by(permission=Permission.NUMBERS_READ if text else Permission.MESSAGES_READ)
        clear = who.actor.may(Permission.NUMBERS_READ)
        phones = search.phones_of(NumberReader(NumberPlan(), here.settings.api.default_country), phone)
        wanted = Wanted(
            phones=phones, account_id=account, user_id=user_id, states=states, since=first, until=end
        )
        found = _found(here, wanted, limit, before)
        entry = Entry("message.list", "message", "*", None, search.looked(wanted, found, clear, text))
        here.store.transaction(lambda c: audit.record(c, who.actor, entry, who.now_ms))
    told = [readable({n: v for n, v in reads.facts(one).items() if text or n != "text"}) for one in found]
    rows = told if clear else [masked(one) for one in told]
    names = (*LISTED, "text") if text else LISTED
    show_rows(rows if json else [{name: row[name] for name in names} for row in rows], json)


def _found(here: Office, wanted: Wanted, limit: int, before: int | None) -> list[Message]:
    """Go on page by page until there are `limit` messages, or no more."""
    found: list[Message] = []
    while True:
        rest = limit - len(found)
        page = here.store.read_now(partial(search.page, wanted=wanted, limit=rest, before_id=before))
        found += page.messages
        before = page.next
        if before is None or len(found) == limit:
            return found


@app.command("show")
def show_message(
    message: Annotated[str, typer.Argument(metavar="ID|SESSION", help="A message's id or a SessionNo.")],
    text: Annotated[bool, typer.Option("--text", help="Show the text too: it may hold a code.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show the whole life of a message, or of every message of a session."""
    with office(config) as here:
        who = by(permission=Permission.NUMBERS_READ if text else Permission.MESSAGES_READ)
        clear, wanted = who.actor.may(Permission.NUMBERS_READ), message.strip()
        found = here.store.read_now(lambda c: reads.message_life(c, wanted))
        looked = {"messages": len(found), "numbers": clear, "text": text}
        entry = Entry("message.show", "message", wanted, None, looked)
        here.store.transaction(lambda c: audit.record(c, who.actor, entry, who.now_ms))
    told = [
        readable({name: value for name, value in life.items() if text or name != "text"}) for life in found
    ]
    lives = told if clear else [masked(life) for life in told]
    if json:
        show({"messages": lives}, as_json=True)
        return
    for number, life in enumerate(lives):
        if number:
            typer.echo()
        _print(life)


def _print(life: Mapping[str, Any]) -> None:
    wanted = (*SUMMARY, "text") if "text" in life else SUMMARY
    show({name: life[name] for name in wanted}, as_json=False)
    for name in ("timeline", "parts", "ledger", "callbacks"):
        if life[name]:
            typer.echo(f"\n{name}")
            show_rows(life[name], as_json=False)
