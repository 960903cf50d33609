"""`message`: what became of one, and why."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, office, show, show_rows
from gateway.domain.money import format_amount
from gateway.store import reads

app = typer.Typer(help="Messages: their whole life, with reasons.", no_args_is_help=True)

MONEY = frozenset({"price", "charged", "amount", "reserved"})
SUMMARY = (
    "id", "session_no", "account_id", "purpose", "template_id", "phone", "country", "segments", "price",
    "charged", "state", "reason", "channel", "lane", "attempts", "receipt_code", "expires_at",
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
        found = here.store.read_now(lambda c: reads.message_life(c, message.strip()))
    lives = [
        {name: readable(value, name) for name, value in life.items() if text or name != "text"}
        for life in found
    ]
    if json:
        show({"messages": lives}, as_json=True)
        return
    for number, life in enumerate(lives):
        if number:
            typer.echo()
        _print(life)


def readable(value: Any, name: str = "") -> Any:
    """Return stored values as people and JSON want them: times in UTC, money as decimal text."""
    if isinstance(value, Mapping):
        return {key: readable(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item, name) for item in value]
    if isinstance(value, int) and (name == "at" or name.endswith("_at")):
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    return format_amount(value) if name in MONEY and isinstance(value, int) else value


def _print(life: Mapping[str, Any]) -> None:
    wanted = (*SUMMARY, "text") if "text" in life else SUMMARY
    show({name: life[name] for name in wanted}, as_json=False)
    for name in ("timeline", "parts", "ledger", "callbacks"):
        if life[name]:
            typer.echo(f"\n{name}")
            show_rows(life[name], as_json=False)
