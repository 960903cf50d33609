"""The rules of risk control: how they run for an account, and how often a number may be written to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from config.limits import LONGEST_WINDOW, Hours, Limit, read_hours, read_limit
from config.schema import RiskMode, RiskRule, RiskSettings
from gateway.domain.history import Entry, History, key
from gateway.domain.message import Purpose

DAY_MS = LONGEST_WINDOW * 1000
VERIFICATION_RATES = (RiskRule.TEMPLATE_RATE, RiskRule.VERIFICATION_RATE, RiskRule.VERIFICATION_DAY)
CONTENT_RATES = (RiskRule.CONTENT_RATE, RiskRule.CONTENT_DAY)
RATES = VERIFICATION_RATES + CONTENT_RATES
MAX_VARIABLE = 500  # characters

Value = Limit | Hours | int


class Override(NamedTuple):
    """One account's own setting of a rule; None: as everybody's."""

    rule: RiskRule
    mode: RiskMode | None
    value: str | None


class Cap(NamedTuple):
    """One rate as it is checked."""

    rule: RiskRule
    most: int
    window: int  # ms
    enforced: bool  # else watched only


def read_value(rule: RiskRule, text: str) -> Value:
    """Return the setting of `rule` that `text` means; raises `ValueError`, also for a rule that has none."""
    if rule in RATES:
        return read_limit(text)
    if rule is RiskRule.HOURS:
        return read_hours(text)
    if rule is RiskRule.VARIABLES:
        if not text.strip().isdecimal() or not 1 <= int(text) <= MAX_VARIABLE:
            raise ValueError(f"must be 1 to {MAX_VARIABLE} characters, not {text!r}")
        return int(text)
    raise ValueError(f"{rule.value} has no setting but its mode")


@dataclass(frozen=True)
class Policy:
    """How every rule runs for one account."""

    modes: Mapping[RiskRule, RiskMode]
    values: Mapping[RiskRule, str]  # as they are written

    @classmethod
    def of(cls, settings: RiskSettings) -> "Policy":
        """Return everybody's policy."""
        modes = {rule: RiskMode(settings.modes.get(rule, settings.mode)) for rule in RiskRule}
        named = {rule: getattr(settings, rule, None) for rule in RiskRule}
        return cls(modes, {rule: str(value) for rule, value in named.items() if value is not None})

    def with_(self, overrides: Iterable[Override]) -> "Policy":
        """Return this policy with an account's own settings."""
        modes, values = dict(self.modes), dict(self.values)
        for rule, mode, value in overrides:
            if mode is not None:
                modes[rule] = mode
            if value is not None:
                values[rule] = value
        return replace(self, modes=modes, values=values)

    def runs(self, rule: RiskRule) -> bool:
        """Whether `rule` is not off."""
        return self.modes[rule] is not RiskMode.OFF

    def enforces(self, rule: RiskRule) -> bool:
        """Whether `rule` is on."""
        return self.modes[rule] is RiskMode.ON

    @cached_property
    def hours(self) -> Hours | None:
        """When promotion may be sent; None: whenever, or nobody looks."""
        return read_hours(self.values[RiskRule.HOURS]) if self.runs(RiskRule.HOURS) else None

    @cached_property
    def closing_hours(self) -> Hours | None:
        """When promotion may be sent, if that is enforced."""
        return self.hours if self.enforces(RiskRule.HOURS) else None

    @cached_property
    def variable_length(self) -> int:
        """Characters of a verification variable."""
        return int(self.values[RiskRule.VARIABLES])

    @cached_property
    def verification_caps(self) -> Sequence[Cap]:
        """The rates of verification messages."""
        return tuple(self._caps(RATES))

    @cached_property
    def other_caps(self) -> Sequence[Cap]:
        """The rates of all other messages."""
        return tuple(self._caps(CONTENT_RATES))

    def _caps(self, rules: Iterable[RiskRule]) -> Iterator[Cap]:
        for rule in rules:
            if self.runs(rule):
                limit = read_limit(self.values[rule])
                yield Cap(rule, limit.most, limit.seconds * 1000, self.enforces(rule))


@dataclass(frozen=True)
class Policies:
    """Every account's policy; replaced whole on every change."""

    everybody: Policy
    own: Mapping[str, Policy] = field(default_factory=dict)  # account id → its policy, where it differs

    def of(self, account_id: str) -> Policy:
        """Return the policy of an account."""
        return self.own.get(account_id, self.everybody)


class Frequency:
    """Counts what each number got from each account, in sliding windows.

    Exactly `most` messages fit into any stretch of a window's length that ends now: what is `window` old or
    older counts no more. Verification is remembered apart, so that no campaign drives it out of memory.
    Of all else only the same text is ever asked for, so it is remembered by number and text: a look takes no
    longer for a number that gets thousands of alerts a day.
    """

    def __init__(self, size: int) -> None:
        """Remember `size` messages, and as many of verification."""
        self.verification = History(size, DAY_MS)
        self.others = History(size, DAY_MS)

    def ring(self, purpose: Purpose) -> History:
        """Return where messages of `purpose` are remembered."""
        return self.verification if purpose is Purpose.VERIFICATION else self.others

    def add(self, who: int, purpose: Purpose, entry: Entry) -> int:
        """Remember `entry`; return its number in its ring, to drop it by."""
        if purpose is Purpose.VERIFICATION:
            return self.verification.add(who, entry)
        return self.others.add(hash((who, entry.text)) or 1, entry)

    def over(self, who: int, purpose: Purpose, entry: Entry, caps: Sequence[Cap]) -> Sequence[Cap]:
        """Return the caps that one more message, `entry`, would exceed: up to the first that is enforced."""
        since = entry.at - DAY_MS
        codes = self.verification.recent(who, since)
        others = self.others.recent(hash((who, entry.text)) or 1, since)
        if not codes and not others:
            return ()
        exceeded: list[Cap] = []
        for cap in caps:
            since = entry.at - cap.window
            if cap.rule in CONTENT_RATES:
                count = sum(e.at > since and e.text == entry.text for e in (*codes, *others))
            elif cap.rule is RiskRule.TEMPLATE_RATE:
                count = sum(e.at > since and e.template == entry.template for e in codes)
            else:
                count = sum(e.at > since for e in codes)
            if count >= cap.most:
                exceeded.append(cap)
                if cap.enforced:
                    break
        return exceeded


def recipient_key(account_id: str, phone: str) -> int:
    """Return what a number is remembered by, apart for each account."""
    return key(account_id, phone)


def entry_of(at: int, template_id: str, text: str) -> Entry:
    """Return what is remembered of a message accepted `at`."""
    return Entry(at, hash(template_id), hash(text))
