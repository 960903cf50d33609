"""`config`: write the example files, check the real ones."""

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy import make_url

from carriers.address import region_of
from carriers.errors import FieldError
from carriers.smpp.status import parse_overrides
from carriers.smpp.submit import SubmitEncoder, submit_template
from config.load import ConfigError, load
from config.read import suggest
from config.schema import Network, Settings
from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, show

app = typer.Typer(help="The settings and network files.", no_args_is_help=True)

EXAMPLES = ("gateway.toml", "network.toml")


@app.command("check")
def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Read settings and network as `serve` would; print what is wrong, or what they amount to."""
    settings, network = load_checked(config)
    doubts = tuple(doubtful(network))
    for doubt in doubts:
        typer.echo(f"warning: {doubt}", err=True)
    show(
        {
            "settings": str(config),
            "network": settings.network.file,
            "store": make_url(settings.store.url).render_as_string(hide_password=True),
            "public": settings.http.public,
            "admin": settings.http.admin,
            "carriers": len(network.carrier),
            "channels": ", ".join(network.channels),
            "routes": len(network.route),
            "warnings": "; ".join(doubts) or None,
        },
        json,
    )


@app.command("init")
def init(
    directory: Annotated[Path, typer.Argument(help="Where to; made if it does not exist.")] = Path(),
    json: JsonOption = False,
) -> None:
    """Write complete example files to start from; existing ones are left alone."""
    written = [str(directory / name) for name in EXAMPLES if write_example(directory, name)]
    show({"directory": str(directory), "written": written}, json)


def write_example(directory: Path, name: str) -> bool:
    """Write one shipped file for its owner alone (it is going to hold passwords); False if it exists."""
    text = (files("config") / name).read_text(encoding="utf-8")
    directory.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def load_checked(config: Path) -> tuple[Settings, Network]:
    """Return settings and network that the gateway can start with; raises `ConfigError`."""
    settings, network = load(config)
    problems = [*unknown_regions(settings, network), *unusable_channels(network)]
    if problems:
        raise ConfigError(problems)
    return settings, network


def doubtful(network: Network) -> Iterator[str]:
    """Yield what the gateway can start with and hardly anybody wants."""
    if not network.channels:
        yield "the network has no channel: nothing can be sent"
    if not network.route:
        yield "the network has no route: every message fails with no_route; add a [[route]]"
    routed = {name for route in network.route for name in route.channels}
    for name in network.channels:
        if network.route and name not in routed:
            yield f"no route uses channel {name!r}: it only receives"


def unusable_channels(network: Network) -> Iterator[str]:
    """Yield what SMPP cannot carry of any channel's settings, and countries without telephones."""
    for channel in network.channels.values():
        try:
            SubmitEncoder(submit_template(channel))
        except FieldError as error:
            yield f"channel {channel.id!r}.{error}"
        if channel.country and region_of(channel.country) is None:
            near = suggest(channel.country, sorted(SUPPORTED_REGIONS))
            yield f"channel {channel.id!r}.country: no country is called {channel.country!r}{near}"
        try:
            parse_overrides(channel.statuses)
        except ValueError as error:
            yield f"channel {channel.id!r}.statuses: {error}"


def unknown_regions(settings: Settings, network: Network) -> Iterator[str]:
    """Yield every region that no telephone number can be in."""
    named = [("api.default_country", settings.api.default_country)]
    named += [(f"price[{index}].country", price.country) for index, price in enumerate(settings.price)]
    named += [
        (f"route {route.id!r}.match", country) for route in network.route for country in route.match.countries
    ]
    for path, region in named:
        if region != "*" and region not in SUPPORTED_REGIONS:
            near = suggest(region, sorted(SUPPORTED_REGIONS))
            yield f"{path}: no country of the telephone network is called {region!r}{near}"
