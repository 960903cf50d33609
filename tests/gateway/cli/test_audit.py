"""The audit by command line."""

import pytest

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
