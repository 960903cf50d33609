"""TaskContent: base64 of JSON of items of targets, or a code that says what is wrong with it."""

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.tasks import Item, Target, read_tasks
from tests.support.scloud import task_content

TARGET: dict[str, Any] = {
    "Phone": "18500000123",
    "TemplateParams": ["1"],
    "ExtendCode": "12",
    "UserId": "u-1",
}
ITEM: dict[str, Any] = {"TemplateId": "UTN1", "SigContent": "Acme", "Target": [TARGET]}


def code_of(content: str) -> RetCode:
    with pytest.raises(Refusal) as caught:
        read_tasks(content)
    return caught.value.code


def test_the_documented_shape_is_read() -> None:
    assert read_tasks(task_content([ITEM])) == [
        Item("UTN1", "Acme", [Target("18500000123", ["1"], "12", "u-1")])
    ]


def test_white_space_is_allowed_inside_and_around() -> None:
    spaced = base64.encodebytes(b'[\r\n {"TemplateId": "UTN1",\n "Target": [ {"Phone": "1"} ] } ]').decode()
    assert read_tasks(spaced) == [Item("UTN1", "", [Target("1", [], "", None)])]


def test_numbers_are_taken_as_their_text_and_null_as_absent() -> None:
    entry = {
        "TemplateId": "UTN1",
        "SigContent": None,
        "Target": [{"Phone": 185, "TemplateParams": [1, 2.5, True]}],
    }
    assert read_tasks(task_content([entry])) == [
        Item("UTN1", "", [Target("185", ["1", "2.5", "true"], "", None)])
    ]


@pytest.mark.parametrize(
    "content",
    ["!", "W10", "W10=x", "é", base64.b64encode(b"[").decode(), base64.b64encode(b"[NaN]").decode()],
)
def test_what_is_no_base64_or_no_json(content: str) -> None:
    assert code_of(content) is RetCode.JSON_ERROR


MISSING: list[Any] = [
    [],
    [ITEM | {"Target": []}],
    [ITEM, ITEM | {"Target": []}],
    [ITEM | {"Target": None}],
    [ITEM | {"TemplateId": ""}],
    [{"Target": [TARGET]}],
    [ITEM | {"Target": [{}]}],
    None,
]


def test_an_empty_batch_is_told_to_be_empty() -> None:
    for items, name in (([], "TaskContent"), ([ITEM | {"Target": []}], "Target")):
        with pytest.raises(Refusal, match=f"Parameter missing: {name} is an empty array"):
            read_tasks(task_content(items))


@pytest.mark.parametrize("items", MISSING)
def test_what_is_missing(items: Any) -> None:
    assert code_of(task_content(items)) is RetCode.PARAMETER_MISSING


@pytest.mark.parametrize(
    "items",
    [
        {},
        "x",
        1,
        [1],
        [[]],
        [ITEM | {"Target": {}}],
        [ITEM | {"Target": ["x"]}],
        [ITEM | {"TemplateId": []}],
        [ITEM | {"Target": [TARGET | {"TemplateParams": "1"}]}],
        [ITEM | {"Target": [TARGET | {"TemplateParams": [None]}]}],
        [ITEM | {"Target": [TARGET | {"TemplateParams": [[]]}]}],
    ],
)
def test_what_has_a_wrong_shape(items: Any) -> None:
    assert code_of(task_content(items)) is RetCode.PARAMETER_FORMAT


@pytest.mark.parametrize(
    "wrong", [{"UserId": "it's"}, {"ExtendCode": "x"}, {"Phone": "1\0"}, {"TemplateParams": ["\0"]}]
)
def test_what_is_invalid(wrong: dict[str, Any]) -> None:
    assert code_of(task_content([ITEM | {"Target": [TARGET | wrong]}])) is RetCode.PARAMETER_INVALID


def test_a_content_far_above_any_real_one_is_refused_unread() -> None:
    assert code_of("A" * 1_048_577) is RetCode.PARAMETER_INVALID


def test_a_member_given_twice_is_refused() -> None:
    assert code_of(base64.b64encode(b'[{"Target":[],"Target":[]}]').decode()) is RetCode.JSON_ERROR


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*ITEM, *TARGET]), inner),
        max_leaves=20,
    )
)
def test_no_json_raises_anything_but_a_refusal(value: Any) -> None:
    try:
        content = task_content(value)
    except TypeError:  # integers and half pairs this test's own encoder does not write
        return
    with contextlib.suppress(Refusal):
        assert read_tasks(content)


@given(st.text())
def test_no_text_raises_anything_but_a_refusal(content: str) -> None:
    with contextlib.suppress(Refusal):
        read_tasks(content)
