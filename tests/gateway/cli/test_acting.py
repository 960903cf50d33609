"""As whom a command acts: by option, by environment, or as whoever runs it; roles are held to."""

import getpass
import socket

import pytest

from tests.support.admin import cheaper
from tests.support.cli import CommandLine

USER = getpass.getuser()


@pytest.fixture(autouse=True)
def people(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    cheaper(monkeypatch)
    monkeypatch.delenv("SCLOUD_OPERATOR", raising=False)
    for name, role in (("root", "admin"), ("olga", "operator"), ("fin", "finance"), ("vera", "viewer")):
        cli("operator", "create", name, "--role", role)


def newest(cli: CommandLine) -> dict[str, str]:
    found: dict[str, str] = cli("audit", "list", "--limit", "1", "--json").json[0]
    return found


def test_without_a_name_it_is_whoever_runs_it(cli: CommandLine) -> None:
    cli.account()
    found = newest(cli)
    assert (found["actor"], found["actor_kind"]) == (f"cli:{USER}", "cli")
    assert found["via"] == f"{USER}@{socket.gethostname()}"


def test_a_named_operator_is_written_down_with_who_ran_it(cli: CommandLine) -> None:
    cli("account", "create", "Acme", "--as", "Olga")
    found = newest(cli)
    assert (found["actor"], found["actor_kind"], found["action"]) == ("olga", "cli", "account.create")
    assert found["via"] == f"{USER}@{socket.gethostname()}"


def test_the_environment_names_one_too_and_the_option_wins(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCLOUD_OPERATOR", "root")
    cli.account()
    assert newest(cli)["actor"] == "root"
    cli("account", "create", "Other", "--as", "olga")
    assert newest(cli)["actor"] == "olga"


def test_roles_are_held_to(cli: CommandLine) -> None:
    account = cli("account", "create", "Acme", "--as", "olga", "--json").json["account_id"]
    refused = cli("account", "credit", account, "5", "--as", "olga")
    assert (refused.code, "olga is operator and has no money:write" in refused.err) == (1, True)
    assert cli("account", "credit", account, "5", "--as", "fin", "--json").json["available"] == "5.00"
    for command in (
        ("account", "create", "Other"),
        ("account", "callback", account, ""),
        ("account", "restrict", account, "--reason", "x"),
        ("key", "create", account),
        ("project", "create", account, "Shop"),
        ("signature", "create", "--account", account, "--text", "Acme"),
        ("operator", "create", "mallory"),
        ("operator", "token", "create", "vera", "--label", "x"),
        ("audit", "list"),
        ("operator", "list"),
        ("operator", "token", "list"),
        ("review", "file", "SIG20260921AAAAAA", "FILE0", "--to", "out"),
    ):
        done = cli(*command, "--as", "vera")
        assert (done.code, done.out) == (1, ""), command
        assert "vera is viewer and has no" in done.err, command


def test_who_may_not_decide_reviews_does_not_approve_on_the_way(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    make = ("signature", "create", "--account", account, "--text", "Acme", "--as", "olga")
    assert cli(*make, "--approve").code == 1
    assert cli(*make).code == 0


@pytest.mark.parametrize("name", ["nobody", "cli:root", "system"])
def test_a_name_nobody_has_does_nothing(cli: CommandLine, name: str) -> None:
    done = cli("account", "create", "Acme", "--as", name)
    assert done.code == 1
    assert f"there is no operator {name}" in done.err
    assert cli("account", "list", "--json").json == []


def test_a_disabled_operator_does_nothing(cli: CommandLine) -> None:
    cli("operator", "disable", "olga")
    done = cli("account", "create", "Acme", "--as", "olga")
    assert (done.code, "olga is disabled" in done.err) == (1, True)
