"""How rules run for an account, and how often a number may be written to."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.schema import RiskMode, RiskRule, RiskSettings
from gateway.domain.history import Entry
from gateway.domain.message import Purpose
from gateway.domain.risk import (
    DAY_MS,
    RATES,
    Frequency,
    Override,
    Policies,
    Policy,
    entry_of,
    read_value,
    recipient_key,
)

NOW = 1_790_000_000_000


def policy(**changes: object) -> Policy:
    return Policy.of(RiskSettings(**changes))  # type: ignore[arg-type]


def test_everybodys_policy_is_the_settings() -> None:
    everybody = policy(mode=RiskMode.MONITOR, modes={"hours": "off", "blacklist": "on"})
    assert everybody.modes[RiskRule.BLACKLIST] is RiskMode.ON
    assert everybody.modes[RiskRule.CONTENT] is RiskMode.MONITOR
    assert everybody.hours is None
    assert not everybody.enforces(RiskRule.OPTOUT)
    assert everybody.runs(RiskRule.OPTOUT)


def test_an_accounts_own_settings_come_before_everybodys() -> None:
    own = policy().with_(
        [
            Override(RiskRule.HOURS, None, "09:00-21:00 refuse"),
            Override(RiskRule.VERIFICATION_RATE, RiskMode.MONITOR, "5/1h"),
            Override(RiskRule.TEMPLATE_RATE, RiskMode.OFF, None),
        ]
    )
    assert own.hours is not None
    assert own.hours.refuse
    caps = {cap.rule: (cap.most, cap.enforced) for cap in own.verification_caps}
    assert caps == {
        RiskRule.VERIFICATION_RATE: (5, False),
        RiskRule.VERIFICATION_DAY: (10, True),
        RiskRule.CONTENT_RATE: (1, True),
        RiskRule.CONTENT_DAY: (10, True),
    }
    policies = Policies(policy(), {"acc-1": own})
    assert policies.of("acc-1") is own
    assert policies.of("acc-2") is policies.everybody


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (RiskRule.BLACKLIST, "1"),
        (RiskRule.HOURS, "3/1h"),
        (RiskRule.CONTENT_DAY, "always"),
        (RiskRule.VARIABLES, "0"),
        (RiskRule.VARIABLES, "501"),
        (RiskRule.VARIABLES, "-1"),
        (RiskRule.VARIABLES, "²"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(rule: RiskRule, value: str) -> None:
    with pytest.raises(ValueError, match=r"must be|has no setting"):
        read_value(rule, value)


def test_every_default_is_a_setting_that_can_be() -> None:
    for rule, value in policy().values.items():
        assert read_value(rule, value)


class Counter:
    """Asks and counts, as accept does."""

    def __init__(self, policy: Policy, size: int = 1_000) -> None:
        self.policy = policy
        self.frequency = Frequency(size)

    def sent(
        self, at: int, phone: str = "6012", template: str = "UTA1", text: str = "1",
        purpose: Purpose = Purpose.VERIFICATION,
    ) -> Sequence[RiskRule]:  # fmt: skip
        """Return the rules that object; without an objection by a rule that is on the message is counted."""
        caps = self.policy.verification_caps if purpose == Purpose.VERIFICATION else self.policy.other_caps
        who, entry = recipient_key("acc-1", phone), entry_of(at, template, text)
        over = self.frequency.over(who, purpose, entry, caps)
        if not any(cap.enforced for cap in over):
            self.frequency.add(who, purpose, entry)
        return [cap.rule for cap in over]


def test_the_same_template_waits_thirty_seconds() -> None:
    counter = Counter(policy())
    assert counter.sent(NOW, text="1") == []
    assert counter.sent(NOW + 29_999, text="2") == [RiskRule.TEMPLATE_RATE]
    assert counter.sent(NOW + 29_999, text="2", template="UTA2") == []
    assert counter.sent(NOW + 30_000, text="3") == []
    assert counter.sent(NOW + 30_000, text="4", phone="6013") == []


def test_three_codes_an_hour_and_ten_a_day() -> None:
    counter = Counter(policy())
    for n in range(3):
        assert counter.sent(NOW + n * 60_000, text=str(n)) == []
    assert counter.sent(NOW + 180_000, text="4") == [RiskRule.VERIFICATION_RATE]
    assert counter.sent(NOW + 3_599_999, text="4") == [RiskRule.VERIFICATION_RATE]
    for n in range(7):
        assert counter.sent(NOW + (n + 1) * 3_600_000, text=f"later {n}") == []
    assert counter.sent(NOW + 10 * 3_600_000, text="eleventh") == [RiskRule.VERIFICATION_DAY]
    assert counter.sent(NOW + DAY_MS, text="eleventh") == []


def test_the_same_text_of_any_purpose_is_the_same_text() -> None:
    counter = Counter(policy())
    assert counter.sent(NOW, text="hello", purpose=Purpose.NOTIFICATION) == []
    assert counter.sent(NOW + 59_999, text="hello", purpose=Purpose.PROMOTION) == [RiskRule.CONTENT_RATE]
    assert counter.sent(NOW + 59_999, text="hello") == [RiskRule.CONTENT_RATE]
    assert counter.sent(NOW + 59_999, text="goodbye", purpose=Purpose.PROMOTION) == []
    assert counter.sent(NOW + 60_000, text="hello", purpose=Purpose.PROMOTION) == []


def test_a_rule_in_monitor_mode_is_named_and_stops_nothing() -> None:
    counter = Counter(policy(modes={"template_rate": "monitor"}))
    assert counter.sent(NOW, text="1") == []
    assert counter.sent(NOW, text="2") == [RiskRule.TEMPLATE_RATE]
    assert counter.sent(NOW, text="2") == [RiskRule.TEMPLATE_RATE, RiskRule.CONTENT_RATE]


def test_what_was_refused_does_not_count() -> None:
    counter = Counter(policy())
    assert counter.sent(NOW) == []
    for n in range(1, 30):
        assert counter.sent(NOW + n * 1_000) != []
    assert counter.sent(NOW + 30_000, text="other") == []


def test_a_number_that_gets_thousands_of_alerts_is_looked_up_like_any_other() -> None:
    counter = Counter(policy(), size=4_096)
    for n in range(4_000):
        assert counter.sent(NOW + n, text=f"alert {n}", purpose=Purpose.NOTIFICATION) == []
    looked: list[int] = []
    recent = counter.frequency.others.recent

    def watched(who: int, since: int) -> Sequence[Entry]:
        found = recent(who, since)
        looked.append(len(found))
        return found

    counter.frequency.others.recent = watched  # type: ignore[method-assign]
    assert counter.sent(NOW + 4_000, text="alert 3999") == [RiskRule.CONTENT_RATE]
    assert looked == [1]


def test_no_campaign_drives_codes_out_of_memory() -> None:
    counter = Counter(policy(), size=16)
    assert counter.sent(NOW) == []
    for n in range(1_000):
        counter.sent(NOW, phone=str(n), text="sale", purpose=Purpose.PROMOTION)
    assert counter.sent(NOW + 1, text="2") == [RiskRule.TEMPLATE_RATE]


requests = st.lists(
    st.tuples(
        st.integers(0, 2) | st.integers(0, 40) | st.integers(0, 30_000),  # seconds passed
        st.sampled_from(["6012", "6013"]),
        st.sampled_from(["UTA1", "UTA2"]),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from([Purpose.VERIFICATION, Purpose.VERIFICATION, Purpose.NOTIFICATION]),
    ),
    max_size=150,
)


@settings(max_examples=200)
@given(requests)
def test_windows_are_what_a_naive_recount_says(
    requests: list[tuple[int, str, str, str, Purpose]],
) -> None:
    counter = Counter(policy())
    written: list[tuple[int, str, str, str, Purpose]] = []
    at = NOW
    for passed, phone, template, text, purpose in requests:
        at += passed * 1_000
        over = counter.sent(at, phone, template, text, purpose)
        assert list(over) == recount(written, at, phone, template, text, purpose)[:1]
        if not over:
            written.append((at, phone, template, text, purpose))


def recount(
    written: list[tuple[int, str, str, str, Purpose]],
    at: int, phone: str, template: str, text: str, purpose: Purpose,
) -> list[RiskRule]:  # fmt: skip
    """Return every rule that one more message would break, looking at all there ever was."""
    mine = [one for one in written if one[1] == phone]
    codes = [one for one in mine if one[4] is Purpose.VERIFICATION]
    alike = {
        RiskRule.TEMPLATE_RATE: [one for one in codes if one[2] == template],
        RiskRule.VERIFICATION_RATE: codes,
        RiskRule.VERIFICATION_DAY: codes,
        RiskRule.CONTENT_RATE: [one for one in mine if one[3] == text],
        RiskRule.CONTENT_DAY: [one for one in mine if one[3] == text],
    }
    limits = {
        RiskRule.TEMPLATE_RATE: (1, 30), RiskRule.VERIFICATION_RATE: (3, 3_600),
        RiskRule.VERIFICATION_DAY: (10, 86_400), RiskRule.CONTENT_RATE: (1, 60),
        RiskRule.CONTENT_DAY: (10, 86_400),
    }  # fmt: skip
    rules = RATES if purpose is Purpose.VERIFICATION else RATES[3:]
    return [
        rule
        for rule in rules
        if sum(one[0] > at - limits[rule][1] * 1_000 for one in alike[rule]) >= limits[rule][0]
    ]
