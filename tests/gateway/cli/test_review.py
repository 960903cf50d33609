"""SMS signatures and templates by command line."""

import re

import pytest

from tests.support.cli import CommandLine


@pytest.fixture
def account(cli: CommandLine) -> str:
    return cli.account()["account_id"]


def test_a_signature_is_made_and_approved_at_once(cli: CommandLine, account: str) -> None:
    done = cli("signature", "create", "--account", account, "--text", "Acme", "--approve", "--json")
    assert re.fullmatch(r"SIG\d{8}[0-9A-F]{6}", done.json["signature_id"])
    assert done.json["status"] == "approved"


@pytest.mark.parametrize(
    ("purpose", "word", "letter"),
    [("1", "verification", "A"), ("notification", "notification", "N"), ("Promotion", "promotion", "B")],
)
def test_a_purpose_is_a_number_or_a_word(
    cli: CommandLine, account: str, purpose: str, word: str, letter: str
) -> None:
    arguments = ("--account", account, "--purpose", purpose, "--text", "Hello {1}", "--approve", "--json")
    done = cli("template", "create", *arguments)
    assert done.json["purpose"] == word
    assert done.json["template_id"].startswith(f"UT{letter}")


def test_what_is_not_approved_at_once_is_reviewed_later(cli: CommandLine, account: str) -> None:
    arguments = ("--account", account, "--purpose", "1", "--text", "Hello {1}", "--json")
    made = cli("template", "create", *arguments).json
    assert made["status"] == "pending"
    assert cli("template", "approve", made["template_id"], "--json").json["status"] == "approved"
    done = cli("template", "disable", made["template_id"], "--reason", "complaints", "--json")
    assert done.json == {"id": made["template_id"], "status": "disabled", "reason": "complaints"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("template", "create", "--purpose", "otp", "--text", "Hello {1}"), "'otp' is no purpose"),
        (("template", "create", "--purpose", "1", "--text", "Hello {2}"), "without a gap"),
        (("signature", "create", "--text", "A"), "a signature has 2 to 12 characters"),
        (
            ("signature", "create", "--text", "Acme", "--project", "org-other"),
            "there is no project org-other",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    cli: CommandLine, account: str, arguments: tuple[str, ...], told: str
) -> None:
    done = cli(*arguments, "--account", account, "--json")
    assert (done.code, done.out) == (1, "")
    assert told in done.err


@pytest.mark.parametrize("item", ["SIG20260921AAAAAA", "UTA260921AAAAAA", "something"])
def test_a_review_of_nothing_is_an_error(cli: CommandLine, item: str) -> None:
    done = cli("signature", "reject", item, "--reason", "none of ours", "--json")
    assert (done.code, done.out) == (1, "")
    assert item in done.err
