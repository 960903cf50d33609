"""Who asks and for which project, without a socket."""

from typing import Any

import pytest

from gateway.api.scloud.access import authenticate, choose_project, public_text
from gateway.api.scloud.codes import Refusal, RetCode
from tests.support.scloud import PROJECT, PUBLIC, account, directory, project, signed

CALL = {"Action": "GetProjectList"}


def refused(parameters: dict[str, Any], **known: Any) -> RetCode:
    with pytest.raises(Refusal) as caught:
        authenticate(parameters, directory(**known).keys)
    return caught.value.code


def test_the_owner_of_the_key_is_known_by_the_signature() -> None:
    key = authenticate(signed(CALL), directory().keys)
    assert (key.public_key, key.account.id) == (PUBLIC, "acc-1")


def test_each_way_to_fail_has_its_code_in_this_order() -> None:
    assert refused({}) is RetCode.SIGNATURE_MISSING
    assert refused({"Signature": "0" * 40}) is RetCode.USER_UNKNOWN
    assert refused(signed(CALL), active=False) is RetCode.USER_UNKNOWN
    assert refused(signed(CALL) | {"Limit": "1"}) is RetCode.SIGNATURE_WRONG
    assert refused(signed(CALL), owner=account(active=False)) is RetCode.ACCOUNT_RESTRICTED


def test_a_project_is_ones_own_or_none() -> None:
    owner = account(project("org-other", default=False), project())
    known = directory(owner)
    assert choose_project({}, owner, known).id == PROJECT
    assert choose_project({"ProjectId": "org-other"}, owner, known).id == "org-other"
    for given, code in (("org-stranger", RetCode.PROJECT_FORBIDDEN), ("org-x", RetCode.PROJECT_UNKNOWN)):
        with pytest.raises(Refusal) as caught:
            choose_project({"ProjectId": given}, owner, known)
        assert caught.value.code is code


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), (7, "7"), (True, "true"), (None, ""), ([], ""), ({}, "")]
)
def test_a_public_parameter_is_text_or_nothing(value: Any, text: str) -> None:
    assert public_text({"Action": value}, "Action") == text
    assert public_text({}, "Action") == ""
