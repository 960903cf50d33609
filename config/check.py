"""What the types cannot say: ranges, forms, and that one part of a document knows the other."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from config.limits import read_hours, read_limit
from config.read import suggest
from config.schema import (
    PURPOSES,
    ChannelConfig,
    FileSettings,
    HttpSettings,
    InboundSettings,
    InDoubtPolicy,
    Network,
    RiskMode,
    RiskRule,
    RiskSettings,
    RouteConfig,
    Settings,
)
from config.tlv import tlv_octets

Problem = tuple[str, str]  # path, what is wrong

DISPOSITIONS = ("ok", "throttle", "temporary", "route", "permanent", "bind")
RECEIPT_STATES = (
    "delivered", "undelivered", "expired", "deleted", "rejected", "unknown",
    "enroute", "accepted", "scheduled",
)  # fmt: skip
EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})
ALPHABETS = ("gsm", "gsm-packed", "ascii", "latin1")
# SMPP 3.4 §5.3.2.22-24 and .32: the encoder writes them
TEXT_TAGS = (0x020C, 0x020E, 0x020F, 0x0424)
STORES = ("sqlite", "postgresql")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COUNTRY = re.compile(r"[A-Z]{2}|[1-9][0-9]{0,2}", re.ASCII)
_REGION = re.compile(r"[A-Z]{2}")
_STATUS = re.compile(r"(ESME_R[A-Z0-9]+|0x[0-9A-Fa-f]{1,8}|\d{1,10})")
_ENDPOINT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):(\d{1,5})")


def split_endpoint(text: str) -> tuple[str, int] | None:
    """Return host and port of `host:port` or `[v6]:port`; port 0 asks for any free one."""
    found = _ENDPOINT.fullmatch(text)
    if not found or int(found.group(2)) > 65535:
        return None
    return found.group(1).strip("[]"), int(found.group(2))


def check_settings(settings: Settings) -> Iterator[Problem]:
    """Yield everything wrong in the settings."""
    yield from _http(settings.http)
    yield from _store(settings)
    yield from _delivery(settings)
    yield from _prices(settings)
    yield from _callbacks(settings)
    yield from _inbound(settings.inbound)
    yield from _files(settings.files)
    yield from _risk(settings.risk)
    yield from _admin(settings)
    yield from _region("api.default_country", settings.api.default_country)
    yield from _zone("api.time_zone", settings.api.time_zone)
    yield from _one_of("api.receipt_language", settings.api.receipt_language, ("en", "zh"))
    yield from _least("api", settings.api, 0, "dedup_window", "requests_per_second")
    yield from _one_of("log.level", settings.log.level, ("debug", "info", "warning", "error"))
    yield from _one_of("log.format", settings.log.format, ("json", "console"))


def check_network(network: Network) -> Iterator[Problem]:
    """Yield everything wrong in the network."""
    yield from _unique("carrier", (carrier.id for carrier in network.carrier))
    yield from _unique("channel", (channel.id for carrier in network.carrier for channel in carrier.channel))
    yield from _unique("route", (route.id for route in network.route))
    for carrier in network.carrier:
        yield from _id(f"carrier {carrier.id!r}", carrier.id)
        for channel in carrier.channel:
            yield from _channel(f"carrier {carrier.id!r}.channel {channel.id!r}", channel)
    for route in network.route:
        yield from _route(f"route {route.id!r}", route, network)


def _http(http: HttpSettings) -> Iterator[Problem]:
    for name in ("public", "admin"):
        if split_endpoint(getattr(http, name)) is None:
            yield f"http.{name}", f"must be host:port, not {getattr(http, name)!r}"
    public, admin = split_endpoint(http.public), split_endpoint(http.admin)
    if public and admin and _same_socket(public, admin):
        yield "http.admin", f"is the public listener's too: {http.admin}; give it another port"
    for proxy in http.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            yield "http.trusted_proxies", f"{proxy!r} is no address or network"
    yield from _least("http", http, 1, "max_body", "max_bodies", "max_pending")


def _same_socket(one: tuple[str, int], other: tuple[str, int]) -> bool:
    if not one[1] or one[1] != other[1]:
        return False
    return one[0] == other[0] or not EVERY_ADDRESS.isdisjoint((one[0], other[0]))


def _store(settings: Settings) -> Iterator[Problem]:
    scheme, found, rest = settings.store.url.partition("://")
    if not found or scheme.partition("+")[0] not in STORES:
        yield "store.url", "must begin with sqlite:/// or postgresql+psycopg://"
    elif scheme == "sqlite" and rest in ("", "/", "/:memory:"):
        yield "store.url", "must name a file: what is kept in memory is lost at the first crash"
    yield from _least("store", settings.store, 1, "max_batch", "retention_interval")
    yield from _least("store", settings.store, 1, "redact_after_days", "purge_after_days")
    if settings.store.purge_after_days < settings.store.redact_after_days:
        yield "store.purge_after_days", "must not be shorter than redact_after_days"


def _admin(settings: Settings) -> Iterator[Problem]:
    admin = settings.admin
    yield from _least("admin", admin, 1, "session_idle", "session_max", "lockout_period", "token_max_days")
    yield from _least(
        "admin", admin, 1, "lockout_failures", "lockout_address_failures", "lockout_name_failures"
    )
    yield from _least("admin", admin, 1, "lockout_name_pause")
    if admin.lockout_period < admin.lockout_name_pause:
        yield "admin.lockout_name_pause", "must not be longer than lockout_period"
    if admin.session_max < admin.session_idle:
        yield "admin.session_max", "must not be shorter than session_idle"


def _delivery(settings: Settings) -> Iterator[Problem]:
    delivery = settings.delivery
    yield from _purposes("delivery.validity", delivery.validity)
    yield from _purposes("delivery.in_doubt", delivery.in_doubt)
    for purpose, seconds in delivery.validity.items():
        if seconds <= 0:
            yield f"delivery.validity.{purpose}", "must be more than 0"
    for purpose, policy in delivery.in_doubt.items():
        yield from _one_of(f"delivery.in_doubt.{purpose}", policy, tuple(InDoubtPolicy))
    if not re.fullmatch(r"[A-Z]{3}", delivery.currency):
        yield "delivery.currency", f"must be an ISO 4217 code such as CNY, not {delivery.currency!r}"
    yield from _least("delivery", delivery, 1, "max_attempts", "memory_window", "receipt_deadline")
    yield from _least("delivery", delivery, 0.01, "retry_base", "retry_cap", "shutdown_limit")
    if delivery.retry_cap < delivery.retry_base:
        yield "delivery.retry_cap", "must not be shorter than retry_base"


def _prices(settings: Settings) -> Iterator[Problem]:
    for index, price in enumerate(settings.price):
        path = f"price[{index}]"
        yield from _one_of(f"{path}.purpose", price.purpose, ("*", *PURPOSES))
        if price.country != "*":
            yield from _region(f"{path}.country", price.country)
        yield from _amount(f"{path}.amount", price.amount)
    pairs = [f"{price.purpose} {price.country}" for price in settings.price]
    yield from (
        (f"price ({pair})", "given more than once") for pair, count in Counter(pairs).items() if count > 1
    )


def _callbacks(settings: Settings) -> Iterator[Problem]:
    callbacks = settings.callbacks
    yield from _least("callbacks", callbacks, 1, "batch", "connections")
    yield from _least("callbacks", callbacks, 0, "burst_retries", "burst_interval", "give_up_after")
    yield from _least("callbacks", callbacks, 0.01, "timeout")
    if not callbacks.slow_schedule or min(callbacks.slow_schedule) <= 0:
        yield "callbacks.slow_schedule", "must hold delays of more than 0 seconds"


def _inbound(inbound: InboundSettings) -> Iterator[Problem]:
    yield from _least("inbound", inbound, 1, "timeout", "max_waiting")
    yield from _least("inbound", inbound, 0, "recall_days")
    for name in ("opt_out", "opt_in"):
        for language, words in getattr(inbound, name).items():
            if not all(word.strip() for word in words):
                yield f"inbound.{name}.{language}", "an empty word would be said by every empty message"
    both = {word.casefold() for words in inbound.opt_out.values() for word in words}
    for language, words in inbound.opt_in.items():
        for word in words:
            if word.casefold() in both:
                yield f"inbound.opt_in.{language}", f"{word!r} is a word to opt out, too"


def _files(files: FileSettings) -> Iterator[Problem]:
    if not files.directory.strip():
        yield "files.directory", "is empty"
    yield from _least("files", files, 1, "quota", "unused_days", "link_seconds")
    if files.link_base and not re.fullmatch(r"https?://[^\s?#]+", files.link_base):
        yield "files.link_base", f"must begin with https:// and have no query, not {files.link_base!r}"


def _risk(risk: RiskSettings) -> Iterator[Problem]:
    for name, mode in risk.modes.items():
        yield from _one_of("risk.modes", name, RiskRule)
        yield from _one_of(f"risk.modes.{name}", mode, RiskMode)
    for name in RiskRule:
        read = read_hours if name is RiskRule.HOURS else read_limit
        value = getattr(risk, name, None)
        if isinstance(value, str):
            try:
                read(value)
            except ValueError as error:
                yield f"risk.{name}", str(error)
    yield from _least("risk", risk, 1, "variables")
    yield from _least("risk", risk, 1_000, "history")


def _channel(path: str, channel: ChannelConfig) -> Iterator[Problem]:
    yield from _id(path, channel.id)
    if not 0 < channel.port < 65536:
        yield f"{path}.port", f"must be 1 to 65535, not {channel.port}"
    if not channel.host:
        yield f"{path}.host", "is empty"
    # SMPP 3.4 §5.2.1 to §5.2.3: C-octet strings with their limits, the closing zero not counted
    yield from _longest(f"{path}.system_id", channel.system_id, 15)
    yield from _longest(f"{path}.password", channel.password, 8)
    yield from _longest(f"{path}.system_type", channel.system_type, 12)
    yield from _longest(f"{path}.service_type", channel.service_type, 5)
    yield from _longest(f"{path}.source", channel.source, 20)
    yield from _least(path, channel, 1, "links", "window")
    yield from _least(path, channel, 0, "rate")
    yield from _least(path, channel, 512, "max_pdu")
    yield from _least(f"{path}.timers", channel.timers, 0.01, *type(channel.timers).__dataclass_fields__)
    if channel.country and not _COUNTRY.fullmatch(channel.country):
        yield f"{path}.country", f"must be an ISO 3166 region or a calling code, not {channel.country!r}"
    for name in ("source_ton", "source_npi", "dest_ton", "dest_npi"):
        if getattr(channel, name) is not None and not 0 <= getattr(channel, name) <= 255:
            yield f"{path}.{name}", "must be 0 to 255"
    yield from _channel_tables(path, channel)
    yield from _tlvs(path, channel)
    yield from _tls(path, channel)


def _channel_tables(path: str, channel: ChannelConfig) -> Iterator[Problem]:
    yield from _one_of(f"{path}.default_alphabet", channel.default_alphabet, ALPHABETS)
    yield from _purposes(f"{path}.in_doubt", channel.in_doubt)
    yield from _purposes(f"{path}.purposes", channel.purposes)
    if not channel.purposes:
        yield f"{path}.purposes", "must name at least one purpose"
    if channel.receipt_deadline is not None and channel.receipt_deadline < 1:
        yield f"{path}.receipt_deadline", "must be 1 or more"
    for status, disposition in channel.statuses.items():
        if not _STATUS.fullmatch(status):
            yield f"{path}.statuses", f"{status!r} is no command_status: write ESME_R… or 0x…"
        yield from _one_of(f"{path}.statuses.{status}", disposition, DISPOSITIONS)
    for word, state in channel.receipt_aliases.items():
        yield from _one_of(f"{path}.receipt_aliases.{word}", state.lower(), RECEIPT_STATES)


def _tlvs(path: str, channel: ChannelConfig) -> Iterator[Problem]:
    yield from _unique(f"{path}.tlv", (f"0x{tlv.tag:04x}" for tlv in channel.tlv))
    for tlv in channel.tlv:
        here = f"{path}.tlv 0x{tlv.tag:04x}"
        if not 0 < tlv.tag <= 0xFFFF:
            yield here, "a tag has 16 bits"
        if tlv.tag in TEXT_TAGS:
            yield here, "carries or joins the text: `concatenation` says how"
        if tlv.value is None and not (tlv.templates or tlv.accounts):
            yield here, "needs a value, templates or accounts"
        given = {"value": tlv.value} if tlv.value is not None else {}
        given |= {f"templates.{id_}": value for id_, value in tlv.templates.items()}
        given |= {f"accounts.{id_}": value for id_, value in tlv.accounts.items()}
        for name, value in given.items():
            try:
                tlv_octets(tlv.kind, value)
            except ValueError as error:
                yield f"{here}.{name}", str(error)


def _tls(path: str, channel: ChannelConfig) -> Iterator[Problem]:
    if channel.tls.key_file and not channel.tls.cert_file:
        yield f"{path}.tls.key_file", "needs cert_file beside it"


def _route(path: str, route: RouteConfig, network: Network) -> Iterator[Problem]:
    if not route.channels:
        yield f"{path}.channels", "must name at least one channel"
    yield from _unique(f"{path}.channels", route.channels)
    known = network.channels
    for name in route.channels:
        if name not in known:
            yield f"{path}.channels", f"there is no channel {name!r}{suggest(name, known)}"
    wanted = route.match.purposes or PURPOSES
    usable = [known[name] for name in route.channels if name in known]
    for purpose in wanted:
        if route.match.purposes and usable and not any(purpose in channel.purposes for channel in usable):
            yield f"{path}.match", f"none of its channels may carry {purpose}"


def _id(path: str, value: str) -> Iterator[Problem]:
    if not _ID.fullmatch(value):
        yield f"{path}.id", "must be 1 to 64 letters, digits, dots, dashes or underscores"


def _unique(what: str, ids: Iterable[str]) -> Iterator[Problem]:
    yield from (
        (f"{what} {name!r}", "given more than once") for name, count in Counter(ids).items() if count > 1
    )


def _one_of(path: str, value: str, words: Iterable[str]) -> Iterator[Problem]:
    words = [str(word) for word in words]
    if value not in words:
        yield path, f"must be one of {', '.join(words)}; not {value!r}{suggest(value, words)}"


def _purposes(path: str, names: Iterable[str] | Mapping[str, object]) -> Iterator[Problem]:
    for name in names:
        if name not in PURPOSES:
            yield path, f"{name!r} is no purpose ({', '.join(PURPOSES)}){suggest(name, PURPOSES)}"


def _region(path: str, value: str) -> Iterator[Problem]:
    if not _REGION.fullmatch(value):
        yield path, f"must be an ISO 3166 region such as CN, not {value!r}"


def _zone(path: str, value: str) -> Iterator[Problem]:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, a directory of names
        yield path, f"must be a time zone such as Asia/Shanghai, not {value!r}"


def _least(path: str, owner: object, least: float, *names: str) -> Iterator[Problem]:
    for name in names:
        value = getattr(owner, name)
        if not least <= value < float("inf"):
            yield f"{path}.{name}", f"must be {least:g} or more, not {value:g}"


def _longest(path: str, value: str, longest: int) -> Iterator[Problem]:
    if len(value) > longest or not value.isascii() or "\0" in value:
        yield path, f"must be at most {longest} ASCII characters (SMPP 3.4)"


def _amount(path: str, value: str) -> Iterator[Problem]:
    try:
        amount = Decimal(value)
    except InvalidOperation:
        yield path, f'must be a decimal text such as "0.045", not {value!r}'
        return
    if not amount.is_finite() or amount < 0 or amount != round(amount, 6) or amount > 1_000_000:
        yield path, "must be 0 to 1000000 with at most 6 decimals"
