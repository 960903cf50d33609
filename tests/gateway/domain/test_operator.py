"""Roles and what they allow; names and passwords that can be used."""

import pytest

from gateway.domain.operator import (
    PERMISSIONS,
    SYSTEM,
    BadOperator,
    Permission,
    Role,
    check_name,
    check_password,
    check_role,
)

READS = {permission for permission in Permission if permission.endswith(":read")}


def test_an_admin_may_do_everything_and_a_viewer_only_look() -> None:
    assert PERMISSIONS[Role.ADMIN] == set(Permission)
    assert PERMISSIONS[Role.VIEWER] - {Permission.SELF} < READS
    assert Permission.NUMBERS_READ not in PERMISSIONS[Role.VIEWER]


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (Permission.MONEY_WRITE, {Role.FINANCE, Role.ADMIN}),
        (Permission.REVIEW_DECIDE, {Role.REVIEWER, Role.ADMIN}),
        (Permission.ACCOUNTS_WRITE, {Role.OPERATOR, Role.ADMIN}),
        (Permission.RISK_WRITE, {Role.OPERATOR, Role.ADMIN}),
        (Permission.NETWORK_WRITE, {Role.OPERATOR, Role.ADMIN}),
        (Permission.NUMBERS_READ, {Role.OPERATOR, Role.ADMIN}),
        (Permission.AUDIT_READ, {Role.OPERATOR, Role.FINANCE, Role.ADMIN}),
        (Permission.OPERATORS_READ, {Role.ADMIN}),
        (Permission.OPERATORS_WRITE, {Role.ADMIN}),
    ],
)
def test_what_changes_things_is_for_its_roles_alone(permission: Permission, roles: set[Role]) -> None:
    assert {role for role in Role if role.may(permission)} == roles


def test_everybody_may_manage_themselves() -> None:
    assert all(role.may(Permission.SELF) for role in Role)


def test_a_role_covers_another_when_it_allows_all_of_it() -> None:
    assert all(Role.ADMIN.covers(role) and role.covers(role) and role.covers(Role.VIEWER) for role in Role)
    assert not Role.OPERATOR.covers(Role.FINANCE)
    assert not Role.REVIEWER.covers(Role.OPERATOR)
    assert not Role.FINANCE.covers(Role.ADMIN)


def test_the_gateway_itself_may_do_what_it_does() -> None:
    assert SYSTEM.may(Permission.REVIEW_DECIDE)


@pytest.mark.parametrize(("given", "name"), [("alice", "alice"), (" Alice.B-c_9 ", "alice.b-c_9")])
def test_a_name_has_one_form(given: str, name: str) -> None:
    assert check_name(given) == name


@pytest.mark.parametrize(
    "name", ["", "a", "9lives", "al ice", "älice", "system", "cli:bob", "a" * 33, "alice\n.", "ali/ce"]
)
def test_a_name_that_could_be_mistaken_is_refused(name: str) -> None:
    with pytest.raises(BadOperator):
        check_name(name)


def test_a_role_is_one_of_five() -> None:
    assert check_role(" Finance ") is Role.FINANCE
    with pytest.raises(BadOperator, match="viewer, operator, reviewer, finance, admin"):
        check_role("root")


def test_a_password_of_ones_own_is_long_and_not_the_name() -> None:
    check_password("correct horse battery", "alice")
    check_password("密码很长而且没有人会猜到它", "alice")
    for bad in ("", "short", "aaaaaaaaaaaaaaaa", "abababababababab", "xx-ALICE-2026-07", "x" * 257):
        with pytest.raises(BadOperator):
            check_password(bad, "alice")
