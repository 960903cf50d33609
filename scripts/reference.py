"""Writes the tables of the pages in docs/ (api, admin-api, configuration, metrics) from what they describe.

Each table stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`; the rest is written by hand.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the checkout's own code, installed or not

from config import schema  # noqa: E402
from gateway.admin.routes import ROUTES  # noqa: E402
from gateway.api.scloud.actions import ACTIONS  # noqa: E402
from gateway.domain.operator import Permission, Role  # noqa: E402
from gateway.metrics import Metrics  # noqa: E402

SETTINGS = {
    "http": schema.HttpSettings, "store": schema.StoreSettings, "network": schema.NetworkSettings,
    "security": schema.SecuritySettings, "admin": schema.AdminSettings, "api": schema.ApiSettings,
    "delivery": schema.DeliverySettings, "callbacks": schema.CallbackSettings,
    "inbound": schema.InboundSettings, "review": schema.ReviewSettings, "files": schema.FileSettings,
    "risk": schema.RiskSettings, "log": schema.LogSettings, "price": schema.PriceSettings,
}  # fmt: skip
NETWORK = {
    "carrier": schema.CarrierConfig, "channel": schema.ChannelConfig, "tls": schema.TlsConfig,
    "tlv": schema.TlvConfig,
    "timers": schema.TimerConfig, "route": schema.RouteConfig, "match": schema.MatchConfig,
}  # fmt: skip
FILLED_IN = {("ChannelConfig", "carrier")}  # by the loader, not in the file
NESTED = {
    "channel": "[[carrier.channel]]",
    "tls": "[carrier.channel.tls]",
    "tlv": "[[carrier.channel.tlv]]",
    "timers": "[carrier.channel.timers]",
}
HEADINGS = NESTED | {
    "carrier": "[[carrier]]",
    "route": "[[route]]",
    "match": "route's match",
    "price": "[[price]]",
}
PLAIN = {str: "text", int: "integer", float: "number", bool: "true or false"}


def comments() -> dict[tuple[str, str], str]:
    """Return the comment beside every field of the schema: (class, field) → text."""
    source = Path(schema.__file__).read_text(encoding="utf-8")
    beside: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            beside[token.start[0]] = token.string.lstrip("# ")
    found = {}
    for cls in ast.walk(ast.parse(source)):
        if isinstance(cls, ast.ClassDef):
            for item in cls.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    lines = range(item.lineno, (item.end_lineno or item.lineno) + 1)
                    text = " ".join(beside[line] for line in lines if line in beside)
                    found[cls.name, item.target.id] = text
    return found


def configuration(sections: dict[str, type[Any]]) -> Iterator[str]:
    """Yield the tables of `sections`."""
    notes = comments()
    for name, cls in sections.items():
        summary = (cls.__doc__ or "").partition(":")[2].strip() or (cls.__doc__ or "").strip()
        yield f"\n### `{HEADINGS.get(name, f'[{name}]')}`\n\n{summary[:1].upper()}{summary[1:]}\n"
        yield "| key | type | default | |"
        yield "|---|---|---|---|"
        hints = get_type_hints(cls)
        for field in fields(cls):
            if (cls.__name__, field.name) not in FILLED_IN:
                note = notes[cls.__name__, field.name].replace("|", "\\|")
                yield f"| `{field.name}` | {kind_of(hints[field.name])} | {default_of(field)} | {note} |"


def kind_of(kind: Any) -> str:
    """Return a type as the reader of a TOML file thinks of it."""
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return "tables" if is_dataclass(inner) else f"list of {kind_of(inner)}s"
    if get_origin(kind) is dict:
        return f"table of {kind_of(get_args(kind)[1]).replace('list ', 'lists ')}".removesuffix("s") + "s"
    options = [option for option in get_args(kind) if option is not type(None)] or [kind]
    if is_dataclass(options[0]):
        return "table"
    if issubclass(options[0], StrEnum):
        return " \\| ".join(f"`{member.value}`" for member in options[0])
    return PLAIN[options[0]]


def default_of(field: Any) -> str:
    """Return a default as it would stand in the file."""
    if field.default is MISSING and field.default_factory is MISSING:
        return "required"
    value = field.default_factory() if field.default is MISSING else field.default
    if is_dataclass(value) or value in (None, (), {}):
        return ""
    return f"`{toml(value)}`"


def toml(value: Any) -> str:
    """Return `value` as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else str(value)


def metrics() -> Iterator[str]:
    """Yield the table of metrics."""
    yield "| metric | type | labels | |"
    yield "|---|---|---|---|"
    suffix = {"counter": "_total", "info": "_info"}
    instance = Metrics()
    for group in instance.groups:
        for family in vars(group).values():
            described = family.describe_family()
            labels = ", ".join(f"`{label}`" for label in described.labels)
            name = f"scloud_{described.name}{suffix.get(described.kind, '')}"
            yield f"| `{name}` | {described.kind} | {labels} | {described.text} |"
    yield "| `scloud_build_info` | info | `version` | The running version. |"


def codes() -> Iterator[str]:
    """Yield the table of what each action may be refused with."""
    yield "| action | RetCodes |"
    yield "|---|---|"
    for name, action in ACTIONS.items():
        yield f"| `{name}` | {', '.join(str(int(code)) for code in sorted(action.codes)) or '–'} |"


def roles() -> Iterator[str]:
    """Yield the table of permissions by role."""
    yield f"| permission | {' | '.join(Role)} |"
    yield f"|---|{'---|' * len(Role)}"
    for permission in Permission:
        yield f"| `{permission}` | {' | '.join('x' if role.may(permission) else '' for role in Role)} |"


def endpoints() -> Iterator[str]:
    """Yield the table of the admin API's endpoints."""
    yield "| | | permission | |"
    yield "|---|---|---|---|"
    for route in ROUTES:
        permission = f"`{route.permission}`" if route.permission else ""
        yield f"| {route.method} | `{route.path}` | {permission} | {route.summary} |"


def filled(page: str, name: str, lines: Iterator[str]) -> str:
    """Return `page` with the table `name` replaced."""
    body = "\n".join(lines).strip("\n")
    pattern = re.compile(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
    assert pattern.search(page), name
    return pattern.sub(lambda found: f"{found[1]}{body}\n{found[2]}", page)


def pages() -> dict[Path, str]:
    """Return every page with its tables as the code has them now."""
    configuration_page = ROOT / "docs" / "configuration.md"
    metrics_page = ROOT / "docs" / "metrics.md"
    admin_page = ROOT / "docs" / "admin-api.md"
    api_page = ROOT / "docs" / "api.md"
    text = filled(configuration_page.read_text("utf-8"), "settings", configuration(SETTINGS))
    return {
        configuration_page: filled(text, "network", configuration(NETWORK)),
        metrics_page: filled(metrics_page.read_text("utf-8"), "metrics", metrics()),
        admin_page: filled(filled(admin_page.read_text("utf-8"), "roles", roles()), "endpoints", endpoints()),
        api_page: filled(api_page.read_text("utf-8"), "codes", codes()),
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
