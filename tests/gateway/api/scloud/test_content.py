"""Which template and signature a text is made of, and what a UserId may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.content import check_extend_code, check_user_id, choose_content
from tests.support.scloud import CODE, NOTICE, SIGNATURES, project


def test_a_text_has_its_signature_in_front() -> None:
    content = choose_content(project(), NOTICE, "Acme", domestic=True)
    assert content.text(["1", "2"]) == "【Acme】Order 1 ships in 2."


def test_abroad_a_text_may_go_bare() -> None:
    bare = project(signatures=())
    assert choose_content(bare, NOTICE, "", domestic=False).text(["1", "2"]) == "Order 1 ships in 2."
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
        choose_content(project(), CODE, "Acme", domestic=True).text(values)
    assert caught.value.code is code


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
