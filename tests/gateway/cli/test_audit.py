"""The audit by command line."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from gateway.cli import app
from tests.support.admin import cheaper
from tests.support.cli import CommandLine


@pytest.fixture
def account(cli: CommandLine) -> str:
    account = cli.account()["account_id"]
    cli("account", "credit", account, "5", "--note", "invoice 7")
    cli("account", "callback", account, "https://acme.example/sms", "--reason", "asked for")
    arguments = ("--account", account, "--purpose", "1", "--text", "Hello {1}", "--json")
    template = cli("template", "create", *arguments).json["template_id"]
    cli("template", "approve", template)
    return account


def test_every_change_of_the_command_line_is_in_it(cli: CommandLine, account: str) -> None:
    found = cli("audit", "list", "--json").json
    ours = [one for one in found if one["actor_kind"] == "cli"]  # the automatic checks write theirs
    assert [one["action"] for one in ours if one["subject_kind"] == "template"][::-1] == [
        "template.create", "template.approve",
    ]  # fmt: skip
    callback, credit, create = [one for one in ours if one["subject_id"] == account]
    assert (credit["action"], credit["reason"]) == ("account.credit", "invoice 7")
    assert (callback["action"], callback["reason"]) == ("account.callback", "asked for")
    assert callback["before"] == {"callback_url": None}
    assert callback["after"] == {"callback_url": "https://acme.example/sms"}
    assert (create["before"], create["at"].endswith("+00:00")) == (None, True)


def test_it_is_filtered_and_paged(cli: CommandLine, account: str) -> None:
    def actions(*options: str) -> list[str]:
        return [one["action"] for one in cli("audit", "list", *options, "--json").json]

    assert actions("--subject", account, "--limit", "2") == ["account.callback", "account.credit"]
    assert actions("--action", "account.") == ["account.callback", "account.credit", "account.create"]
    assert actions("--actor", "nobody") == []
    assert actions("--since", "2100-01-01") == []
    assert len(actions("--subject", account, "--until", "2100-01-01T00:00")) == 3
    oldest = cli("audit", "list", "--json").json[-1]["id"]
    assert actions("--before", str(oldest)) == []


def test_people_get_a_table(cli: CommandLine, account: str) -> None:
    told = cli("audit", "list").out
    for word in ("account.credit", "invoice 7", account, '"available": "5.00"'):
        assert word in told


def test_a_look_at_a_message_that_is_not_there_is_none(cli: CommandLine, account: str) -> None:
    assert cli("message", "show", "5").code == 1
    assert "message.show" not in cli("audit", "list", "--json").out


def test_a_time_that_is_none_is_told(cli: CommandLine) -> None:
    done = cli("audit", "list", "--since", "yesterday")
    assert (done.code, "'yesterday' is no time" in done.err) == (1, True)


NUMBER_LISTS = ("blacklist", "optout", "allowlist")
# commands that change nothing of the store, or are the gateway itself
QUIET = {
    "serve", "simulate", "send", "demo", "config check", "config init", "review rules check",
    "review rules copy", "account list", "account show", "audit list", "inbound list", "key list",
    "number list", "operator list", "operator token list", "project list", "review list", "review show",
    "risk report", "risk show", "stats conversion", "stats show",
    *(f"{one} {verb}" for one in NUMBER_LISTS for verb in ("list", "export")),
}  # fmt: skip
# what is looked at closely is in the audit too; its own tests show that
LOOKED = {"message list", "message show", "inbound show", "review file"}
# tried where there is something to do it with: inbound messages, counters that are wrong
ELSEWHERE = {"inbound assign", "stats recount"}
LISTS = tuple(
    (f"{one} {verb}", *rest)
    for one in NUMBER_LISTS
    for verb, *rest in (
        ("add", "ACCOUNT", "60123456789"),
        ("remove", "ACCOUNT", "60123456789"),
        ("import", "ACCOUNT", "numbers.csv"),
    )
)
# one of each, in this order; names in capitals are filled in on the way
STORY: tuple[tuple[str, ...], ...] = (
    ("account create", "Acme"),
    ("account credit", "ACCOUNT", "5"),
    ("account debit", "ACCOUNT", "1", "--reason", "x"),
    ("account callback", "ACCOUNT", "https://acme.example/sms"),
    ("account restrict", "ACCOUNT", "--reason", "complaints"),
    ("account restore", "ACCOUNT"),
    ("account allow", "ACCOUNT", "192.0.2.1"),
    ("account language", "ACCOUNT", "zh"),
    ("account pull-reports", "ACCOUNT", "on"),
    ("account terms", "ACCOUNT", "2"),
    ("project create", "ACCOUNT", "Shop"),
    ("project rename", "PROJECT", "Store"),
    ("project default", "PROJECT"),
    ("key create", "ACCOUNT"),
    ("key disable", "KEY"),
    ("key enable", "KEY"),
    ("key allow", "KEY", "::1"),
    ("key rotate", "KEY"),
    ("number add", "10690001", "--account", "ACCOUNT"),
    ("number remove", "NUMBER"),
    ("risk set", "ACCOUNT", "blacklist", "--mode", "off"),
    *LISTS,
    ("signature create", "--account", "ACCOUNT", "--text", "Acme"),
    ("signature reject", "SIGNATURE", "--reason", "x"),
    ("signature approve", "SIGNATURE"),
    ("signature disable", "SIGNATURE", "--reason", "x"),
    ("template create", "--account", "ACCOUNT", "--purpose", "2", "--text", "Order {1} has left."),
    ("template reject", "TEMPLATE", "--reason", "x"),
    ("template approve", "TEMPLATE"),
    ("template disable", "TEMPLATE", "--reason", "x"),
    ("review approve", "TEMPLATE", "--reason", "x"),
    ("review disable", "TEMPLATE", "--reason", "x"),
    ("template create", "--account", "ACCOUNT", "--purpose", "2", "--text", "Order {1} has come."),
    ("review reject", "TEMPLATE", "--reason", "x"),
    ("operator create", "olga"),
    ("operator role", "olga", "operator"),
    ("operator disable", "olga"),
    ("operator enable", "olga"),
    ("operator password", "olga"),
    ("operator token create", "olga", "--label", "ci"),
    ("operator token revoke", "TOKEN"),
)


def test_every_command_is_known_to_change_something_or_not() -> None:
    known = QUIET | LOOKED | ELSEWHERE | {command for command, *_ in STORY}
    assert set(commands(typer.main.get_command(app))) == known


def test_every_command_that_changes_something_leaves_a_line(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheaper(monkeypatch)
    (cli.directory / "numbers.csv").write_text("phone\n6591234567\n")
    known: dict[str, str] = {}
    seen = 0
    for command, *rest in STORY:
        arguments = [known.get(word, word) for word in rest]
        done = cli(*command.split(), *arguments, "--json")
        assert done.code == 0, (command, done.err)
        # the automatic checks look first at what is decided upon, and write theirs
        lines = [
            one for one in cli("audit", "list", "--limit", "1000", "--json").json if one["actor"] != "system"
        ]
        assert len(lines) == seen + 1, command
        assert lines[0]["actor_kind"] == "cli", command
        seen = len(lines)
        learn(known, command, done.json)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Return every command there is, by its words."""
    for name, inner in getattr(group, "commands", {}).items():
        yield from commands(inner, (*path, name))
    if not hasattr(group, "commands"):
        yield " ".join(path)


def learn(known: dict[str, str], command: str, told: dict[str, Any]) -> None:
    """Keep what later commands name."""
    fields = {
        "account create": {"ACCOUNT": "account_id", "KEY": "public_key"},
        "project create": {"PROJECT": "project_id"},
        "number add": {"NUMBER": "id"},
        "signature create": {"SIGNATURE": "signature_id"},
        "template create": {"TEMPLATE": "template_id"},
        "operator token create": {"TOKEN": "token_id"},
    }
    known |= {name: str(told[field]) for name, field in fields.get(command, {}).items()}
