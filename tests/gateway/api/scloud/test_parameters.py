"""Bytes to parameters: what every client sends is read, everything else refused, nothing raises."""

import contextlib
import json
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.parameters import MAX_DEPTH, MAX_PARAMETERS, read_form, read_json, read_parameters
from gateway.auth.scloud import canonical, verify
from tests.support.processes import ROOT
from tests.support.scloud import ENCODINGS, PRIVATE, encoded, signed

JSON = "application/json"
# no half surrogate pairs (they have no bytes), and not the two characters no text may hold
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\1"))


def code_of(body: bytes, content_type: str = "") -> RetCode:
    with pytest.raises(Refusal) as caught:
        read_parameters(body, b"", content_type)
    return caught.value.code


@given(st.dictionaries(TEXT, TEXT, max_size=8))
def test_a_form_is_read_as_the_standard_library_reads_it(pairs: dict[str, str]) -> None:
    body = urlencode(pairs).encode()
    assert read_form(body) == dict(parse_qsl(body.decode(), keep_blank_values=True)) == pairs


@given(st.text("abc=&+% %41%3D%26%2B%c3%a9;é", max_size=40))
def test_odd_forms_are_read_as_the_standard_library_reads_them(form: str) -> None:
    expected = parse_qsl(form, keep_blank_values=True, errors="replace")
    try:
        found = read_form(form.encode())
    except Refusal:
        names = [name for name, _ in expected]
        assert "\ufffd" in str(expected) or len(names) != len(set(names))
        return
    assert found == dict(expected)


def test_blanks_are_kept() -> None:
    assert read_form(b"SigContent=&TemplateParams.0=&Flag") == {
        "SigContent": "",
        "TemplateParams.0": "",
        "Flag": "",
    }


def test_plus_and_escape_both_mean_a_blank_and_an_equals_sign_may_stand_bare() -> None:
    assert read_form(b"a=1+2%202&TaskContent=W10=&c=%2B%26%3D%25") == {
        "a": "1 2 2",
        "TaskContent": "W10=",
        "c": "+&=%",
    }


def test_empty_pieces_are_forgiven() -> None:
    assert read_form(b"a=1&&b=2&") == {"a": "1", "b": "2"}


@pytest.mark.parametrize("body", [b"a=1&a=2", b"a=1&%61=1", b"a=1&&b=2&b=2", b"=1&=2", b"=&="])
def test_a_name_given_twice_is_refused(body: bytes) -> None:
    assert code_of(body) is RetCode.PARAMETER_FORMAT


@pytest.mark.parametrize("body", [b"a=%ff", b"a=\xff", b"%c3=1", b"a=%c3&b=%a9", b"a=%ed%a0%80"])
def test_bytes_that_are_not_utf8_are_refused(body: bytes) -> None:
    assert code_of(body) is RetCode.PARAMETER_FORMAT


@pytest.mark.parametrize("body", [b"a=%00", b"a=\0", b"a%00=1", b"a=1%01b", b"a\1=1"])
def test_the_two_control_characters_no_text_may_hold_are_refused(body: bytes) -> None:
    assert code_of(body) is RetCode.PARAMETER_INVALID


def test_more_parameters_than_any_action_takes_are_refused_unread() -> None:
    assert code_of(b"&".join([b"a=1"] * (MAX_PARAMETERS + 1))) is RetCode.PARAMETER_FORMAT
    assert code_of(b'{"a":[' + b"1," * MAX_PARAMETERS + b"1]}", JSON) is RetCode.PARAMETER_FORMAT


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"1", b"null", b'"x"', b"{'a':1}", b'{"a":1,}', b'{"a":"\n"}', b"{} {}",
        b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":1,"a":1}',
        b'{"b":{"a":1,"a":2}}',
        b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"\\uDC00":1}', b'{"a":1e999999999}', b'{"a":1e-999999999}',
        b'{"a":1e99999999999999999999999}', b'{"a":' + b"9" * 5000 + b"}", b'{"a":0.' + b"1" * 5000 + b"}",
        b'{"a":' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}", b'{"a":' + b"[" * 15_000,
    ],
)  # fmt: skip
def test_json_that_cannot_be_read_exactly_is_refused(body: bytes) -> None:
    assert code_of(body, JSON) is RetCode.JSON_ERROR


def test_json_numbers_stay_exact_and_nulls_are_left_out() -> None:
    found = read_parameters(
        b'{"a":1e16,"b":0.1,"c":null,"d":[null],"e":true,"f":123456789012345678901}', b"", JSON
    )
    assert {name: str(value) for name, value in found.items()} == {
        "a": "1E+16",
        "b": "0.1",
        "d": "[None]",
        "e": "True",
        "f": "123456789012345678901",
    }


def test_a_surrogate_pair_is_a_character() -> None:
    assert read_json(b'"\\ud83d\\ude00"', RetCode.JSON_ERROR) == "😀"


def test_an_object_is_json_whatever_its_content_type_says() -> None:
    assert read_parameters(b' {"a":"1"}', b"", "text/plain") == {"a": "1"}


def test_the_query_counts_only_without_a_body() -> None:
    assert read_parameters(b"a=1", b"Action=X", "") == {"a": "1"}
    assert read_parameters(b"", b"Action=X", "") == {"Action": "X"}
    assert read_parameters(b"", b"", JSON) == {}


@given(
    st.binary(max_size=200),
    st.sampled_from([JSON, "application/x-www-form-urlencoded", "", "multipart/form-data"]),
)
def test_no_bytes_raise_anything_but_a_refusal(body: bytes, content_type: str) -> None:
    for arguments in ((body, b""), (b"", body)):
        with contextlib.suppress(Refusal):
            found = read_parameters(*arguments, content_type)
            assert not verify(found, PRIVATE)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )
)
def test_no_json_raises_anything_but_a_refusal(value: Any) -> None:
    body = json.dumps({"a": value}).encode()
    with contextlib.suppress(Refusal):
        found = read_parameters(body, b"", JSON)
        assert not verify(found, PRIVATE)


@given(
    st.dictionaries(st.text("AZaz", min_size=1), TEXT, max_size=4), st.lists(TEXT, max_size=4), st.booleans()
)
def test_the_four_encodings_of_a_call_all_verify(
    texts: dict[str, str], values: list[str], escaped: bool
) -> None:
    call = texts | {"List": values}
    for encoding in ENCODINGS:
        parameters = signed(call, encoding)
        _, query, body, content_type = encoded(parameters, encoding)
        found = read_parameters(body, query[1:].encode(), content_type)
        assert found == parameters
        assert verify(found, PRIVATE)
    if escaped:  # as PHP writes JSON
        assert read_parameters(json.dumps(parameters).encode(), b"", JSON) == parameters


def test_escapes_are_decoded_once() -> None:
    assert read_form(b"a=%2528&b=%252B&c=%2%28") == {"a": "%28", "b": "%2B", "c": "%2("}
    assert read_form(("a=" + quote_plus("%28%2B")).encode()) == {"a": "%28%2B"}
    assert orjson.loads(orjson.dumps(read_form(b"a=%e4%bd%a0"))) == {"a": "你"}


def test_the_strings_to_sign_on_the_api_page_are_ours() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    flat, flat_text, _, nested, nested_text = (
        page.partition("### The signature")[2].split("```text\n")[1].split("\n```")[0].splitlines()
    )
    for read, expected in (
        (read_parameters(flat.encode(), b"", "application/x-www-form-urlencoded"), flat_text),
        (read_parameters(nested.encode(), b"", "application/json"), nested_text),
    ):
        assert canonical(read) == expected
