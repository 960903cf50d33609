"""Which template and signature a text is made of, and what a UserId may hold."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import RiskMode, RiskRule, RiskSettings
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.content import check_extend_code, check_user_id, choose_content
from gateway.domain.risk import Policies, Policy
from gateway.domain.words import WordList, read_words
from gateway.flow.texts import TextGuard
from gateway.flow.unit import Then
from gateway.live import Live
from tests.support.scloud import CODE, NOTICE, SIGNATURES, RecordingVerdicts, account, project


def call(words: str = "", **modes: str) -> Any:
    """Return a call of an account for which the rules of texts run as told."""
    policies = Live(Policies(Policy.of(RiskSettings(modes=modes))))
    noted = RecordingVerdicts()
    guard = TextGuard(policies, Live(WordList(read_words(words))), noted)  # type: ignore[arg-type]
    return SimpleNamespace(account=account(), services=SimpleNamespace(texts=guard, noted=noted.noted))


def code_of(code: list[str], **modes: str) -> str:
    content = choose_content(project(), CODE, "Acme", domestic=True)
    return content.text(call(words="casino", **modes), code, ["CN"], [])


def test_a_text_has_its_signature_in_front() -> None:
    content = choose_content(project(), NOTICE, "Acme", domestic=True)
    assert content.text(call(), ["1", "2"], ["CN"], []) == "【Acme】Order 1 ships in 2."


def test_abroad_a_text_may_go_bare() -> None:
    bare = project(signatures=())
    assert (
        choose_content(bare, NOTICE, "", domestic=False).text(call(), ["1", "2"], ["MY"], [])
        == "Order 1 ships in 2."
    )
    with pytest.raises(Refusal) as caught:
        choose_content(bare, NOTICE, "", domestic=True)
    assert caught.value.code is RetCode.SIGNATURE_NOT_APPROVED


def test_a_signature_that_is_named_must_be_approved_abroad_too() -> None:
    for given_ in ("Rejected", "SIG20250101AAAAAA", "Nobody"):
        with pytest.raises(Refusal) as caught:
            choose_content(project(signatures=SIGNATURES), NOTICE, given_, domestic=False)
        assert caught.value.code is RetCode.SIGNATURE_NOT_APPROVED


@pytest.mark.parametrize("template", ["", "UTN-PENDING", NOTICE.lower(), f" {NOTICE}"])
def test_a_template_must_be_the_projects_and_approved(template: str) -> None:
    with pytest.raises(Refusal) as caught:
        choose_content(project(), template, "Nobody", domestic=True)
    assert caught.value.code is RetCode.TEMPLATE_NOT_APPROVED


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([], RetCode.VARIABLE_COUNT),
        (["12345678"], RetCode.VARIABLE_INVALID),
        (["1", "2"], RetCode.VARIABLE_COUNT),
    ],
)
def test_values_must_fit_the_template(values: list[str], code: RetCode) -> None:
    with pytest.raises(Refusal) as caught:
        code_of(values)
    assert caught.value.code is code


def test_what_is_wrong_with_a_value_is_told_before_its_words() -> None:
    with pytest.raises(Refusal) as caught:
        code_of(["casino 1"])
    assert caught.value.code is RetCode.VARIABLE_INVALID
    with pytest.raises(Refusal) as caught:
        code_of(["casino"])
    assert caught.value.code is RetCode.CONTENT_BLOCKED
    assert "'casino'" in caught.value.message


def test_a_rule_that_only_watches_lets_the_text_pass_and_says_so() -> None:
    watched, later = call("casino", variables="monitor", content="monitor"), list[Then]()
    text = choose_content(project(), CODE, "Acme", domestic=True).text(
        watched, ["at the casino"], ["CN"], later
    )
    assert watched.services.noted == [], "the request may still be refused"
    for note in later:
        note()
    assert text == "【Acme】Your verification code is at the casino."
    assert watched.services.noted == [
        ("acc-1", RiskRule.VARIABLES, RiskMode.MONITOR),
        ("acc-1", RiskRule.CONTENT, RiskMode.MONITOR),
    ]


def test_a_rule_that_is_off_says_nothing() -> None:
    assert "casino" in code_of(["at the casino"], variables="off", content="off")


@pytest.mark.parametrize("user_id", ["order-42", "a", "x" * 32, "订单 7", "a@b.c/d?e=f&g", "1;2,3"])
def test_a_plain_user_id(user_id: str) -> None:
    assert check_user_id(user_id) == user_id


@pytest.mark.parametrize(
    "user_id", ["it's", 'say "x"', "a\\b", "<b>", "`", "x" * 33, "😀", "a\tb", "\0", "\ud800", "★"]
)
def test_a_user_id_with_special_characters(user_id: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_user_id(user_id)
    assert caught.value.code is RetCode.PARAMETER_INVALID


def test_a_blank_user_id_is_none() -> None:
    assert check_user_id("") is None


@given(st.text(max_size=40))
def test_a_user_id_that_passes_can_be_stored(user_id: str) -> None:
    try:
        checked = check_user_id(user_id)
    except Refusal:
        return
    assert (checked or "").encode().find(b"\0") == -1


def test_an_extend_code_has_digits() -> None:
    check_extend_code("")
    check_extend_code("0123")
    for wrong in ("12a", "１２", "-1", "1" * 21):
        with pytest.raises(Refusal):
            check_extend_code(wrong)
