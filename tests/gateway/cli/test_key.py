"""API keys by command line."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.cli import CommandLine


def test_a_private_key_is_shown_once(cli: CommandLine) -> None:
    account = cli.account()
    made = cli("key", "create", account["account_id"], "--name", "web server", "--json").json
    assert set(made) == {"account_id", "name", "public_key", "private_key"}
    listed = cli("key", "list", account["account_id"], "--json")
    assert made["private_key"] not in listed.out
    assert [(key["public_key"], key["name"], key["state"]) for key in listed.json] == [
        (account["public_key"], "", "active"),
        (made["public_key"], "web server", "active"),
    ]


def test_a_key_is_rotated_at_once_or_with_an_overlap(cli: CommandLine) -> None:
    account = cli.account()
    second = cli("key", "rotate", account["public_key"], "--reason", "leaked", "--json").json
    assert second["replaces"] == account["public_key"]
    third = cli("key", "rotate", second["public_key"], "--overlap", "3600", "--json").json
    states = {
        key["public_key"]: key["state"] for key in cli("key", "list", account["account_id"], "--json").json
    }
    assert states == {
        account["public_key"]: "replaced",
        second["public_key"]: "retiring",
        third["public_key"]: "active",
    }


def test_a_key_is_disabled_and_enabled(cli: CommandLine) -> None:
    account = cli.account()
    for command, state in (("disable", "disabled"), ("enable", "active")):
        assert cli("key", command, account["public_key"], "--json").json["state"] == state
        assert cli("key", "list", account["account_id"], "--json").json[0]["state"] == state


def test_a_key_is_bound_to_addresses_and_set_free(cli: CommandLine) -> None:
    key = cli.account()["public_key"]
    done = cli("key", "allow", key, "192.0.2.7", "2001:db8::/32", "--json")
    assert done.json == {"public_key": key, "allowed": "192.0.2.7/32, 2001:db8::/32"}
    assert cli("key", "allow", key, "--any", "--json").json["allowed"] == "any"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("rotate", "nobody"), "there is no key nobody"),
        (("rotate", "KEY", "--overlap", "-1"), "the overlap is 0 to 604800 seconds"),
        (("allow", "KEY"), "name the addresses"),
        (("allow", "KEY", "192.0.2.1", "--any"), "name the addresses"),
        (("allow", "KEY", "192.0.2.1/24"), "did you mean 192.0.2.0/24"),
        (("create", "acc-nobody"), "there is no account acc-nobody"),
        (("list", "acc-nobody"), "there is no account acc-nobody"),
    ],
)
def test_what_cannot_be_done_says_why(cli: CommandLine, command: tuple[str, ...], told: str) -> None:
    account = cli.account()
    before = cli("key", "list", account["account_id"], "--json").json
    done = cli("key", *(account["public_key"] if word == "KEY" else word for word in command), "--json")
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert cli("key", "list", account["account_id"], "--json").json == before


def test_people_get_a_table(cli: CommandLine) -> None:
    account = cli.account()
    out = cli("key", "list", account["account_id"]).out
    assert account["public_key"] in out
    assert "used from" in out


def test_the_operators_page_shows_commands_that_work(cli: CommandLine) -> None:
    page = Path(__file__).parents[3] / "docs" / "operations.md"
    account = cli.account()
    names = {"ACCOUNT": account["account_id"], "KEY": account["public_key"]}
    block = re.search(r"```sh\n(scloud-sms key create.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert block is not None
    commands = [shlex.split(line, comments=True) for line in block[1].splitlines()]
    assert len(commands) == 15
    for program, *words in commands:
        assert program == "scloud-sms"
        if words[:2] == ["key", "enable"]:  # a rotated key stays off: on with the new one
            names["KEY"] = cli("key", "list", names["ACCOUNT"], "--json").json[-1]["public_key"]
        done = cli(*(names.get(word, word) for word in words), "--json")
        assert done.code == 0, done.err
        if words[:2] == ["project", "create"]:
            names["PROJECT"] = done.json["project_id"]
