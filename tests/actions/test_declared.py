"""No action is forgotten: what is served is declared, and what the published API has is served."""

import inspect
import re
from collections import Counter

import pytest
from ucloud.services.usms.client import USMSClient

from gateway.api.scloud.actions import ACTIONS
from tests.actions.areas import DECLARED
from tests.actions.declared import AWAITED

# action → the client's method for it, read from the client itself
METHODS = {
    action: name
    for name, method in inspect.getmembers(USMSClient, inspect.isfunction)
    for action in re.findall(r'self\.invoke\("(\w+)"', inspect.getsource(method))
}
# documented, without a method of their own
WITHOUT_METHOD = {
    "GetProjectList",
    "PullUSMSReport",
    "BatchCreateUSMSBlacklistPhone",
    "upUSMSCustomerStatus",
}


def test_every_action_of_the_published_api_is_served() -> None:
    assert len(METHODS) == 20
    assert {*METHODS, *WITHOUT_METHOD} == {*ACTIONS, *AWAITED}
    assert not AWAITED & set(ACTIONS), "served now: take their lines out of AWAITED"


def test_every_action_says_how_it_is_tried() -> None:
    assert set(DECLARED) == set(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_parameter_names_something_of_an_account_or_does_not(action: str) -> None:
    schema, declared = ACTIONS[action].schema, DECLARED[action]
    named = {probe.parameter for probe in declared.probes}
    sorted_out = Counter([*named, *declared.plain])
    assert sorted_out == Counter([*schema.texts, *schema.lists])


@pytest.mark.parametrize("action", ACTIONS)
def test_every_documented_refusal_is_tried(action: str) -> None:
    assert set(DECLARED[action].refused) == {int(code) for code in ACTIONS[action].codes}
