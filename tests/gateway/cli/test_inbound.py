"""Handsets' messages and owned numbers by command line."""

import shlex

import pytest

from carriers.simulator.handsets import parse_mo
from gateway.domain.inbound import Flag, Forwarding, Ownership
from gateway.store.engine import Store, open_store
from gateway.store.inbound import Finished, finish
from tests.support.cli import CommandLine
from tests.support.processes import ROOT
from tests.support.rows import mo_message

NOBODYS = {
    "account_id": None, "project_id": None, "ownership": Ownership.NOBODY, "forwarding": Forwarding.NONE,
}  # fmt: skip


@pytest.fixture
def account(cli: CommandLine) -> str:
    """An account, with one message of its own and one of nobody's in the store."""
    account: str = cli.account()["account_id"]
    store: Store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    kept = [mo_message(1, account_id=account), mo_message(2, **NOBODYS, text="secret", flags=Flag.CONFLICT)]
    store.transaction(lambda c: finish(c, [Finished(one, [], [], None) for one in kept], [], {}.get))
    store.close()
    return account


def test_messages_are_listed_masked_and_without_their_texts(cli: CommandLine, account: str) -> None:
    listed = cli("inbound", "list", "--json")
    assert [(one["id"], one["account_id"], one["source"]) for one in listed.json] == [
        (2, None, "601******89"),
        (1, account, "601******89"),
    ]
    for told in (listed.out, cli("inbound", "list").out, cli("inbound", "show", "2").out):
        assert "60123456789" not in told
        assert "secret" not in told
    assert cli("inbound", "list", "--reveal", "--json").json[0]["source"] == "60123456789"


def test_a_list_may_be_narrowed(cli: CommandLine, account: str) -> None:
    def ids(*options: str) -> list[int]:
        return [one["id"] for one in cli("inbound", "list", *options, "--json").json]

    assert ids("--unowned") == [2]
    assert ids("--account", account) == [1]
    assert ids("--from", "+60123456789", "--limit", "1") == [2]
    assert ids("--before", "2") == [1]
    assert ids("--channel", "beta") == []


def test_one_message_is_shown_with_its_reasons_and_its_text_when_asked_for(
    cli: CommandLine, account: str
) -> None:
    shown = cli("inbound", "show", "2", "--json").json
    assert (shown["ownership"], shown["flags"]) == ("nobody", ["conflict"])
    assert "text" not in shown
    assert "phone_given" not in shown
    whole = cli("inbound", "show", "2", "--text", "--reveal", "--json").json
    assert (whole["text"], whole["source"]) == ("secret", "60123456789")
    assert "conflict" in cli("inbound", "show", "2").out


def test_numbers_and_texts_need_a_role_that_may_see_them_and_each_look_is_audited(
    cli: CommandLine, account: str
) -> None:
    cli("operator", "create", "vera", "--role", "viewer")
    for command in (("list", "--reveal"), ("show", "2", "--reveal"), ("show", "2", "--text")):
        refused = cli("inbound", *command, "--as", "vera")
        assert (refused.code, refused.out) == (1, "")
        assert "numbers:read" in refused.err
    assert cli("inbound", "list", "--as", "vera").code == 0
    assert cli("inbound", "show", "2", "--as", "vera").code == 0
    assert cli("inbound", "show", "2", "--text").code == 0
    looks = [one for one in cli("audit", "list", "--json").json if one["action"] == "inbound.show"]
    assert [(one["actor"].partition(":")[0], one["after"]) for one in looks] == [
        ("cli", {"numbers": False, "text": True}),
        ("vera", {"numbers": False, "text": False}),
    ]


def test_an_unowned_message_is_given_away_once(cli: CommandLine, account: str) -> None:
    given = cli("inbound", "assign", "2", "--account", account, "--json").json
    assert (given["account_id"], given["ownership"], given["forwarding"]) == (account, "assigned", "due")
    again = cli("inbound", "assign", "2", "--account", account)
    assert (again.code, again.out) == (1, "")
    assert account in again.err


@pytest.mark.parametrize(
    "command",
    [("show", "3"), ("assign", "2", "--account", "acc-none"), ("assign", "3", "--account", "acc-none")],
)
def test_what_does_not_exist_is_an_error(cli: CommandLine, account: str, command: tuple[str, ...]) -> None:
    done = cli("inbound", *command)
    assert (done.code, done.out) == (1, "")
    assert "there is no" in done.err


def test_numbers_are_given_listed_and_taken(cli: CommandLine, account: str) -> None:
    made = cli("number", "add", "+10690001", "--account", account, "--extend", "88", "--json").json
    assert (made["number"], made["extend"], made["channel"]) == ("10690001", "88", "*")
    assert made["project_id"].startswith("org-")
    every = cli("number", "add", "*", "--account", account, "--channel", "simulator-a", "--json").json
    assert (every["number"], every["channel"]) == ("*", "simulator-a")
    assert [one["id"] for one in cli("number", "list", "--json").json] == [every["id"], made["id"]]
    assert cli("number", "add", "10690001", "--extend", "88", "--account", account).code == 1
    assert cli("number", "remove", str(made["id"]), "--json").json == made
    assert cli("number", "list", "--account", account, "--json").json == [every]
    assert cli("number", "remove", str(made["id"])).code == 1


@pytest.mark.parametrize("number", ["*", "1069"])
def test_a_channel_that_is_not_in_the_network_gets_no_owner(
    cli: CommandLine, account: str, number: str
) -> None:
    done = cli("number", "add", number, "--account", account, "--channel", "nope")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: there is no channel 'nope' in the network; there are: simulator-a\n"
    assert cli("number", "list", "--json").json == []


def test_what_is_no_number_is_refused(cli: CommandLine, account: str) -> None:
    done = cli("number", "add", "Acme", "--account", account)
    assert done.code == 1
    assert "digits" in done.err


def documented(first_words: str) -> list[list[str]]:
    """Return the commands of the operations page that begin so, split as a shell does."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith(f"scloud-sms {first_words}")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_every_documented_command_works(cli: CommandLine, account: str) -> None:
    commands = documented("number") + documented("inbound")
    assert len(commands) == 8
    for command in commands:
        words = [{"ACCOUNT": account, "ID": "2"}.get(word, word) for word in command]
        done = cli(*words)
        assert done.code == 0, (words, done.err)


def test_every_documented_handset_can_be_simulated() -> None:
    commands = documented("simulate --mo")
    assert len(commands) == 4
    for command in commands:
        option, value = command[1:]
        assert option == "--mo-file" or parse_mo(value)
