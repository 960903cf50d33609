"""Which command lives where: only the module of the one that was asked for is loaded."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

# command → its module in gateway.cli and the name in it, in the order of the help
COMMANDS = {
    "serve": ("serve", "serve_command"),
    "send": ("send", "send_command"),
    "simulate": ("simulate", "simulate_command"),
    "demo": ("demo", "demo_command"),
    "operator": ("operator", "app"),
    "audit": ("audit", "app"),
    "account": ("account", "app"),
    "key": ("key", "app"),
    "project": ("project", "app"),
    "signature": ("review", "signatures"),
    "template": ("review", "templates"),
    "review": ("reviews", "app"),
    "message": ("message", "app"),
    "inbound": ("inbound", "messages"),
    "number": ("inbound", "numbers"),
    "risk": ("risk", "app"),
    "blacklist": ("lists", "blacklist"),
    "optout": ("lists", "optout"),
    "allowlist": ("lists", "allowlist"),
    "stats": ("stats", "app"),
    "config": ("settings", "app"),
}
FILES_ALONE = {"config"}  # groups that never open the store: nobody's decision is kept


class Commands(TyperGroup):
    """The commands of the table, each loaded when it is first looked at."""

    def __init__(self, **options: Any) -> None:
        """Take what Typer gives to a group."""
        super().__init__(**options)
        self.commands = _Loading()  # type: ignore[assignment]  # nobody adds to it

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the help; none is loaded for it."""
        return list(self.commands)


class _Loading(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        return _load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@cache
def _load(name: str) -> Any:
    module, attribute = COMMANDS[name]
    found = getattr(import_module(f"gateway.cli.{module}"), attribute)
    shell = typer.Typer(rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        if name not in FILES_ALONE:
            # imported here, since it brings the store, which `simulate` and `send` can do without
            import_module("gateway.cli.acting").offer(found)
        shell.add_typer(found, name=name)
    else:
        shell.command(name)(found)
    return get_group(shell).commands[name]
