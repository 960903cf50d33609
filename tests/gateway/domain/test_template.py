"""Templates and signatures: variables, their rules, and the text that results."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.message import Purpose
from gateway.domain.review import Review
from gateway.domain.template import (
    MAX_TEXT,
    BadTemplate,
    BadVariable,
    SmsSignature,
    Template,
    WrongVariableCount,
    bare_signature,
    check_signature_text,
    check_template_text,
    compose,
    is_clean,
    with_opt_out,
)


def template(text: str, purpose: Purpose = Purpose.NOTIFICATION) -> Template:
    return Template("UTN1", purpose, "name", text, Review.APPROVED)


def test_variables_are_filled_in_by_number() -> None:
    assert template("{2} before {1}, {2} again").render(["one", "two"]) == "two before one, two again"


def test_braces_in_a_value_are_text() -> None:
    assert template("a {1} b {2}").render(["{2}", "{1}"]) == "a {2} b {1}"


def test_a_text_without_variables_takes_no_values() -> None:
    assert template("plain {x}").render([]) == "plain {x}"
    with pytest.raises(WrongVariableCount):
        template("plain").render(["1"])


@pytest.mark.parametrize("values", [[], ["1"], ["1", "2", "3"]])
def test_the_number_of_values_must_match(values: list[str]) -> None:
    with pytest.raises(WrongVariableCount, match="2 variables"):
        template("{1} {2}").render(values)


@pytest.mark.parametrize("value", ["", "5 min & more", "中文", "a\tb\r\nc", "😀", "x" * (MAX_TEXT - 2)])
def test_other_values_are_free_text(value: str) -> None:
    assert template("a {1}").render([value]) == f"a {value}"


@pytest.mark.parametrize("value", ["\0", "a\x01", "\x7f", "\x85", "\ud800", "x" * MAX_TEXT])
def test_what_cannot_be_stored_or_sent_is_refused(value: str) -> None:
    with pytest.raises(BadVariable):
        template("a {1}").render([value])


def test_an_error_never_repeats_the_value() -> None:
    with pytest.raises(BadVariable) as caught:
        template("code {1}", Purpose.VERIFICATION).render(["secret-value\0"])
    assert "secret" not in str(caught.value)


def test_a_huge_value_is_refused_before_it_is_multiplied() -> None:
    with pytest.raises(BadVariable):
        template("a" + "{1}" * 100).render(["x" * 10_000_000])


def test_the_signature_goes_in_front_in_brackets() -> None:
    assert compose(SmsSignature("SIG1", "Acme", Review.APPROVED), "hello") == "【Acme】hello"
    assert compose(None, "hello") == "hello"


@pytest.mark.parametrize("given", ["Acme", "【Acme】", "[Acme]", " 【 Acme 】 "])
def test_a_signature_is_known_with_and_without_brackets(given: str) -> None:
    assert bare_signature(given) == "Acme"
    assert check_signature_text(given) == "Acme"


@pytest.mark.parametrize("text", ["", "【】", "A", "x" * 13, "A【B", "A]B", "a\nb", "a{1}"])
def test_a_signature_text_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadTemplate):
        check_signature_text(text)


@pytest.mark.parametrize("text", ["plain", "{1} and {2}", "{2} then {1}", "twice {1} {1}", "x" * MAX_TEXT])
def test_a_template_text_that_can_be(text: str) -> None:
    assert check_template_text(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "  ", "{1}", "{1} {2}", "a {2}", "a {1} {3}", "a {0}", "a {01}", "x" * (MAX_TEXT + 1), "a\0b"],
)
def test_a_template_text_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadTemplate):
        check_template_text(text)


@given(st.text(), st.lists(st.text(), max_size=4))
def test_rendering_raises_nothing_unexpected(text: str, values: list[str]) -> None:
    try:
        rendered = template(text).render(values)
    except (WrongVariableCount, BadVariable):
        return
    assert not values or (len(rendered) <= MAX_TEXT and all(is_clean(value) for value in values))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("All half price", "All half price，拒收请回复R"),
        ("Until {1}", "Until {1}，拒收请回复R"),
        ("全场半价！", "全场半价！拒收请回复R"),
        ("全场半价，拒收请回复R", "全场半价，拒收请回复R"),
        ("全场半价，拒收请回复R。", "全场半价，拒收请回复R。"),
        ("", "拒收请回复R"),
    ],
)
def test_a_promotion_ends_with_its_opt_out_once(text: str, sent: str) -> None:
    assert with_opt_out(text, "拒收请回复R") == sent
    assert with_opt_out(text, "") == text
