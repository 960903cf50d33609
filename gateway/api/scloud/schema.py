"""What an action takes: which parameters are texts, which are lists, which must be there.

Lists come as `Name.0`, `Name.1`, … or as a JSON array. Because the signature has no delimiters, the indexes
must be exactly 0 … n-1 in plain digits, and a name with a dot, an array or an object that the action does not
know is refused; other names it does not know are ignored, for clients send stray ones.
"""

from dataclasses import dataclass

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.auth.scloud import Parameters, Value, scalar_text


@dataclass(frozen=True, slots=True)
class Schema:
    """The parameters of one action, beside the public ones."""

    texts: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


@dataclass(slots=True)
class Bound:
    """An action's parameters as text, in the same form whatever the encoding of the request was."""

    texts: dict[str, str]  # absent ones are ""
    lists: dict[str, list[str]]  # absent ones are empty


def bind(parameters: Parameters, schema: Schema) -> Bound:
    """Return `parameters` as `schema` says.

    Raises `Refusal`: 18001 for a required one missing or blank, 18002 for a wrong shape, 18003 for NUL.
    """
    lists = {
        name: _list(parameters, name) if name in parameters else _indexed(parameters, name)
        for name in schema.lists
    }
    texts = {name: _text(parameters, name) if name in parameters else "" for name in schema.texts}
    for name in schema.required:
        if not (texts.get(name, "").strip() or lists.get(name)):
            raise Refusal(RetCode.PARAMETER_MISSING, f"{name}.0" if name in lists else name)
    known = 0
    for name, values in lists.items():
        if name not in parameters:
            known += len(values)
    for name, value in parameters.items():
        if "." in name:
            known -= 1
        elif type(value) is not str and isinstance(value, list | dict) and name not in lists:
            raise Refusal(RetCode.PARAMETER_FORMAT, f"{_shown(name)} must be a single value")
    if known:
        raise Refusal(RetCode.PARAMETER_FORMAT, _stray(parameters, lists))
    return Bound(texts, lists)


def _text(parameters: Parameters, name: str) -> str:
    value = parameters[name]
    if type(value) is str and "\0" not in value:
        return value
    return "" if value is None else _scalar(value, name)


def _list(parameters: Parameters, name: str) -> list[str]:
    given = parameters[name]
    if given is None:
        return _indexed(parameters, name)
    if not isinstance(given, list):
        raise Refusal(RetCode.PARAMETER_FORMAT, f"{name} is a list: write {name}.0, {name}.1, …")
    return [_scalar(value, name) for value in given]


def _indexed(parameters: Parameters, name: str) -> list[str]:
    values: list[str] = []
    prefix = f"{name}."
    # as many as there can be: ends at the first gap
    for index in range(len(parameters)):
        value = parameters.get(prefix + str(index))
        if value is None:
            break
        values.append(value if type(value) is str and "\0" not in value else _scalar(value, name))
    return values


def _scalar(value: Value, name: str) -> str:
    if isinstance(value, list | dict):
        raise Refusal(RetCode.PARAMETER_FORMAT, f"{name} must be a single value")
    text = scalar_text(value)
    if "\0" in text:
        raise Refusal(RetCode.PARAMETER_INVALID, f"{name} has a NUL character")
    return text


def _stray(parameters: Parameters, lists: dict[str, list[str]]) -> str:
    """Say which name with a dot belongs to no list."""
    indexed = {name: len(values) for name, values in lists.items() if name not in parameters}
    known = {f"{name}.{index}" for name, count in indexed.items() for index in range(count)}
    name = next(name for name in parameters if "." in name and name not in known)
    return f"{_shown(name)} is no parameter of this action, or its list does not count 0, 1, 2 …"


def _shown(name: str) -> str:
    return repr(name if len(name) <= 40 else name[:40] + "…")
