"""The settings file, the environment and the network file, read and checked as one; all mistakes at once.

The environment overrides the settings file: `SCLOUD_<SECTION>_<KEY>`, for instance `SCLOUD_HTTP_PUBLIC` or
`SCLOUD_STORE_URL`. Lists are comma separated, tables `name=value` pairs, `[[price]]` only in the file.
A `password` or `url` of the form `file:PATH` is read from that file. Paths are relative to the file they
stand in.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from config.check import check_network, check_settings
from config.match import read_bind, read_match, read_tls
from config.read import MISSING_VALUE, Reader, reason, suggest
from config.schema import (
    BindMode,
    CarrierConfig,
    ChannelConfig,
    MatchConfig,
    Network,
    RouteConfig,
    Settings,
    TlsConfig,
)

PREFIX = "SCLOUD_"
SPECIAL = {MatchConfig: read_match, TlsConfig: read_tls, BindMode: read_bind}


class ConfigError(Exception):
    """The configuration cannot be used; `problems` names every mistake and its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load(path: str | Path, environ: Mapping[str, str] | None = None) -> tuple[Settings, Network]:
    """Return settings and network; raises `ConfigError` with the mistakes of both."""
    problems: list[str] = []
    settings = _settings(Path(path), os.environ if environ is None else environ, problems)
    network = _network(Path(settings.network.file), problems) if settings else None
    if settings is None or network is None or problems:
        raise ConfigError(problems)
    return settings, network


def load_settings(path: str | Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings alone, their paths made absolute; raises `ConfigError`."""
    problems: list[str] = []
    settings = _settings(Path(path), os.environ if environ is None else environ, problems)
    if settings is None or problems:
        raise ConfigError(problems)
    return settings


def load_network(path: str | Path) -> Network:
    """Return the network alone; raises `ConfigError`."""
    problems: list[str] = []
    network = _network(Path(path), problems)
    if network is None or problems:
        raise ConfigError(problems)
    return network


def _settings(path: Path, environ: Mapping[str, str], problems: list[str]) -> Settings | None:
    document = _document(path, problems)
    if document is None:
        return None
    reader = Reader(path.absolute().parent)
    settings = reader.table(Settings, _overridden(document, environ, reader), "")
    problems.extend(f"{path}: {problem}" for problem in reader.problems)
    if settings is MISSING_VALUE:
        return None
    problems.extend(f"{path}: {where}: {what}" for where, what in check_settings(settings))
    return _resolved(settings, path.absolute().parent)


def _network(path: Path, problems: list[str]) -> Network | None:
    document = _document(path, problems)
    if document is None:
        return None
    reader = Reader(path.absolute().parent, SPECIAL)
    network = reader.table(Network, document, "")
    problems.extend(f"{path}: {problem}" for problem in reader.problems)
    if network is MISSING_VALUE:
        return None
    network = _completed(network, path.absolute().parent)
    problems.extend(f"{path}: {where}: {what}" for where, what in check_network(network))
    return network


def _document(path: Path, problems: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: cannot be read: {reason(error)}")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: is not TOML: {error}")
    return None


def _overridden(document: dict[str, Any], environ: Mapping[str, str], reader: Reader) -> dict[str, Any]:
    """Return `document` with what the environment says on top."""
    sections = get_type_hints(Settings)
    result = dict(document)
    for variable, text in sorted(environ.items()):
        section, _, key = variable.removeprefix(PREFIX).lower().partition("_")
        if not variable.startswith(PREFIX) or section not in sections or section == "price":
            continue
        hints = get_type_hints(sections[section])
        if key not in hints:
            near = (
                suggest(key, hints)
                .upper()
                .replace("; DID YOU MEAN ", f"; did you mean {PREFIX}{section.upper()}_")
            )
            reader.wrong(f"environment variable {variable}", f"there is no such setting{near}")
            continue
        value = _from_text(hints[key], text)
        present = result.get(section, {})
        if isinstance(present, Mapping):
            result[section] = {**present, key: value}
    return result


def _from_text(kind: Any, text: str) -> Any:
    """Return what TOML would have given; a text that does not fit stays one, so that the reader complains."""
    if get_origin(kind) is tuple:
        return [_from_text(get_args(kind)[0], item.strip()) for item in text.split(",") if item.strip()]
    if get_origin(kind) is dict:
        pairs = (item.partition("=") for item in text.split(",") if item.strip())
        return {name.strip(): _from_text(get_args(kind)[1], value.strip()) for name, _, value in pairs}
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower(), text)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def _resolved(settings: Settings, directory: Path) -> Settings:
    return replace(
        settings,
        network=replace(settings.network, file=str(directory / settings.network.file)),
        security=replace(
            settings.security, master_key_file=str(directory / settings.security.master_key_file)
        ),
        store=replace(settings.store, url=_resolved_url(settings.store.url, directory)),
        files=replace(settings.files, directory=str(directory / settings.files.directory)),
        review=replace(
            settings.review, rules=str(directory / settings.review.rules) if settings.review.rules else ""
        ),
        risk=replace(settings.risk, words=settings.risk.words and str(directory / settings.risk.words)),
    )


def _resolved_url(url: str, directory: Path) -> str:
    scheme, _, rest = url.partition(":///")
    if not scheme.startswith("sqlite") or not rest or rest.startswith(("/", ":memory:")):
        return url
    return f"{scheme}:///{directory / rest}"


def _completed(network: Network, directory: Path) -> Network:
    """Return `network` with the channels' carriers, the routes' ids and absolute paths filled in."""
    carriers = tuple(
        replace(carrier, channel=tuple(_channel(channel, carrier, directory) for channel in carrier.channel))
        for carrier in network.carrier
    )
    routes = tuple(_route(route, position) for position, route in enumerate(network.route, 1))
    return replace(network, carrier=carriers, route=routes)


def _channel(channel: ChannelConfig, carrier: CarrierConfig, directory: Path) -> ChannelConfig:
    files: dict[str, Any] = {
        field.name: str(directory / value)
        for field in fields(TlsConfig)
        if field.name.endswith("_file") and (value := getattr(channel.tls, field.name))
    }
    return replace(channel, carrier=carrier.id, tls=replace(channel.tls, **files))


def _route(route: RouteConfig, position: int) -> RouteConfig:
    return route if route.id else replace(route, id=f"route-{position}")
