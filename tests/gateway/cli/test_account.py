"""Customers by command line."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.cli import CommandLine


def test_an_account_is_made_with_everything_a_client_needs(cli: CommandLine) -> None:
    done = cli("account", "create", "Acme Ltd", "--json")
    assert done.code == 0
    assert set(done.json) == {"account_id", "project_id", "public_key", "private_key"}
    assert done.err == ""


def test_the_first_command_makes_database_and_master_key_for_their_owner_alone(cli: CommandLine) -> None:
    (cli.directory / "gateway.db").unlink()  # which the fixture has prepared
    cli.account()
    for name in ("gateway.db", "master.key", "gateway.toml", "network.toml"):
        assert (cli.directory / name).stat().st_mode & 0o077 == 0, name


def test_the_settings_file_can_be_named(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    account = cli.account()["account_id"]
    monkeypatch.chdir("/")
    config = str(cli.directory / "gateway.toml")
    assert cli("account", "list", "--config", config, "--json").json[0]["account_id"] == account
    monkeypatch.setenv("SCLOUD_CONFIG", config)
    assert cli("account", "list", "--json").json[0]["account_id"] == account


def test_credit_adds_up_exactly(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    cli("account", "credit", account, "0.1")
    done = cli("account", "credit", account, "0.2", "--note", "invoice 7", "--json")
    assert done.json == {"account_id": account, "credited": "0.20", "available": "0.30", "currency": "CNY"}
    assert cli("account", "show", account, "--json").json["available"] == "0.30"


def test_credit_is_taken_back_for_a_reason_and_never_more_than_there_is(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    cli("account", "credit", account, "10")
    done = cli("account", "debit", account, "2.5", "--reason", "credited twice", "--json")
    assert done.json == {"account_id": account, "debited": "2.50", "available": "7.50", "currency": "CNY"}
    assert done.err == ""
    refused = cli("account", "debit", account, "7.500001", "--reason", "all of it", "--json")
    assert (refused.code, refused.out) == (1, "")
    assert f"account {account} can spend 7.50: 7.500001 is more" in refused.err
    assert cli("account", "debit", account, "1").code == 2  # no reason
    assert cli("account", "debit", account, "1", "--reason", " ").code == 1
    assert cli("account", "show", account, "--json").json["available"] == "7.50"
    (entry,) = cli("audit", "list", "--action", "account.debit", "--json").json
    assert (entry["subject_id"], entry["reason"]) == (account, "credited twice")
    assert (entry["before"], entry["after"]) == (
        {"available": "10.00"},
        {"available": "7.50", "debited": "2.50"},
    )


def test_money_is_for_those_who_may_move_it(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    cli("account", "credit", account, "10")
    for name, role in (("fay", "finance"), ("olga", "operator")):
        cli("operator", "create", name, "--role", role)
    refused = cli("account", "debit", account, "1", "--reason", "x", "--as", "olga")
    assert refused.code == 1
    assert "has no money:write" in refused.err
    assert cli("account", "debit", account, "1", "--reason", "x", "--as", "fay").code == 0


@pytest.mark.parametrize("amount", ["0", "-5", "1e3", "ten", "0.0000001", "99999999999999"])
def test_an_amount_that_is_none_changes_nothing(cli: CommandLine, amount: str) -> None:
    account = cli.account()["account_id"]
    for command in (("credit",), ("debit", "--reason", "x")):
        done = cli("account", *command, account, "--json", "--", amount)
        assert done.code == 1
        assert done.out == ""
        assert done.err.startswith("error: ")
    assert cli("account", "show", account, "--json").json["available"] == "0.00"


def test_a_callback_is_set_and_taken_away(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    assert cli("account", "callback", account, "https://acme.example/sms", "--json").code == 0
    assert cli("account", "show", account, "--json").json["callback_url"] == "https://acme.example/sms"
    assert cli("account", "callback", account, "").code == 0
    assert cli("account", "show", account, "--json").json["callback_url"] is None


@pytest.mark.parametrize(
    "command",
    [
        ("credit", "acc-nobody", "5"),
        ("debit", "acc-nobody", "5", "--reason", "x"),
        ("callback", "acc-nobody", "https://a.example/"),
        ("show", "acc-nobody"),
    ],
)
def test_an_account_that_does_not_exist_is_an_error(cli: CommandLine, command: tuple[str, ...]) -> None:
    done = cli("account", *command, "--json")
    assert (done.code, done.out) == (1, "")
    assert "there is no account acc-nobody" in done.err


def test_people_get_a_table(cli: CommandLine) -> None:
    assert "none" in cli("account", "list").out
    account = cli.account()["account_id"]
    assert account in cli("account", "list").out
    shown = cli("account", "show", account).out
    assert shown.splitlines()[0].split() == ["account", "id", account]


def test_the_operators_page_shows_commands_that_work(cli: CommandLine) -> None:
    page = Path(__file__).parents[3] / "docs" / "operations.md"
    account = cli.account()["account_id"]
    block = re.search(r"```sh\n(scloud-sms account credit.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert block is not None
    commands = [shlex.split(line, comments=True) for line in block[1].splitlines()]
    assert len(commands) == 4
    for program, *words in commands:
        assert program == "scloud-sms"
        done = cli(*(account if word == "ACCOUNT" else word for word in words), "--json")
        assert done.code == 0, done.err
    assert cli("account", "show", account, "--json").json["available"] == "87.50"


def test_a_lost_master_key_is_not_replaced(cli: CommandLine) -> None:
    cli.account()
    (cli.directory / "master.key").unlink()
    done = cli("account", "create", "Other", "--json")
    assert done.code == 1
    assert "is missing" in done.err
    assert len(cli("account", "list", "--json").json) == 1
