"""The command line as a whole."""

import pytest

from gateway.version import VERSION
from tests.support.cli import CommandLine


def test_the_version_is_told(cli: CommandLine) -> None:
    assert cli("--version").out == f"scloud-sms {VERSION}\n"


def test_help_lists_every_command(cli: CommandLine) -> None:
    told = cli("--help").out
    commands = ("serve", "account", "signature", "template", "message", "send", "simulate", "config", "demo")
    assert [name for name in commands if f" {name} " not in told] == []


@pytest.mark.parametrize("arguments", [("account", "credit"), ("nonsense",), ("serve", "--nonsense")])
def test_wrong_usage_is_told_on_standard_error(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err


@pytest.mark.parametrize("command", [("account", "list"), ("serve",), ("config", "check")])
def test_settings_that_are_missing_are_named(cli: CommandLine, command: tuple[str, ...]) -> None:
    done = cli(*command, "--config", "absent.toml")
    assert (done.code, done.out) == (1, "")
    assert "absent.toml: cannot be read" in done.err


def test_a_file_that_cannot_be_opened_is_told_with_its_name(cli: CommandLine) -> None:
    done = cli("simulate", "--port", "0", "--accounts", "absent.toml")
    assert done.code == 1
    assert done.err == "error: absent.toml: No such file or directory\n"


@pytest.mark.parametrize(
    "command",
    ["review list", "stats show", "stats conversion", "risk report", "inbound list", "number list"],
)
def test_an_account_that_does_not_exist_is_not_one_that_has_nothing(cli: CommandLine, command: str) -> None:
    account = cli.account()["account_id"]
    assert cli(*command.split(), "--account", account).code == 0
    done = cli(*command.split(), "--account", "acc-nobody")
    assert (done.code, done.out, done.err) == (1, "", "error: there is no account acc-nobody\n")
