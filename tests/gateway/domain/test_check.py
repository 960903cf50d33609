"""The automatic checks with the shipped rules: what is rejected, what the reviewer is told, what passes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.rules import FORMAT_RULES, SHIPPED, ContentRule, RuleSet, Severity, load_rules
from gateway.domain.check import (
    Checks,
    Item,
    QualificationItem,
    SignatureItem,
    TemplateItem,
    rejection,
)
from gateway.domain.message import Purpose
from gateway.domain.review import Review

RULES = load_rules(SHIPPED)
CHECKS = Checks(RULES)
REJECT, FLAG = Severity.REJECT, Severity.FLAG

BRAND = SignatureItem(
    text="优刻得科技",
    type=0,
    certificate=0,
    international=False,
    has_paper=True,
    qualification=None,
)
CODE = TemplateItem(
    purpose=Purpose.VERIFICATION,
    name="登录验证",
    text="您的验证码是{1}，5分钟内有效。",
    unsubscribe="",
    instruction="",
    signed=True,
)
NOTICE = replace(CODE, purpose=Purpose.NOTIFICATION, text="Your order {1} ships on {2}.")
SALE = replace(
    CODE, purpose=Purpose.PROMOTION, text="Everything half price today.", unsubscribe="拒收请回复R"
)
PAPERS = QualificationItem(
    texts={"Name": "证照", "CompanyName": "某某科技有限公司", "CompanyCreditCode": "91350100M000100Y43"},
    missing=(),
)


def found(item: Item) -> dict[str, Severity]:
    return {finding.rule: finding.severity for finding in CHECKS(item)}


@pytest.mark.parametrize(
    "item", [BRAND, CODE, NOTICE, SALE, PAPERS], ids=["brand", "code", "notice", "sale", "papers"]
)
def test_a_sound_one_passes_without_a_word(item: Item) -> None:
    assert CHECKS(item) == []


SIGNATURES: list[Any] = [
    ({"text": "优"}, "signature-length", REJECT),
    ({"text": "一二三四五六七八九十一二三"}, "signature-length", REJECT),
    ({"text": "test-sig-update"}, "signature-length", REJECT),
    ({"text": "test-sig"}, "signature-characters", REJECT),
    ({"text": "Acme Shop"}, "signature-characters", REJECT),
    ({"text": "通知中心"}, "signature-generic", REJECT),
    ({"text": "ＳＭＳ"}, "signature-generic", REJECT),
    ({"type": 1, "certificate": 1}, "signature-type", REJECT),
    ({"type": 2, "certificate": 2}, "signature-type", REJECT),
    ({"type": 3, "certificate": 3}, "signature-type", REJECT),
    ({"type": 0, "certificate": 4}, "certificate-mismatch", REJECT),
    ({"has_paper": False}, "certificate-missing", FLAG),
    ({"qualification": Review.IN_REVIEW}, "qualification-not-approved", FLAG),
    ({"text": "优刻得"}, "short-name", FLAG),
    ({"text": "大发博彩公司"}, "gambling", REJECT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "rule", "severity"),
    SIGNATURES,
)  # fmt: skip
def test_a_signature(changes: dict[str, Any], rule: str, severity: Severity) -> None:
    assert found(replace(BRAND, **changes))[rule] is severity


def test_international_signatures_have_types_of_their_own() -> None:
    assert CHECKS(replace(BRAND, international=True, type=1, certificate=1, has_paper=False)) == []


def test_what_an_operator_made_needs_no_certificate() -> None:
    assert CHECKS(replace(BRAND, text="Acme", type=None, certificate=None, has_paper=False)) == []


TEMPLATES: list[Any] = [
    (NOTICE, {"text": "Order {2} ships."}, "variable-numbering", REJECT),
    (NOTICE, {"text": "Order {1} ships {3}."}, "variable-numbering", REJECT),
    (NOTICE, {"text": "Order {0} ships."}, "variable-numbering", REJECT),
    (NOTICE, {"text": "Order {01} ships."}, "variable-numbering", REJECT),
    (NOTICE, {"text": "Order {name} ships."}, "variable-shape", REJECT),
    (NOTICE, {"text": "Order ${code} ships."}, "variable-shape", REJECT),
    (NOTICE, {"text": "Order %s ships."}, "variable-shape", REJECT),
    (NOTICE, {"text": "Order {1 ships."}, "variable-shape", REJECT),
    (NOTICE, {"text": "Order {1}{2} ships."}, "variable-adjacent", REJECT),
    (NOTICE, {"text": "Order {1} - {2} ships."}, "variable-adjacent", REJECT),
    (NOTICE, {"text": "{1}, {2}!"}, "variables-only", REJECT),
    (NOTICE, {"text": "x" * 501}, "template-length", REJECT),
    (NOTICE, {"text": "Order ★{1} ships."}, "template-symbols", REJECT),
    (NOTICE, {"text": "Order {1}: ￥5."}, "template-symbols", REJECT),
    (NOTICE, {"name": "test-sdk-template"}, "template-name", FLAG),
    (CODE, {"text": "Your number is {1}."}, "verification-wording", REJECT),
    (CODE, {"text": "验证码{1}，全场促销"}, "marketing-wording", FLAG),
    (NOTICE, {"text": "Order {1} ships. Big SALE!"}, "marketing-wording", FLAG),
    (SALE, {"unsubscribe": ""}, "opt-out-missing", REJECT),
    (NOTICE, {"text": "Order {1}: https://a.example/x"}, "link", FLAG),
    (NOTICE, {"text": "Order {1}: a.example.com b.example.com/x"}, "links", REJECT),
    (NOTICE, {"text": "Call 400-820-8820 about {1}."}, "phone", FLAG),
    (NOTICE, {"text": "Call 4008208820, 13800000000 or 02112345678"}, "phones", REJECT),
    (NOTICE, {"signed": False}, "no-signature", FLAG),
    (NOTICE, {"text": "Play at our c.a.s.i.n.o today {1}"}, "gambling", REJECT),
    (NOTICE, {"instruction": "{1} names the casino"}, "gambling", FLAG),
    (NOTICE, {"name": "casino"}, "gambling", REJECT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "changes", "rule", "severity"),
    TEMPLATES,
)  # fmt: skip
def test_a_template(item: TemplateItem, changes: dict[str, Any], rule: str, severity: Severity) -> None:
    assert found(replace(item, **changes))[rule] is severity


def test_dates_are_no_telephone_numbers() -> None:
    text = "From 2026-11-23 over 2026/11/24 to 2026.11.25: {1}"
    assert CHECKS(replace(NOTICE, text=text)) == []


def test_a_long_text_may_get_short_by_its_variables() -> None:
    assert CHECKS(replace(NOTICE, text="y" * 490 + " {1} and {2}")) == []


QUALIFICATIONS: list[Any] = [
    ({"missing": ("CompanyName", "HandlerName")}, "papers-missing", REJECT),
    ({"texts": {"CompanyCreditCode": "91350100M000100Y44"}}, "credit-code", FLAG),
    ({"texts": {"HandlerIDNumber": "110105194912310021"}}, "id-number", FLAG),
    ({"texts": {"CompanyName": "某某博彩有限公司"}}, "gambling", REJECT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "rule", "severity"),
    QUALIFICATIONS,
)
def test_a_qualification(changes: dict[str, Any], rule: str, severity: Severity) -> None:
    assert found(replace(PAPERS, **changes))[rule] is severity


@pytest.mark.parametrize("rule", RULES.rule, ids=lambda rule: rule.id)
def test_every_word_of_every_topic_is_found_by_its_rule(rule: ContentRule) -> None:
    purpose = Purpose[rule.purposes[-1].upper()]
    for word in (word.rstrip("*") for words in rule.words.values() for word in words):
        item = replace(CODE, purpose=purpose, text=f"您好 {word} {{1}}")
        assert found(item).get(rule.id) is rule.severity, word


def test_every_language_is_there_for_every_topic() -> None:
    # 26 topics of the review standard, 16 categories of the agreement
    assert len(RULES.rule) == 42
    for rule in RULES.rule:
        assert {"zh", "en"} <= set(rule.words), rule.id
        assert all(len(words) >= 4 for words in rule.words.values()), rule.id
    assert {rule.clause for rule in RULES.rule if rule.clause.startswith("agreement")} == {
        f"agreement 4.3 ({number})" for number in range(1, 17)
    }


@pytest.mark.parametrize(
    "text",
    [
        "您的验证码是{1}，请勿告诉他人。",
        "【】您的快递{1}已到达，请凭取件码{2}领取。",
        "慢性病患者请查看相关说明{1}。",
        "线下注册请拨打新号码，详情线上访问。",
        "我们提供创新服务与隐私服务，公开服务大厅{1}号窗口。",
        "角色情况已更新：{1}",
        "行政变更登记完成{1}",
        "平台独立运营，香港独家。{1}",
        "10元购买记录{1}",
        "台风水位预警{1}",
        "个性爱好已保存{1}",
        "集中奖励发放{1}",
        "羊毛片区{1}已开门",
        "Your class {1} at Essex starts at {2}.",
        "You won't need to sit in the queue; hook up the router {1}.",
        "Our therapist {1} sees you at {2}.",
        "Dear xxx, your assessment {1} is done.",
        "Cryptographic key {1} was rotated.",
    ],
)
def test_innocent_texts_are_not_suspected(text: str) -> None:
    rules = {rule.id for rule in RULES.rule}
    assert not rules & set(found(replace(NOTICE, text=text)))


def test_severities_are_the_operators() -> None:
    rules = replace(RULES, severity={**RULES.severity, "link": REJECT, "template-name": Severity.OFF})
    item = replace(NOTICE, name="x", text="see https://a.example {1}")
    assert [(finding.rule, finding.severity) for finding in Checks(rules)(item)] == [("link", REJECT)]


def test_a_rule_can_be_switched_off_and_kept_to_a_purpose_or_kind() -> None:
    rule = ContentRule(
        id="x", reason="no x", words={"en": ("acme",)}, kinds=("template",), purposes=("promotion",)
    )
    checks = Checks(RuleSet(rule=(rule,)))
    assert [finding.rule for finding in checks(replace(SALE, text="acme")) if finding.rule == "x"] == ["x"]
    assert "x" not in {finding.rule for finding in checks(replace(NOTICE, text="acme"))}
    assert "x" not in {finding.rule for finding in checks(replace(BRAND, text="acme"))}
    off = Checks(RuleSet(rule=(replace(rule, severity=Severity.OFF),)))
    assert "x" not in {finding.rule for finding in off(replace(SALE, text="acme"))}


def test_the_customer_reads_each_reason_once_and_no_flags() -> None:
    findings = CHECKS(replace(NOTICE, name="a very long template name", text="Order {2}{2} casino poker"))
    assert findings[0].severity is REJECT
    told = rejection(findings)
    assert told.count("gambling is not carried") == 1
    assert "two variables need words between them" in told
    assert "name" not in told
    assert rejection([]) == ""


def test_every_format_rule_has_its_case() -> None:
    tested = {case[-2] for case in (*SIGNATURES, *TEMPLATES, *QUALIFICATIONS)}
    assert set(FORMAT_RULES) <= tested


@given(st.text(max_size=600), st.sampled_from(Purpose), st.booleans())
def test_no_text_breaks_the_checks(text: str, purpose: Purpose, signed: bool) -> None:
    CHECKS(replace(NOTICE, text=text, name=text, instruction=text, purpose=purpose, signed=signed))
    CHECKS(replace(BRAND, text=text))
    CHECKS(replace(PAPERS, texts={"CompanyName": text, "CompanyCreditCode": text, "HandlerIDNumber": text}))
