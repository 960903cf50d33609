"""The automatic checks of a review: (rules, item) → findings. Pure; others decide upon what they find."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.rules import ContentRule, RuleSet, Severity, Words
from gateway.domain.identity import is_credit_code, is_id_number
from gateway.domain.message import Purpose
from gateway.domain.review import Kind, Review
from gateway.domain.template import MAX_TEXT
from gateway.domain.wording import WordFinder, letters, plain

MAX_SHOWN = 40  # characters of what was found

_VARIABLE = re.compile(r"\{([0-9]{1,3})\}", re.ASCII)
_NEIGHBOURS = re.compile(r"\{[0-9]{1,3}\}[\W_]*\{[0-9]{1,3}\}", re.ASCII)
_LIKE_VARIABLE = re.compile(r"\$?\{[^{}]*\}|\$\w+|%[sd]|<%|\{\{|[{}]")
_LINK = re.compile(
    r"https?://\S+|\bwww\.\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|net|org|io|cc|top|xyz|info|app|me|ly|sg|co|shop|vip)\b(?:/\S*)?",
    re.IGNORECASE | re.ASCII,
)
_DATE = re.compile(r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b", re.ASCII)
_PHONE = re.compile(r"(?<![\w])\+?\d(?:[\s-]?\d){6,14}(?![\w])", re.ASCII)
_CERTIFICATE_OF = {0: {0}, 1: {1}, 2: {2}, 3: {3}, 4: {4}, 5: {5, 0}}  # SigType → CertificateType


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the checks have to say."""

    rule: str
    severity: Severity  # reject | flag
    reason: str  # for the customer where it rejects, else for the reviewer
    where: str  # the field, and what stands there


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureItem:
    """A signature as the checks see it."""

    text: str
    type: int | None  # SigType and CertificateType; None: made by an operator
    certificate: int | None
    international: bool
    has_paper: bool
    qualification: Review | None  # its status; None: none was named

    kind = Kind.SIGNATURE


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateItem:
    """A template as the checks see it."""

    purpose: Purpose
    name: str
    text: str
    unsubscribe: str
    instruction: str
    signed: bool  # its project has an approved signature, or it needs none

    kind = Kind.TEMPLATE


@dataclass(frozen=True, slots=True, kw_only=True)
class QualificationItem:
    """Company papers as the checks see them."""

    texts: Mapping[str, str]  # by the API's name of the field
    missing: tuple[str, ...]  # fields that must be there and are not

    kind = Kind.QUALIFICATION


Item = SignatureItem | TemplateItem | QualificationItem


