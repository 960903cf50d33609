"""Requests that nobody should send: what is right about an action's parameters, and then made wrong."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from gateway.api.scloud.actions import ACTIONS
from gateway.auth.scloud import scalar_text, sign
from tests.actions.world import Customer, Parameters

ENCODINGS = ("query", "form", "flat", "nested")
LONGEST_QUERY = 60_000  # below what the listener takes as a request's first line

NASTY = (
    "", " ", "\0", "a\0b", "\x01", "\ud800", "\udfff x", "\U0001f600" * 40, "\u202e", "\ufeff", "é",
    "e\u0301", "-1", "0", "00", "1e400", "NaN", "null", "true", "[]", "{}", "%00", "%", "&=+?#", "{1}",
    "{1000}", "【】", "[", "' OR 1=1 --", "../../etc/passwd", "\r\nX: y", "9" * 400, "9" * 40, "x" * 5_000,
    "18500000123" * 20, "2026-02-30", "9999-12-31", "data:image/png;base64,", "====", "UTA", "SIG", "org-",
)  # fmt: skip

texts = st.sampled_from(NASTY) | st.text(max_size=30) | st.text("0123456789+()", max_size=20)
scalars = (
    texts
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def names(action: str) -> st.SearchStrategy[str]:
    """Names of parameters: the action's own, the public ones, indexes of every kind, and any text."""
    schema = ACTIONS[action].schema
    own = [*schema.texts, *schema.lists, *schema.required] or ["Limit"]
    indexes = ("0", "1", "2", "00", "01", "-1", "1000", "999999999999", "", "x", "0.0", "٣")
    return (
        st.sampled_from(own)
        | st.sampled_from(["Action", "ProjectId", "PublicKey", "Signature", "Region", "SecurityToken"])
        | st.builds("{}.{}".format, st.sampled_from(own), st.sampled_from(indexes))
        | texts
    )


@st.composite
def altered(draw: st.DrawFn, value: Any) -> Any:
    """Return `value` with something in it exchanged, taken away or added, down to JSON inside base64."""
    if isinstance(value, str) and (inner := _packed(value)) is not None and draw(st.booleans()):
        return _pack(draw(altered(inner)))
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        if draw(st.booleans()):
            return {**value, name: draw(altered(value[name]))}
        return {key: item for key, item in value.items() if key != name}
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        changed = [draw(altered(item)) if place == at else item for at, item in enumerate(value)]
        return changed * draw(st.sampled_from([1, 1, 2, 300]))
    return draw(values)


@st.composite
def parameters(draw: st.DrawFn, action: str, good: Parameters) -> Parameters:
    """Return the parameters of a call that is right but for a few places; sometimes it is right."""
    whole = dict(good)
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(whole)) | names(action) if whole else names(action))
        if name in whole and draw(st.booleans()):
            if draw(st.booleans()):
                whole[name] = draw(altered(whole[name]))
            else:
                del whole[name]
        else:
            whole[name] = draw(values)
    return whole


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire."""

    method: str
    path: str
    body: bytes
    content_type: str


def request(whole: Parameters, encoding: str, signature: str, by: Customer) -> Request:
    """Return the request for `whole` in `encoding`; `signature`: right, wrong, none, or a text of its own."""
    if encoding in ("query", "form"):
        pairs = _signed(_flat(whole, text=True), signature, by)
        encoded = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs.items())
        if encoding == "form" or len(encoded) > LONGEST_QUERY:
            return Request("POST", "/", encoded.encode(), "application/x-www-form-urlencoded")
        return Request("GET", f"/?{encoded}", b"", "")
    document = whole if encoding == "nested" else _flat(whole, text=False)
    try:
        # as the gateway will read it: numbers exact, members as they come
        read = json.loads(json.dumps(document), parse_float=Decimal)
        known = {name: value for name, value in read.items() if value is not None}
        if signature != "none":
            document = {**document, "Signature": _signed(known, signature, by)["Signature"]}
    except ValueError:  # an integer too long for Python to write down
        document = {**whole, "Signature": "0" * 40}
    return Request("POST", "/", json.dumps(document).encode(), "application/json")


def _signed(whole: Mapping[str, Any], signature: str, by: Customer) -> dict[str, Any]:
    if signature == "none":
        return dict(whole)
    if signature not in ("right", "wrong"):
        return {**whole, "Signature": signature}
    try:
        made = sign(whole, by.private_key if signature == "right" else "another key")
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8 to be signed
        made = "0" * 40
    return {**whole, "Signature": made}


def _flat(whole: Mapping[str, Any], *, text: bool) -> dict[str, Any]:
    """Return lists and objects as dotted names; as a form has them: every value a text, no nulls."""
    found: dict[str, Any] = {}

    def put(name: str, value: Any) -> None:
        if isinstance(value, dict | list):
            members = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in members:
                put(f"{name}.{key}", item)
        elif value is not None or not text:
            found[name] = (
                scalar_text(Decimal(repr(value)) if isinstance(value, float) else value) if text else value
            )

    for name, value in whole.items():
        put(name, value)
    return found


def _quoted(text: Any) -> str:
    return quote_from_bytes(str(text).encode("utf-8", "surrogatepass"))


def _packed(text: str) -> Any:
    try:
        inner = json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        return None
    return inner if isinstance(inner, list | dict) else None


def _pack(inner: Any) -> str:
    return base64.b64encode(json.dumps(inner).encode()).decode()
