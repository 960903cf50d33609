"""Bytes of a request to named parameters, exactly as their sender signed them.

Strict, because what is signed has no delimiters: a name given twice, bytes that are not UTF-8 or a number
without plain decimal form are refused.
"""

import json
import re
from binascii import unhexlify
from decimal import Decimal
from typing import Any

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.auth.scloud import Parameters, Value, canonical

MAX_PARAMETERS = 20_000  # form pairs, or JSON members and elements; far above the longest list of any action
MAX_DEPTH = 16  # of JSON
MAX_DIGITS = 400  # of a JSON number: more than a double can have before its point

# a form's separators become two control characters, so that the whole body can be unescaped and decoded in
# one go; no text may hold these two, so a form that has more of them afterwards is refused
_PAIR, _EQUALS = "\0", "\1"
_SEPARATORS = bytes.maketrans(b"+&=", b" \0\1")
# the escapes of a list of numbers, replaced in one go; none of them can complete another escape
_FREQUENT = ((b"%28", b"("), (b"%29", b")"), (b"%2B", b"+"))
# a run of escapes at once, for a Chinese character is three of them; the leading % is quick to find
_ESCAPES = re.compile(rb"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*")


def read_parameters(body: bytes, query: bytes, content_type: str) -> Parameters:
    """Return the parameters in `body`, or in `query` when there is no body; raises `Refusal`."""
    if not body:
        return read_form(query)
    if "json" in content_type or body[:64].lstrip()[:1] == b"{":
        parameters = read_json(body, RetCode.JSON_ERROR)
        if not isinstance(parameters, dict):
            raise Refusal(RetCode.JSON_ERROR, "the body is not an object")
        return {name: value for name, value in parameters.items() if value is not None}
    return read_form(body)


def read_form(form: bytes) -> dict[str, Value]:
    """Return the pairs of a URL-encoded form or query, blanks kept; raises `Refusal`.

    Refused: bytes that are not UTF-8, the characters NUL and SOH, a name given twice, more than 20,000 pairs.
    """
    if not form:
        return {}
    pairs, equals = form.count(b"&"), form.count(b"=")
    if pairs >= MAX_PARAMETERS:
        raise Refusal(RetCode.PARAMETER_FORMAT, f"more than {MAX_PARAMETERS} parameters")
    text = _unescaped(form)
    if text.count(_PAIR) != pairs or text.count(_EQUALS) != equals:
        raise Refusal(RetCode.PARAMETER_INVALID, "a parameter has a NUL or SOH character")
    pieces = text.split(_PAIR)
    found: dict[str, Value] = {}
    for piece in pieces:
        if piece:  # the empty ones of `a=1&&b=2&` are forgiven
            name, _, value = piece.partition(_EQUALS)
            found[name] = value.replace(_EQUALS, "=") if _EQUALS in value else value
    if len(found) != len(pieces) and len(found) != len(pieces) - pieces.count(""):
        raise Refusal(RetCode.PARAMETER_FORMAT, "a parameter is given twice")
    return found


def _unescaped(form: bytes) -> str:
    raw = form.translate(_SEPARATORS)
    if b"%" in raw:
        for escape, character in _FREQUENT:
            raw = raw.replace(escape, character)
        raw = _ESCAPES.sub(_escaped, raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refusal(RetCode.PARAMETER_FORMAT, "not UTF-8") from None


def _escaped(run: re.Match[bytes]) -> bytes:
    return unhexlify(run[0].replace(b"%", b""))


def read_json(data: bytes, code: RetCode) -> Value:
    """Return a JSON document with its numbers exact; raises `Refusal` with `code` if it cannot be read.

    A member given twice, more than 20,000 members and elements, a depth above 16, numbers no double can hold
    and half a surrogate pair are refused too.
    """
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MAX_PARAMETERS:
        raise Refusal(RetCode.PARAMETER_FORMAT, f"more than {MAX_PARAMETERS} values")
    try:
        text = data.decode()
        value: Value = _DECODER.decode(text)
        _check_depth(value)
        if "\\ud" in text or "\\uD" in text:
            canonical(value).encode()
    except (ValueError, RecursionError) as error:
        raise Refusal(code, _why(error)) from None
    return value


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeError):
        return "not UTF-8"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _decimal(text: str) -> Decimal:
    exponent = text.lower().partition("e")[2]
    if len(text) > MAX_DIGITS or abs(int(exponent or 0)) > MAX_DIGITS:
        raise ValueError("a number is out of range")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number is out of range")
    return int(text)


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_decimal, parse_int=_integer, parse_constant=_no_constant
)


def _check_depth(value: Value) -> None:
    level: list[Value] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")