class Checks:
    """The rules, ready to be used."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._topics = {rule.id: _finder(rule.words, rule.patterns) for rule in rules.rule}
        self._verification = _finder(rules.template.verification)
        self._marketing = _finder(rules.template.marketing)
        self._opt_out = _finder(rules.template.opt_out)
        self._generic = {letters(plain(word)) for word in _all(rules.signature.generic)}

    def __call__(self, item: Item) -> list[Finding]:
        """Return every finding, what rejects first."""
        if isinstance(item, SignatureItem):
            found = [*self._signature(item), *self._content(item.kind, {"SigContent": item.text})]
        elif isinstance(item, TemplateItem):
            found = self._whole_template(item)
        else:
            found = [*self._papers(item), *self._content(item.kind, item.texts)]
        return sorted(found, key=lambda finding: finding.severity is not Severity.REJECT)

    # -- signatures

    def _signature(self, item: SignatureItem) -> Iterator[Finding]:
        rules, text = self.rules.signature, item.text
        if not rules.least <= len(text) <= rules.most:
            told = f"a signature has {rules.least} to {rules.most} characters, this one {len(text)}"
            yield from self._found("signature-length", told, "SigContent")
        strange = "".join(dict.fromkeys(c for c in text if not (c.isalnum() or c == "_")))
        if strange:
            told = "a signature has letters, digits and underscores only"
            yield from self._found("signature-characters", told, f"SigContent: {_shown(strange)}")
        if letters(plain(text)) in self._generic:
            yield from self._found("signature-generic", "a signature names its sender", "SigContent")
        if item.type is not None:
            yield from self._certificate(item, item.type)

    def _certificate(self, item: SignatureItem, type_: int) -> Iterator[Finding]:
        if not item.international and type_ in self.rules.signature.barred_types:
            told = "domestic signatures are company names, their short names or trademarks"
            yield from self._found("signature-type", told, f"SigType: {type_}")
        if item.certificate not in _CERTIFICATE_OF.get(type_, {item.certificate}):
            told = "the certificate must be of the signature's type"
            yield from self._found("certificate-mismatch", told, f"CertificateType: {item.certificate}")
        if not item.international and not item.has_paper and item.qualification is None:
            yield from self._found("certificate-missing", "neither a file nor a qualification", "File")
        if item.qualification not in (None, Review.APPROVED):
            told = "its qualification is not approved"
            yield from self._found("qualification-not-approved", told, "QualificationId")
        if type_ == 0 and not item.international and len(item.text) <= 3:
            told = "a short name has more than 3 characters"
            yield from self._found("short-name", told, "SigContent")

    # -- templates

    def _whole_template(self, item: TemplateItem) -> list[Finding]:
        found = [*self._variables(item.text), *self._shape(item), *self._wording(item)]
        found += self._content(item.kind, {"Template": item.text, "TemplateName": item.name}, item.purpose)
        # what is said about the variables is not sent, but tells what they will hold
        for finding in self._content(item.kind, {"Instruction": item.instruction}, item.purpose):
            found.append(Finding(finding.rule, Severity.FLAG, finding.reason, finding.where))
        if not item.signed:
            found += self._found("no-signature", "no signature of the project is approved yet", "ProjectId")
        return found

    def _variables(self, text: str) -> Iterator[Finding]:
        numbers = _VARIABLE.findall(text)
        if {int(number) for number in numbers} != set(range(1, len(set(numbers)) + 1)) or any(
            number.startswith("0") for number in numbers
        ):
            told = "variables are numbered {1}, {2}, … without a gap"
            yield from self._found("variable-numbering", told, "Template")
        if stray := _LIKE_VARIABLE.search(_VARIABLE.sub(" ", text)):
            told = "a variable is a number in braces: {1}"
            yield from self._found("variable-shape", told, f"Template: {_shown(stray[0])}")
        if close := _NEIGHBOURS.search(text):
            told = "two variables need words between them"
            yield from self._found("variable-adjacent", told, f"Template: {_shown(close[0])}")
        if not any(character.isalnum() for character in _VARIABLE.sub("", text)):
            yield from self._found("variables-only", "a template is not made of variables alone", "Template")

    def _shape(self, item: TemplateItem) -> Iterator[Finding]:
        rules, text = self.rules.template, item.text
        if len(_VARIABLE.sub("", text)) + len(item.unsubscribe) > MAX_TEXT:
            told = f"a message has at most {MAX_TEXT} characters"
            yield from self._found("template-length", told, "Template")
        if strange := "".join(dict.fromkeys(c for c in text if c in rules.symbols)):
            told = "carriers do not take these symbols"
            yield from self._found("template-symbols", told, f"Template: {_shown(strange)}")
        if item.name and not rules.name_least <= len(item.name) <= rules.name_most:
            told = f"a template's name has {rules.name_least} to {rules.name_most} characters"
            yield from self._found("template-name", told, "TemplateName")
        for one, many, pattern, most in (
            ("link", "links", _LINK, rules.max_links),
            ("phone", "phones", _PHONE, rules.max_phones),
        ):
            seen = pattern.findall(_DATE.sub("", text))
            if len(seen) > most:
                yield from self._found(many, f"at most {most} of them: {one}", f"Template: {_shown(seen[0])}")
            elif seen:
                told = f"a {one} must be filed with the carriers"
                yield from self._found(one, told, f"Template: {_shown(seen[0])}")

    def _wording(self, item: TemplateItem) -> Iterator[Finding]:
        whole = item.text + item.unsubscribe
        if item.purpose is Purpose.VERIFICATION and not self._verification.find(item.text):
            told = "a verification template says that it holds a code"
            yield from self._found("verification-wording", told, "Template")
        if item.purpose is not Purpose.PROMOTION:
            if words := self._marketing.find(item.text):
                told = "advertising belongs into a promotion template"
                yield from self._found("marketing-wording", told, f"Template: {_shown(words)}")
        elif not self._opt_out.ends(whole):
            told = "a promotion ends with how to refuse further ones"
            yield from self._found("opt-out-missing", told, "Template")

    # -- qualifications

    def _papers(self, item: QualificationItem) -> Iterator[Finding]:
        if item.missing:
            told = f"missing: {', '.join(item.missing)}"
            yield from self._found("papers-missing", told, item.missing[0])
        code = item.texts.get("CompanyCreditCode", "")
        if code and not is_credit_code(code):
            told = "not a unified social credit code"
            yield from self._found("credit-code", told, "CompanyCreditCode")
        for name in ("HandlerIDNumber", "ManagerIDNumber"):
            number = item.texts.get(name, "")
            if number and not is_id_number(number):
                yield from self._found("id-number", "not a resident's identity number", name)

    # -- every kind

    def _content(
        self, kind: Kind, texts: Mapping[str, str], purpose: Purpose | None = None
    ) -> Iterator[Finding]:
        for rule in self.rules.rule:
            if rule.severity is Severity.OFF or not _concerns(rule, kind, purpose):
                continue
            finder = self._topics[rule.id]
            for name, text in texts.items():
                if found := finder.find(text):
                    yield Finding(rule.id, rule.severity, rule.reason, f"{name}: {_shown(found)}")
                    break

    def _found(self, rule: str, reason: str, where: str) -> Iterator[Finding]:
        severity = self.rules.severity[rule]
        if severity is not Severity.OFF:
            yield Finding(rule, severity, reason, where)


def rejection(findings: list[Finding]) -> str:
    """Return what the customer is told of the findings that reject; "" if none does."""
    told = dict.fromkeys(finding.reason for finding in findings if finding.severity is Severity.REJECT)
    return "; ".join(told)


def _all(words: Words) -> Iterator[str]:
    return (word for given in words.values() for word in given)


def _finder(words: Words, patterns: tuple[str, ...] = ()) -> WordFinder:
    return WordFinder(_all(words), patterns)


def _concerns(rule: ContentRule, kind: Kind, purpose: Purpose | None) -> bool:
    return kind in rule.kinds and (purpose is None or purpose.name.lower() in rule.purposes)


def _shown(text: str) -> str:
    text = "".join(character if character.isprintable() else " " for character in text)
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…")
