"""The signature of the SCloud API: SHA-1 over the parameters' canonical text, the private key at its end.

The scheme is the published one and cannot be chosen better. It has no delimiters, so what a signature covers
is only as clear as the reader of the parameters is strict: `gateway.api.scloud.parameters` and `schema`.
"""

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal

Scalar = str | bool | int | Decimal
Value = Scalar | None | list["Value"] | dict[str, "Value"]
Parameters = Mapping[str, Value]

SIGNATURE = "Signature"


def scalar_text(value: Scalar | None) -> str:
    """Return the text a scalar is signed as, and means: plain decimal, without a point where it is whole."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text
    return str(value)  # also None inside an array: the word, as clients sign it


def canonical(value: Value) -> str:
    """Return the text to sign: members by name, elements in order, no separators, nulls of objects left out.

    One rule for flat and nested parameters: flat ones are an object whose members are all scalars.
    """
    if isinstance(value, dict):
        return _members(value, sorted(value))
    if isinstance(value, list):
        return "".join([canonical(item) for item in value])
    return scalar_text(value)


def _members(value: Mapping[str, Value], names: list[str]) -> str:
    return "".join(
        [
            name + (item if type(item) is str else canonical(item))  # nearly all are text
            for name in names
            if (item := value[name]) is not None
        ]
    )


def sign(parameters: Parameters, private_key: str) -> str:
    """Return the signature of `parameters` (a `Signature` among them is left out).

    Raises UnicodeEncodeError for half a surrogate pair, which has no UTF-8.
    """
    names = sorted(parameters)
    if SIGNATURE in parameters:
        names.remove(SIGNATURE)
    return hashlib.sha1(
        (_members(parameters, names) + private_key).encode(), usedforsecurity=False
    ).hexdigest()


def verify(parameters: Parameters, private_key: str) -> bool:
    """Return whether the `Signature` among `parameters` is theirs, in a time that does not depend on it."""
    given = parameters.get(SIGNATURE)
    if not isinstance(given, str) or not given.isascii():
        return False
    return hmac.compare_digest(sign(parameters, private_key), given)
