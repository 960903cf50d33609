"""Parameters of forms by their names: numbers, truth values, free text. Each refusal names the parameter."""

from collections.abc import Collection, Mapping

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.values import whole, word
from gateway.domain.template import is_clean

_TRUTH = {"": False, "false": False, "0": False, "true": True, "1": True}


def integer(texts: Mapping[str, str], name: str, allowed: range) -> int:
    """Return a number; raises `Refusal` 18002 for no number, 18003 for one that is not allowed."""
    return whole(name, texts[name].strip(), min(allowed), max(allowed))


def optional_integer(texts: Mapping[str, str], name: str, allowed: range) -> int | None:
    """Return a number, or None for a blank; raises as `integer` does."""
    return integer(texts, name, allowed) if texts[name] else None


def truth(texts: Mapping[str, str], name: str) -> bool:
    """Return a truth value, blank meaning false; raises `Refusal` 18002."""
    value = _TRUTH.get(texts[name].strip().lower())
    if value is None:
        raise Refusal(RetCode.PARAMETER_FORMAT, f"{name} must be true or false")
    return value


def words(texts: Mapping[str, str], name: str, longest: int) -> str:
    """Return free text of at most `longest` characters; raises `Refusal` 18003."""
    text = texts[name].strip()
    if len(text) > longest or not is_clean(text):
        raise Refusal(
            RetCode.PARAMETER_INVALID, f"{name} has at most {longest} characters, no control characters"
        )
    return text


def one_of(texts: Mapping[str, str], name: str, allowed: Collection[str]) -> str:
    """Return one of a few words; raises `Refusal` 18003."""
    return word(name, texts[name], allowed)
