"""BatchCreateUSMSBlacklistPhone: numbers that are to get nothing more."""

import base64
import binascii
from typing import Any

from gateway.api.scloud.call import Call, encode
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.numbers import LONGEST_GIVEN
from gateway.api.scloud.parameters import read_json
from gateway.api.scloud.schema import Schema
from gateway.auth.scloud import Value, scalar_text
from gateway.domain.lists import MAX_REMARK, PURPOSES, Listing, ListKind, Source
from gateway.domain.template import is_clean
from gateway.flow.replay import Answer
from routing.number import Number, NumberReader

MAX_ENTRIES = 1000
MAX_CONTENT = 4 * 1024 * 1024  # bytes of base64: 1000 remarks in any script, escaped

BLACKLIST = Schema(texts=("IsGlobal", "BlackList"), required=("IsGlobal", "BlackList"))

_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_PURPOSES = {str(purpose): purpose for purpose in PURPOSES}


async def create_blacklist(call: Call) -> Answer:
    """Block the numbers that can be read, and name the others; when it answers, they get nothing more."""
    everywhere = _TRUTH.get(call.bound.texts["IsGlobal"].strip().lower())
    if everywhere is None:
        raise Refusal(RetCode.PARAMETER_FORMAT, "IsGlobal is true or false")
    project_id = "" if everywhere else call.project.id
    blocked: dict[tuple[int, int], Listing] = {}
    good, bad = [], []
    for entry in _entries(call.bound.texts["BlackList"]):
        given = _text(entry, "Phone")
        listing = _listing(call, entry, given, project_id)
        if listing is None:
            bad.append(given)
        else:
            blocked[listing.phone, listing.purpose] = listing
            good.append(given)
    if blocked:
        await call.services.lists.list_numbers(list(blocked.values()))
    fields: dict[str, Any] = {"ReqUuid": call.request_id, "SuccessList": good, "FailedList": bad}
    return Answer(encode(call, RetCode.OK, "Success", **fields), RetCode.OK, stored=bool(blocked))


def read_number(reader: NumberReader, given: str) -> Number | None:
    """Return the number meant by `(cc)n`, `+ccn` or `ccn`; None if it is none.

    Unlike in the sending actions bare digits begin with their country code, and only if that cannot be are
    they a number of the default country.
    """
    text = given.strip()
    if len(text) > LONGEST_GIVEN:
        return None
    if text.isascii() and text.isdigit() and (found := reader.read(f"+{text}")) is not None:
        return found
    return reader.read(text)


def _listing(call: Call, entry: dict[str, Value], given: str, project_id: str) -> Listing | None:
    number = read_number(call.services.numbers, given)
    purpose = _PURPOSES.get(_text(entry, "Purpose") or "0")
    remark = _text(entry, "Remark")
    if number is None or purpose is None or len(remark) > MAX_REMARK or not is_clean(remark):
        return None
    return Listing(
        call.account.id, project_id, ListKind.BLOCKED, int(number.digits), purpose, Source.API, remark, "api"
    )


def _entries(content: str) -> list[dict[str, Value]]:
    """Return the entries of `BlackList`.

    Raises `Refusal` for the request as a whole: 18000 not base64 or not JSON, 18001 no entry, 18002 a wrong
    shape, 18003 too long, 18019 more than 1000 entries.
    """
    if len(content) > MAX_CONTENT:
        raise Refusal(RetCode.PARAMETER_INVALID, f"BlackList has more than {MAX_CONTENT} bytes")
    try:
        data = base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(RetCode.JSON_ERROR, "BlackList is not base64") from None
    value = read_json(data, RetCode.JSON_ERROR)
    if not isinstance(value, list):
        raise Refusal(RetCode.PARAMETER_FORMAT, "BlackList must be an array")
    if not value:
        raise Refusal(RetCode.PARAMETER_MISSING, "BlackList has no entry")
    if len(value) > MAX_ENTRIES:
        raise Refusal(RetCode.TOO_MANY_NUMBERS, f"{len(value)}, at most {MAX_ENTRIES}")
    entries = [entry for entry in value if isinstance(entry, dict)]
    if len(entries) < len(value):
        raise Refusal(RetCode.PARAMETER_FORMAT, "each entry of BlackList must be an object")
    return entries


def _text(entry: dict[str, Value], name: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise Refusal(RetCode.PARAMETER_FORMAT, f"{name} must be a single value")
    text = scalar_text(value)
    if "\0" in text:
        raise Refusal(RetCode.PARAMETER_INVALID, f"{name} has a NUL character")
    return text
