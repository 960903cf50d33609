"""`message`: what became of one, and why."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, show, show_rows
from gateway.cli.office import by, office
from gateway.domain.operator import Permission
from gateway.flow.life import masked, readable
from gateway.store import audit, reads
from gateway.store.audit import Entry

app = typer.Typer(help="Messages: their whole life, with reasons.", no_args_is_help=True)

SUMMARY = (
    "id", "session_no", "account_id", "purpose", "template_id", "phone", "country", "segments", "price",
    "charged", "state", "reason", "channel", "lane", "attempts", "command_status_name",
    "receipt_code", "expires_at",
)  # fmt: skip


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
