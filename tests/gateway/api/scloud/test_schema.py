"""Binding: one form for all encodings, and no room for what the signature cannot tell apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.schema import Schema, bind
from tests.support.scloud import flattened

SCHEMA = Schema(
    texts=("TemplateId", "UserId"), lists=("PhoneNumbers", "Values"), required=("PhoneNumbers", "TemplateId")
)
GOOD: dict[str, Any] = {"PhoneNumbers": ["1", "2"], "TemplateId": "UTN1"}


def refusal_of(parameters: dict[str, Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        bind(parameters, SCHEMA)
    return caught.value


@given(st.lists(st.text("ab1 ", min_size=0), min_size=1, max_size=15), st.lists(st.text("x"), max_size=12))
def test_flat_and_nested_bind_the_same(phones: list[str], values: list[str]) -> None:
    nested = {"PhoneNumbers": phones, "Values": values, "TemplateId": "UTN1", "Stray": "ignored"}
    bound = bind(nested, SCHEMA)
    assert bound == bind(flattened(nested), SCHEMA)
    assert bound.lists == {"PhoneNumbers": phones, "Values": values}
    assert bound.texts == {"TemplateId": "UTN1", "UserId": ""}


def test_numbers_and_booleans_of_json_are_their_text() -> None:
    bound = bind({"PhoneNumbers": [18500000123, True], "TemplateId": 7}, SCHEMA)
    assert bound.lists["PhoneNumbers"] == ["18500000123", "true"]
    assert bound.texts["TemplateId"] == "7"


@pytest.mark.parametrize(
    "stray",
    [
        "PhoneNumbers.2",
        "PhoneNumbers.00",
        "PhoneNumbers.01",
        "PhoneNumbers.+1",
        "PhoneNumbers.",
        "PhoneNumbers.١",
        "A.b",
        ".",
        "PhoneNumbers.0.0",
        "Values.1",
    ],
)
def test_indexes_count_from_zero_without_gaps_and_no_other_name_has_a_dot(stray: str) -> None:
    flat = {"PhoneNumbers.0": "1", "TemplateId": "UTN1", stray: "2"}
    refusal = refusal_of(flat)
    assert refusal.code is RetCode.PARAMETER_FORMAT
    assert stray[:10] in refusal.message


def test_a_list_cannot_come_in_both_forms() -> None:
    assert refusal_of(GOOD | {"PhoneNumbers.0": "1"}).code is RetCode.PARAMETER_FORMAT


@pytest.mark.parametrize(
    "wrong",
    [
        {"PhoneNumbers": "185"},
        {"PhoneNumbers": {"0": "1"}},
        {"PhoneNumbers": [["1"]]},
        {"PhoneNumbers": [{}]},
        {"TemplateId": ["x"]},
        {"UserId": {}},
        {"Stray": ["x"]},
        {"Stray": {"a": "b"}},
        {"Values.0": ["x"]},
    ],
)
def test_a_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    assert refusal_of(GOOD | wrong).code is RetCode.PARAMETER_FORMAT


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, "PhoneNumbers.0"),
        ({"PhoneNumbers": []}, "PhoneNumbers.0"),
        ({"PhoneNumbers.0": "1"}, "TemplateId"),
        (GOOD | {"TemplateId": ""}, "TemplateId"),
    ],
)
def test_what_is_required_and_missing_is_named(parameters: dict[str, Any], named: str) -> None:
    refusal = refusal_of(parameters)
    assert refusal.code is RetCode.PARAMETER_MISSING
    assert named in refusal.message


@pytest.mark.parametrize("wrong", [{"UserId": "a\0"}, {"PhoneNumbers": ["\0"]}, {"Values.0": "x\0y"}])
def test_nul_goes_no_further(wrong: dict[str, Any]) -> None:
    assert refusal_of(GOOD | wrong).code is RetCode.PARAMETER_INVALID


@pytest.mark.parametrize("blank", ["", " ", "\t \n", "\u3000", None])
def test_a_required_parameter_that_is_blank_is_missing(blank: str | None) -> None:
    refusal = refusal_of(GOOD | {"TemplateId": blank})
    assert (refusal.code, refusal.message) == (RetCode.PARAMETER_MISSING, "Parameter missing: TemplateId")
    assert bind(GOOD | {"UserId": blank or ""}, SCHEMA).texts["UserId"] == (blank or "")
