"""Who asks and for which project, without a socket."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.api.scloud.access import admit, authenticate, choose_project, public_text
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.domain.allowlist import AllowList
from tests.support.scloud import PROJECT, PUBLIC, account, directory, project, signed

CALL = {"Action": "GetProjectList"}
NOW = 1_790_000_000_000


def refused(parameters: dict[str, Any], **known: Any) -> RetCode:
    with pytest.raises(Refusal) as caught:
        authenticate(parameters, directory(**known).keys, NOW)
    return caught.value.code


def test_the_owner_of_the_key_is_known_by_the_signature() -> None:
    key = authenticate(signed(CALL), directory().keys, NOW)
    assert (key.public_key, key.account.id) == (PUBLIC, "acc-1")


def test_each_way_to_fail_has_its_code_in_this_order() -> None:
    assert refused({}) is RetCode.SIGNATURE_MISSING
    assert refused({"Signature": "0" * 40}) is RetCode.USER_UNKNOWN
    assert refused(signed(CALL), active=False) is RetCode.USER_UNKNOWN
    assert refused(signed(CALL) | {"Limit": "1"}) is RetCode.SIGNATURE_WRONG
    with_token = signed(CALL | {"SecurityToken": "t"})
    assert refused(with_token, owner=account(active=False)) is RetCode.ACCOUNT_RESTRICTED
    assert refused(with_token) is RetCode.TOKEN_UNKNOWN


@pytest.mark.parametrize("token", ["t", " ", 7, True, ["t"], {"t": "t"}])
def test_a_token_of_whatever_kind_is_one_we_never_gave(token: Any) -> None:
    assert refused(signed(CALL | {"SecurityToken": token}, "nested")) is RetCode.TOKEN_UNKNOWN


def test_a_blank_token_is_none() -> None:
    assert authenticate(signed(CALL | {"SecurityToken": ""}), directory().keys, NOW).public_key == PUBLIC


def test_a_replaced_key_is_good_until_it_retires() -> None:
    keys = {PUBLIC: replace(directory().keys[PUBLIC], retires_at=NOW)}
    assert authenticate(signed(CALL), keys, NOW - 1).public_key == PUBLIC
    with pytest.raises(Refusal) as caught:
        authenticate(signed(CALL), keys, NOW)
    assert caught.value.code is RetCode.USER_UNKNOWN


def test_a_key_bound_to_addresses_is_admitted_from_those_alone() -> None:
    key = directory().keys[PUBLIC]
    admit(key, "")
    bound = replace(key, allowed=(AllowList(["192.0.2.0/24"]), AllowList(["192.0.2.7/32", "::1/128"])))
    admit(bound, "::ffff:192.0.2.7")
    for address in ("192.0.2.8", "::1", "198.51.100.1", ""):
        with pytest.raises(Refusal) as caught:
            admit(bound, address)
        assert caught.value.code is RetCode.ADDRESS_FORBIDDEN


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
