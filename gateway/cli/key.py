"""`key`: API keys of a customer: make, replace, switch off and on, bind to addresses, see their last use."""

from dataclasses import asdict
from typing import Annotated

import typer

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, now_ms, show, show_rows
from gateway.cli.office import by, office
from gateway.errors import Invalid
from gateway.store import keys
from gateway.store.keys import KeySummary

app = typer.Typer(
    help="API keys: a customer may have several. Changes take effect within a second.", no_args_is_help=True
)

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id (acc-…).")]
KeyArgument = Annotated[str, typer.Argument(metavar="PUBLIC_KEY", help="As `key list` shows it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Kept in the audit.")]
NetworksArgument = Annotated[
    list[str] | None, typer.Argument(metavar="CIDR…", help="192.0.2.1, 192.0.2.0/24, 2001:db8::/32")
]
AnyOption = Annotated[bool, typer.Option("--any", help="From any address again.")]


@app.command("create")
def create(
    account: AccountArgument,
    name: Annotated[str, typer.Option("--name", help="What it is for, e.g. the server that uses it.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Give ACCOUNT another key pair. The private key is shown now and never again."""
    with office(config) as here:
        keyring = here.keyring()
        made = here.store.transaction(lambda c: keys.create_key(c, keyring, account, name, by()))
    show({"account_id": account, "name": name.strip(), **made._asdict()}, json)


@app.command("list")
def list_(account: AccountArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show the keys of ACCOUNT and their last use, at most a minute old, also while the gateway runs."""
    with office(config) as here:
        found = here.store.read_now(lambda c: keys.list_keys(c, account, now_ms()))
    show_rows([_row(key) for key in found], json)


@app.command("rotate")
def rotate(
    public_key: KeyArgument,
    overlap: Annotated[
        int, typer.Option("--overlap", metavar="SECONDS", help="How long the old key stays good.")
    ] = 0,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make a new key pair in the place of PUBLIC_KEY, which is refused at once unless --overlap is given."""
    with office(config) as here:
        keyring = here.keyring()
        made = here.store.transaction(
            lambda c: keys.rotate_key(c, keyring, public_key, overlap * 1000, by(reason))
        )
    show({"replaces": public_key, "overlap": overlap, **made._asdict()}, json)


@app.command("disable")
def disable(
    public_key: KeyArgument,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Refuse requests signed with PUBLIC_KEY."""
    with office(config) as here:
        here.store.transaction(lambda c: keys.enable_key(c, public_key, active=False, by=by(reason)))
    show({"public_key": public_key, "state": "disabled"}, json)


@app.command("enable")
def enable(
    public_key: KeyArgument,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Take requests signed with PUBLIC_KEY again; not if it was rotated."""
    with office(config) as here:
        here.store.transaction(lambda c: keys.enable_key(c, public_key, active=True, by=by(reason)))
    show({"public_key": public_key, "state": "active"}, json)


@app.command("allow")
def allow(
    public_key: KeyArgument,
    networks: NetworksArgument = None,
    any_: AnyOption = False,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Let PUBLIC_KEY be used from these addresses only; others get RetCode 294."""
    wanted = wanted_networks(networks, any_)
    with office(config) as here:
        allowed = here.store.transaction(lambda c: keys.allow_key(c, public_key, wanted, by(reason)))
    show({"public_key": public_key, "allowed": ", ".join(allowed) or "any"}, json)


def wanted_networks(networks: list[str] | None, any_: bool) -> list[str]:
    """Return the networks of a command line; raises `Invalid` unless they or `--any` are given."""
    if bool(networks) == any_:
        raise Invalid("name the addresses and networks to allow, or --any")
    return networks or []


def _row(key: KeySummary) -> dict[str, object]:
    return asdict(key) | {
        "allowed": ", ".join(key.allowed) or None,
        "created_at": moment(key.created_at),
        "retires_at": moment(key.retires_at),
        "used_at": moment(key.used_at),
    }
