"""The rules of the automatic review, and their loading: one TOML file, all mistakes at once.

`review-rules.toml` beside this module is the shipped one; `[review] rules` of the settings names another.
Every key is explained in docs/review-rules.md.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from config.load import ConfigError
from config.read import MISSING_VALUE, Reader, reason, suggest
from config.schema import PURPOSES

SHIPPED = Path(__file__).with_name("review-rules.toml")
KINDS = ("signature", "template", "qualification")
MAX_WORD = 40  # characters; what is looked for is a word or a short phrase

Words = dict[str, tuple[str, ...]]  # by language; every language is looked for in every text


class Severity(StrEnum):
    """What a finding does."""

    REJECT = "reject"  # the item is rejected, the customer reads the reason
    FLAG = "flag"  # the reviewer is told
    OFF = "off"  # nothing


# the checks that are code; their severity is the rule file's `[severity]`
FORMAT_RULES: dict[str, Severity] = {
    "signature-length": Severity.REJECT,
    "signature-characters": Severity.REJECT,
    "signature-generic": Severity.REJECT,
    "signature-type": Severity.REJECT,
    "certificate-mismatch": Severity.REJECT,
    "certificate-missing": Severity.FLAG,
    "qualification-not-approved": Severity.FLAG,
    "short-name": Severity.FLAG,
    "variable-numbering": Severity.REJECT,
    "variable-shape": Severity.REJECT,
    "variable-adjacent": Severity.REJECT,
    "variables-only": Severity.REJECT,
    "template-length": Severity.REJECT,
    "template-symbols": Severity.REJECT,
    "template-name": Severity.FLAG,
    "verification-wording": Severity.REJECT,
    "marketing-wording": Severity.FLAG,
    "opt-out-missing": Severity.REJECT,
    "links": Severity.REJECT,
    "link": Severity.FLAG,
    "phones": Severity.REJECT,
    "phone": Severity.FLAG,
    "no-signature": Severity.FLAG,
    "papers-missing": Severity.REJECT,
    "credit-code": Severity.FLAG,
    "id-number": Severity.FLAG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentRule:
    """`[[rule]]`: words and patterns of one refused topic."""

    id: str
    reason: str  # what the customer reads
    clause: str = ""  # where it comes from
    severity: Severity = Severity.REJECT
    words: Words = field(default_factory=dict)
    patterns: tuple[str, ...] = ()  # regular expressions, on the text in lower case and narrow forms
    kinds: tuple[str, ...] = KINDS
    purposes: tuple[str, ...] = PURPOSES  # of templates


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRules:
    """`[signature]`: the shape of a brand."""

    least: int = 2  # characters
    most: int = 12
    barred_types: tuple[int, ...] = (1, 2, 3)  # SigType of domestic ones
    generic: Words = field(default_factory=dict)  # names that name nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRules:
    """`[template]`: the shape of a text."""

    name_least: int = 2
    name_most: int = 12
    symbols: str = ""  # characters carriers do not take
    verification: Words = field(default_factory=dict)  # a verification text has one of them
    marketing: Words = field(default_factory=dict)  # and these belong into promotion only
    opt_out: Words = field(default_factory=dict)  # a promotion ends with one of them
    max_links: int = 1
    max_phones: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The whole rule file."""

    rule: tuple[ContentRule, ...] = ()
    signature: SignatureRules = field(default_factory=SignatureRules)
    template: TemplateRules = field(default_factory=TemplateRules)
    severity: dict[str, Severity] = field(default_factory=lambda: dict(FORMAT_RULES))


def load_rules(path: Path) -> RuleSet:
    """Return the rules in `path`; raises `ConfigError` with every mistake."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {reason(error)}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from error
    reader = Reader(path.absolute().parent)
    rules = reader.table(RuleSet, document, "")
    problems = list(reader.problems)
    if rules is not MISSING_VALUE:
        problems += (f"{where}: {what}" for where, what in _check(rules))
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    loaded: RuleSet = rules
    return loaded


Problem = tuple[str, str]


def _check(rules: RuleSet) -> Iterator[Problem]:
    seen: set[str] = set()
    for rule in rules.rule:
        path = f"rule {rule.id!r}"
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", rule.id):
            yield f"{path}.id", "must be 1 to 40 small letters, digits or dashes"
        if rule.id in seen or rule.id in FORMAT_RULES:
            yield path, "given more than once, or the name of a built-in check"
        seen.add(rule.id)
        yield from _content(path, rule)
    yield from _severities(rules.severity)
    yield from _ranges(rules)
    for name in ("verification", "marketing", "opt_out"):
        yield from _words(f"template.{name}", getattr(rules.template, name))
    yield from _words("signature.generic", rules.signature.generic)


def _content(path: str, rule: ContentRule) -> Iterator[Problem]:
    if not rule.reason.strip():
        yield f"{path}.reason", "is empty: the customer is told nothing"
    if not rule.patterns and not any(rule.words.values()):
        yield path, "has neither words nor patterns"
    yield from _words(f"{path}.words", rule.words)
    for pattern in rule.patterns:
        try:
            if re.compile(pattern).match(""):
                yield f"{path}.patterns", f"{pattern!r} matches an empty text, so every text"
        except re.error as error:
            yield f"{path}.patterns", f"{pattern!r}: {error}"
    for name, given, known in (("kinds", rule.kinds, KINDS), ("purposes", rule.purposes, PURPOSES)):
        for word in given:
            if word not in known:
                yield f"{path}.{name}", f"{word!r} is none of {', '.join(known)}{suggest(word, known)}"


def _words(path: str, words: Words) -> Iterator[Problem]:
    for language, given in words.items():
        for word in given:
            if not any(character.isalnum() for character in word) or len(word) > MAX_WORD:
                yield f"{path}.{language}", f"{word!r} must have a letter, and at most {MAX_WORD} characters"
            elif "*" in word.rstrip("*") or word.endswith("**"):
                yield f"{path}.{language}", f"{word!r}: one * may stand at the end, nowhere else"


def _severities(severity: dict[str, Severity]) -> Iterator[Problem]:
    for name in severity:
        if name not in FORMAT_RULES:
            yield f"severity.{name}", f"there is no such check{suggest(name, FORMAT_RULES)}"


def _ranges(rules: RuleSet) -> Iterator[Problem]:
    signature, template = rules.signature, rules.template
    for path, least, most in (
        ("signature", signature.least, signature.most),
        ("template.name", template.name_least, template.name_most),
    ):
        if not 1 <= least <= most:
            yield path, f"least and most must be 1 or more, in this order; not {least} and {most}"
    for name in ("max_links", "max_phones"):
        if getattr(template, name) < 0:
            yield f"template.{name}", "must be 0 or more"
