"""SMS signatures and templates: their review status, the variables of a text, and how a text is composed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gateway.domain.message import Purpose
from gateway.domain.review import Review

MAX_TEXT = 500  # characters of a template, and of a rendered text without its signature
MIN_SIGNATURE, MAX_SIGNATURE = 2, 12  # characters between the brackets

_VARIABLE = re.compile(r"\{([0-9]{1,3})\}", re.ASCII)
_UNCLEAN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BRACKETS = (("【", "】"), ("[", "]"))


class BadTemplate(ValueError):
    """A template or signature text that cannot be used; says why."""


class WrongVariableCount(ValueError):
    """The number of values differs from the number of variables."""


class BadVariable(ValueError):
    """A value breaks the rules for variables; the text says which one and why, never the value."""


@dataclass(frozen=True)
class SmsSignature:
    """The brand in front of a text. `text` is kept without brackets."""

    id: str
    text: str
    status: Review

    @property
    def approved(self) -> bool:
        """Whether messages may carry it."""
        return self.status is Review.APPROVED


@dataclass(frozen=True)
class Template:
    """A reviewed text with variables `{1}` … `{n}`."""

    id: str
    purpose: Purpose
    name: str
    text: str
    status: Review

    @property
    def approved(self) -> bool:
        """Whether messages may use it."""
        return self.status is Review.APPROVED

    @cached_property
    def variables(self) -> int:
        """How many values a text needs: the highest variable number."""
        return max((int(number) for number in _VARIABLE.findall(self.text)), default=0)

    @cached_property
    def _form(self) -> str:
        # for str.format, whose argument 0 is left unused; every other brace is text
        literals = _VARIABLE.split(self.text)
        return "".join(
            f"{{{int(piece)}}}" if place % 2 else piece.replace("{", "{{").replace("}", "}}")
            for place, piece in enumerate(literals)
        )

    def render(self, values: Sequence[str]) -> str:
        """Return the text with its variables filled in.

        Raises `WrongVariableCount`, or `BadVariable`: a value must be free of control characters other than
        tab and line break, and the whole must not exceed 500 characters.
        """
        if len(values) != self.variables:
            raise WrongVariableCount(
                f"the template has {self.variables} variables, {len(values)} values given"
            )
        if not values:
            return self.text
        for place, value in enumerate(values, 1):
            if len(value) > MAX_TEXT or not is_clean(value):
                raise BadVariable(
                    f"variable {place} has a control character or more than {MAX_TEXT} characters"
                )
        text = self._form.format("", *values)
        if len(text) > MAX_TEXT:
            raise BadVariable(f"the text would have more than {MAX_TEXT} characters")
        return text


def is_clean(text: str) -> bool:
    """Return whether `text` can be stored and sent: no control characters but tab and line breaks."""
    return text.isprintable() or _UNCLEAN.search(text) is None


def compose(signature: SmsSignature | None, text: str) -> str:
    """Return what the handset shows: `【signature】text`, or the bare text."""
    return text if signature is None else f"【{signature.text}】{text}"


def with_opt_out(text: str, phrase: str) -> str:
    """Return `text` with the opt-out `phrase` at its end, where it does not end with it already."""
    if not phrase or text.rstrip(" .。!！)）").endswith(phrase):
        return text
    # after words and variables a comma keeps them apart
    comma = "，" if text[-1:].isalnum() or text.endswith("}") else ""
    return f"{text}{comma}{phrase}"


def bare_signature(text: str) -> str:
    """Return `text` without the surrounding `【】` or `[]` that some clients add."""
    text = text.strip()
    for opening, closing in _BRACKETS:
        if len(text) >= len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            return text[1:-1].strip()
    return text


def check_signature_text(text: str) -> str:
    """Return the signature text to store; raises `BadTemplate`."""
    bare = bare_signature(text)
    if not MIN_SIGNATURE <= len(bare) <= MAX_SIGNATURE:
        raise BadTemplate(
            f"a signature has {MIN_SIGNATURE} to {MAX_SIGNATURE} characters, this one {len(bare)}"
        )
    if not bare.isprintable() or any(character in "【】[]{}" for character in bare):
        raise BadTemplate("a signature has no brackets, braces or control characters")
    return bare


def check_template_text(text: str) -> str:
    """Return the template text to store; raises `BadTemplate`.

    Variables are `{1}` to `{n}` without a gap, each as often as wanted; there must be other text beside them.
    """
    if not text.strip() or len(text) > MAX_TEXT:
        raise BadTemplate(f"a template has 1 to {MAX_TEXT} characters")
    if not is_clean(text):
        raise BadTemplate("a template has no control characters but tab and line break")
    numbers = _VARIABLE.findall(text)
    if {int(number) for number in numbers} != set(range(1, len(set(numbers)) + 1)):
        raise BadTemplate("variables are numbered {1}, {2}, … without a gap")
    if any(number.startswith("0") for number in numbers):
        raise BadTemplate("variable numbers have no leading zero")
    if not _VARIABLE.sub("", text).strip():
        raise BadTemplate("a template is not made of variables alone")
    return text
