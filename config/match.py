"""The short forms of the network file: `match` of a route, `tls` of a channel."""

import re
from collections.abc import Mapping
from typing import Any

from config.read import MISSING_VALUE, Reader, suggest
from config.schema import PURPOSES, BindMode, MatchConfig, TlsConfig

KINDS = {"prefix": "prefixes", "country": "countries", "purpose": "purposes", "account": "accounts"}
BIND_WORDS = {"trx": "transceiver", "tx+rx": "pair", "transmitter+receiver": "pair"}
_PREFIX = re.compile(r"\+?(\d{1,15})\*?")
_REGION = re.compile(r"[A-Za-z]{2}")
FORMS = {  # how a word without its condition's name is recognised
    "purposes": re.compile("|".join(PURPOSES), re.IGNORECASE),
    "accounts": re.compile(r"acc-\S+"),
    "countries": _REGION,
    "prefixes": _PREFIX,
}


def read_match(reader: Reader, data: Any, path: str) -> Any:
    """Read "*", one word, a list of words, or the table."""
    if isinstance(data, Mapping):
        return _from_table(reader, data, path)
    words = [data] if isinstance(data, str) else data
    if not isinstance(words, list) or not words:
        return reader.wrong(path, 'must be "*", a word, a list of words or a table')
    if [word.strip() for word in words if isinstance(word, str)] == ["*"]:
        return MatchConfig()
    found: dict[str, list[str]] = {}
    sound = True
    for word in words:
        kind, value = classify(word)
        if not kind:
            reader.wrong(path, value)
            sound = False
        found.setdefault(kind, []).append(value)
    if "prefixes" in found and "countries" in found:
        return reader.wrong(
            path,
            "prefixes and countries in one list would match only numbers that are both; write two routes",
        )
    return MatchConfig(**{kind: tuple(values) for kind, values in found.items()}) if sound else MISSING_VALUE


def classify(word: Any) -> tuple[str, str]:
    """Return the condition a word belongs to and its plain value, or "" and what is wrong with it."""
    if not isinstance(word, str):
        return "", f"must be texts, not {word!r}"
    text = word.strip()
    named, colon, value = text.partition(":")
    if colon:
        return plain(KINDS[named], value) if named in KINDS else ("", f"unknown condition in {word!r}")
    for kind, form in FORMS.items():
        if form.fullmatch(text):
            return plain(kind, text)
    if text == "*":
        return "", '"*" matches everything and stands alone'
    return "", f"{word!r} is no prefix, country, purpose or account{suggest(text, PURPOSES)}"


def plain(kind: str, value: str) -> tuple[str, str]:
    """Return `value` in the one form its condition compares, or "" and what is wrong with it."""
    value = value.strip()
    if kind == "prefixes":
        found = _PREFIX.fullmatch(value)
        return (kind, found.group(1)) if found else ("", f"{value!r} is no number prefix")
    if kind == "countries":
        return (kind, value.upper()) if _REGION.fullmatch(value) else ("", f"{value!r} is no ISO 3166 region")
    if kind == "purposes":
        word = value.lower()
        return (kind, word) if word in PURPOSES else ("", f"{value!r} is no purpose{suggest(word, PURPOSES)}")
    return (kind, value) if value else ("", "an account's id is empty")


def _from_table(reader: Reader, data: Mapping[str, Any], path: str) -> Any:
    found: dict[str, tuple[str, ...]] = {}
    sound = True
    for key, given in data.items():
        kind = KINDS.get(key, key)
        if kind not in KINDS.values():
            reader.wrong(f"{path}.{key}", f"unknown key{suggest(key, KINDS.values())}")
            sound = False
            continue
        values = [given] if isinstance(given, str) else given
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            reader.wrong(f"{path}.{key}", "must be a text or a list of texts")
            sound = False
            continue
        read = [plain(kind, value) for value in values]
        for bad in (text for name, text in read if not name):
            reader.wrong(f"{path}.{key}", bad)
            sound = False
        found[kind] = (*found.get(kind, ()), *(value for _, value in read))
    return MatchConfig(**found) if sound else MISSING_VALUE


def read_tls(reader: Reader, data: Any, path: str) -> Any:
    """Read `true`, `false`, or the table, whose presence means true."""
    if isinstance(data, bool):
        return TlsConfig(enabled=data)
    if isinstance(data, Mapping):
        return reader.table(TlsConfig, {"enabled": True, **data}, path)
    return reader.wrong(path, "must be true, false or a table")


def read_bind(reader: Reader, data: Any, path: str) -> Any:
    """Read the mode, also by the words people use for it."""
    words = [mode.value for mode in BindMode]
    word = BIND_WORDS.get(data.lower(), data.lower()) if isinstance(data, str) else None
    if word in words:
        return BindMode(word)
    return reader.wrong(path, f"must be one of {', '.join(words)}; not {data!r}")
