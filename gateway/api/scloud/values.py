"""Values of parameters that are more than text: numbers, words, days."""

import re
from collections.abc import Iterable
from datetime import date

from gateway.api.scloud.codes import Refusal, RetCode

_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def whole(name: str, text: str, least: int, most: int) -> int:
    """Return a whole number; raises `Refusal` 18002 if it is none, 18003 out of bounds."""
    if _WHOLE.fullmatch(text) is None:
        raise Refusal(RetCode.PARAMETER_FORMAT, f"{name} is no whole number")
    value = int(text)
    if not least <= value <= most:
        raise Refusal(RetCode.PARAMETER_INVALID, f"{name} must be {least} to {most}")
    return value


def word(name: str, text: str, words: Iterable[str]) -> str:
    """Return `text`, one of `words`; raises `Refusal` 18003."""
    words = tuple(words)
    if text not in words:
        raise Refusal(RetCode.PARAMETER_INVALID, f"{name} must be {' or '.join(words)}")
    return text


def day(name: str, text: str) -> date:
    """Return a day written YYYY-MM-DD; raises `Refusal` 18002 for another form, 18003 for no such day."""
    if _DAY.fullmatch(text) is None:
        raise Refusal(RetCode.PARAMETER_FORMAT, f"{name} must be written YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(RetCode.PARAMETER_INVALID, f"{name}: there is no such day") from None
