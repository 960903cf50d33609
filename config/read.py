"""Plain data (TOML, environment) into the dataclasses of the schema; every mistake noted with its place."""

import difflib
import logging
import stat
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast, get_args, get_origin, get_type_hints


class Schema(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


S = TypeVar("S", bound=Schema)
Special = Callable[["Reader", Any, str], Any]

log = logging.getLogger(__name__)

MISSING_VALUE = object()
SECRET_FIELDS = frozenset({"password", "url"})  # may say `file:PATH`; the file's first line is the value
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest known word, or nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


class Reader:
    """Reads values of one document; `problems` holds what was wrong, with paths."""

    def __init__(self, directory: Path, special: Mapping[type, Special] | None = None) -> None:
        """`special`: how to read types that have short forms besides their table."""
        self.directory = directory
        self.problems: list[str] = []
        self._special = special or {}

    def wrong(self, path: str, text: str) -> Any:
        """Note a problem; returns the sign that there is no usable value."""
        self.problems.append(f"{path}: {text}" if path else text)
        return MISSING_VALUE

    def table(self, cls: type[S], data: Any, path: str) -> S | Any:
        """Read one dataclass; the sign for no value if anything in it was wrong."""
        if not isinstance(data, Mapping):
            return self.wrong(path, "must be a table")
        hints = get_type_hints(cls)
        known = {field.name: field for field in fields(cls)}
        values: dict[str, Any] = {}
        sound = self._unknown_keys(data, known, path)
        for name, field in known.items():
            here = join(path, name)
            if name in data:
                values[name] = self._merged(
                    field, self._secret(name, self.value(hints[name], data[name], here), here)
                )
                sound = sound and values[name] is not MISSING_VALUE
            elif field.default is MISSING and field.default_factory is MISSING:
                self.wrong(here, "is required")
                sound = False
        return cls(**values) if sound else MISSING_VALUE

    def value(self, kind: Any, data: Any, path: str) -> Any:
        """Read one value of type `kind`."""
        if get_origin(kind) is types.UnionType:  # `X | None`: TOML has no None, so it is an X
            kind = next(arg for arg in get_args(kind) if arg is not type(None))
        read = self._special.get(kind) if isinstance(kind, type) else None
        return read(self, data, path) if read else self._plain_value(kind, data, path)

    def _plain_value(self, kind: Any, data: Any, path: str) -> Any:
        origin = get_origin(kind)
        if origin is tuple:
            return self._tuple(get_args(kind)[0], data, path)
        if origin is dict:
            return self._dict(get_args(kind)[1], data, path)
        if is_dataclass(kind):
            return self.table(cast("type[Any]", kind), data, path)
        if issubclass(kind, StrEnum):
            return self._enum(kind, data, path)
        return self._scalar(kind, data, path)

    def _unknown_keys(self, data: Mapping[str, Any], known: Iterable[str], path: str) -> bool:
        unknown = [name for name in data if name not in known]
        for name in unknown:
            self.wrong(join(path, name), f"unknown key{suggest(name, known)}")
        return not unknown

    def _merged(self, field: Field[Any], value: Any) -> Any:
        """A table by purpose that names one purpose leaves the others at their defaults."""
        if isinstance(value, dict) and field.default_factory is not MISSING:
            return {**field.default_factory(), **value}
        return value

    def _secret(self, name: str, value: Any, path: str) -> Any:
        if name not in SECRET_FIELDS or not isinstance(value, str) or not value.startswith("file:"):
            return value
        file = self.directory / value.removeprefix("file:")
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            return self.wrong(path, f"cannot read the secret's file {file}: {reason(error)}")
        if open_to_others(file):  # told, not refused: secrets mounted into a container often are
            log.warning("warning: others can read the secret's file %s of %s: chmod 600 it", file, path)
        return lines[0] if lines else self.wrong(path, f"the secret's file {file} is empty")

    def _tuple(self, kind: Any, data: Any, path: str) -> Any:
        if not isinstance(data, list):
            return self.wrong(path, "must be a list")
        items = [self.value(kind, item, f"{path}{label(item, index)}") for index, item in enumerate(data)]
        return MISSING_VALUE if MISSING_VALUE in items else tuple(items)

    def _dict(self, kind: Any, data: Any, path: str) -> Any:
        if not isinstance(data, Mapping):
            return self.wrong(path, "must be a table")
        items = {str(name): self.value(kind, item, join(path, str(name))) for name, item in data.items()}
        return MISSING_VALUE if any(item is MISSING_VALUE for item in items.values()) else items

    def _enum(self, kind: type[StrEnum], data: Any, path: str) -> Any:
        words = [member.value for member in kind]
        if isinstance(data, str) and data.lower() in words:
            return kind(data.lower())
        return self.wrong(path, f"must be one of {', '.join(words)}; not {data!r}{suggest(str(data), words)}")

    def _scalar(self, kind: type, data: Any, path: str) -> Any:
        if kind is float and type(data) is int:
            return float(data)
        if type(data) is kind:
            return data
        # a password in digits, its quotes forgotten, is a password still
        given = "" if path.rpartition(".")[2] in SECRET_FIELDS else f", not {data!r}"
        return self.wrong(path, f"must be {WORDS[kind]}{given}")


def open_to_others(file: Path) -> bool:
    """Return whether anybody but its owner and group may read a file."""
    return bool(file.stat().st_mode & stat.S_IROTH)


def join(path: str, name: str) -> str:
    """Return the path of `name` inside `path`."""
    return f"{path}.{name}" if path else name


def label(item: Any, index: int) -> str:
    """Return how to point at one item of a list: by its id if it has one, else by its position."""
    name = item.get("id") if isinstance(item, Mapping) else None
    return f" {name!r}" if isinstance(name, str) and name else f"[{index}]"


def reason(error: Exception) -> str:
    """Return why a file could not be read, without repeating its name."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "not UTF-8"
