"""`TaskContent` of SendBatchUSMSMessage: base64 of JSON, read into items and targets."""

import base64
import binascii
from dataclasses import dataclass

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.content import check_extend_code, check_user_id
from gateway.api.scloud.parameters import read_json
from gateway.auth.scloud import Value, scalar_text

MAX_TARGETS = 200
MAX_CONTENT = 1024 * 1024  # bytes of base64: 200 targets of 5 KB


@dataclass(slots=True)
class Target:
    """One number of an item and the values of its text."""

    phone: str
    values: list[str]
    extend_code: str
    user_id: str | None


@dataclass(slots=True)
class Item:
    """One template and signature, and who gets it."""

    template_id: str
    signature: str
    targets: list[Target]


def read_tasks(content: str) -> list[Item]:
    """Return the items of `TaskContent`.

    Raises `Refusal` for the request as a whole: 18000 not base64 or not JSON, 18001 something required is
    missing, 18002 a wrong shape, 18003 a bad UserId, ExtendCode or NUL, 18019 more than 200 targets.
    """
    if len(content) > MAX_CONTENT:
        raise Refusal(RetCode.PARAMETER_INVALID, f"TaskContent has more than {MAX_CONTENT} bytes")
    try:
        data = base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(RetCode.JSON_ERROR, "TaskContent is not base64") from None
    items = [_item(entry) for entry in _array(read_json(data, RetCode.JSON_ERROR), "TaskContent")]
    targets = sum(len(item.targets) for item in items)
    if not items:
        raise Refusal(RetCode.PARAMETER_MISSING, "TaskContent is an empty array")
    if targets > MAX_TARGETS:
        raise Refusal(RetCode.TOO_MANY_NUMBERS, f"{targets}, at most {MAX_TARGETS}")
    return items


def _item(entry: Value) -> Item:
    members = _object(entry, "TaskContent")
    targets = [_target(target) for target in _array(members.get("Target"), "Target")]
    if not targets:
        raise Refusal(RetCode.PARAMETER_MISSING, "Target is an empty array")
    return Item(_required(members, "TemplateId"), _text(members, "SigContent"), targets)


def _target(entry: Value) -> Target:
    members = _object(entry, "Target")
    extend_code = _text(members, "ExtendCode")
    check_extend_code(extend_code)
    given = members.get("TemplateParams")
    values = (
        [] if given is None else [_scalar(one, "TemplateParams") for one in _array(given, "TemplateParams")]
    )
    return Target(_required(members, "Phone"), values, extend_code, check_user_id(_text(members, "UserId")))


def _required(members: dict[str, Value], name: str) -> str:
    text = _text(members, name)
    if not text:
        raise Refusal(RetCode.PARAMETER_MISSING, name)
    return text


def _text(members: dict[str, Value], name: str) -> str:
    value = members.get(name)
    return "" if value is None else _scalar(value, name)


def _scalar(value: Value, name: str) -> str:
    if value is None or isinstance(value, list | dict):
        raise Refusal(RetCode.PARAMETER_FORMAT, f"{name} must be text")
    text = scalar_text(value)
    if "\0" in text:
        raise Refusal(RetCode.PARAMETER_INVALID, f"{name} has a NUL character")
    return text


def _array(value: Value, name: str) -> list[Value]:
    if value is None:
        raise Refusal(RetCode.PARAMETER_MISSING, name)
    if not isinstance(value, list):
        raise Refusal(RetCode.PARAMETER_FORMAT, f"{name} must be an array")
    return value


def _object(value: Value, name: str) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise Refusal(RetCode.PARAMETER_FORMAT, f"each entry of {name} must be an object")
    return value
