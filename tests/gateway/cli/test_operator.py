"""Operators and their tokens by command line."""

import getpass
import re
import shlex
from pathlib import Path

import pytest

from tests.support.admin import cheaper
from tests.support.cli import CommandLine


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheaper(monkeypatch)


def test_an_operator_is_made_with_a_password_shown_once(cli: CommandLine) -> None:
    made = cli("operator", "create", "Alice", "--role", "finance", "--reason", "joined", "--json").json
    assert (made["name"], made["role"], made["active"]) == ("alice", "finance", True)
    assert re.fullmatch(r"([a-z2-9]{4}-){4}[a-z2-9]{4}", made["one_time_password"])
    (listed,) = cli("operator", "list", "--json").json
    assert listed["name"] == "alice"
    assert made["one_time_password"] not in cli("audit", "list", "--json").out
    assert made["one_time_password"].encode() not in (cli.directory / "gateway.db").read_bytes()


def test_roles_change_and_operators_come_and_go(cli: CommandLine) -> None:
    cli("operator", "create", "root", "--role", "admin")
    cli("operator", "create", "alice")
    assert cli("operator", "role", "alice", "operator", "--json").json["role"] == "operator"
    assert cli("operator", "disable", "alice", "--json").json["active"] is False
    assert cli("operator", "enable", "alice", "--json").json["active"] is True
    refused = cli("operator", "disable", "root")
    assert (refused.code, "last active admin" in refused.err) == (1, True)


def test_a_new_one_time_password_replaces_the_old(cli: CommandLine) -> None:
    first = cli("operator", "create", "alice", "--json").json["one_time_password"]
    second = cli("operator", "password", "alice", "--reason", "forgot it", "--json").json["one_time_password"]
    assert first != second
    (found,) = cli("audit", "list", "--action", "operator.password", "--json").json
    assert found["reason"] == "forgot it"


def test_a_new_one_time_password_says_which_tokens_it_revoked(cli: CommandLine) -> None:
    cli("operator", "create", "alice")
    token = cli("operator", "token", "create", "alice", "--label", "ci", "--json").json["token_id"]
    reset = cli("operator", "password", "alice", "--json").json
    assert (reset["sessions_ended"], reset["tokens_revoked"]) == (0, [token])
    (listed,) = cli("operator", "token", "list", "alice", "--json").json
    assert listed["revoked"] is not None
    told = cli("operator", "password", "alice").out
    assert "tokens revoked" in told
    assert "none" in told


def test_tokens_are_made_listed_and_revoked(cli: CommandLine) -> None:
    cli("operator", "create", "alice", "--role", "operator")
    made = cli("operator", "token", "create", "alice", "--label", "ci", "--role", "viewer", "--json").json
    assert made["token"].startswith("scst_")
    (listed,) = cli("operator", "token", "list", "alice", "--json").json
    assert (listed["token_id"], listed["role"], listed["revoked"]) == (made["token_id"], "viewer", None)
    assert made["token"] not in cli("operator", "token", "list", "--json").out
    assert cli("operator", "token", "revoke", made["token_id"], "--json").json["revoked"] is not None
    assert cli("operator", "token", "create", "alice", "--label", "x", "--role", "admin").code == 1
    assert cli("operator", "token", "create", "alice", "--label", "x", "--days", "366").code == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "x"), "2 to 32 letters"),
        (("create", "alice", "--role", "king"), "'king' is no role"),
        (("role", "nobody", "viewer"), "there is no operator nobody"),
        (("disable", "nobody"), "there is no operator nobody"),
        (("password", "nobody"), "there is no operator nobody"),
        (("token", "revoke", "tok-none"), "there is no token tok-none"),
    ],
)
def test_what_cannot_be_done_is_told(cli: CommandLine, arguments: tuple[str, ...], told: str) -> None:
    done = cli("operator", *arguments, "--json")
    assert (done.code, done.out) == (1, "")
    assert told in done.err


def test_the_operators_page_shows_commands_that_work(cli: CommandLine) -> None:
    page = Path(__file__).parents[3] / "docs" / "operations.md"
    block = re.search(r"```sh\n(scloud-sms operator create.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert block is not None
    names = {"cli:USER": f"cli:{getpass.getuser()}"}
    commands = [shlex.split(line, comments=True) for line in block[1].splitlines()]
    assert len(commands) == 10
    for program, *words in commands:
        assert program == "scloud-sms"
        done = cli(*(names.get(word, word) for word in words), "--json")
        assert done.code == 0, done.err
        assert done.json, words
        if words[:3] == ["operator", "token", "create"]:
            names["TOKEN"] = done.json["token_id"]
