"""`review`: the queue, one item, decisions, files and rules by command line."""

import shlex
from pathlib import Path

import pytest

from gateway.domain.message import Purpose
from gateway.domain.operator import SYSTEM
from gateway.domain.paper import Paper
from gateway.domain.review import Kind
from gateway.store import applications, papers, qualifications, reviews
from gateway.store.applications import SignatureForm, TemplateForm
from gateway.store.audit import By
from gateway.store.engine import open_store
from gateway.store.vault import Vault
from tests.support.admin import cheaper
from tests.support.cli import CommandLine
from tests.support.review import CHECKS

PDF = b"%PDF-1.7 licence"
NOW = 1_790_000_000_000


@pytest.fixture
def account(cli: CommandLine) -> str:
    return cli.account()["account_id"]


def hand_in(cli: CommandLine, account: str, text: str = "Order {1} has left.") -> str:
    """Hand in a template as a customer does, and let the checks have a look."""
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    try:
        with store.writer.begin() as connection:
            owner = applications.owner_of(connection, account)
            form = TemplateForm(purpose=Purpose.NOTIFICATION, text=text, name="notice")
            made = applications.create_template(connection, owner, form, By(SYSTEM, NOW))
            reviews.check(connection, CHECKS, Kind.TEMPLATE, made, NOW)
            return made
    finally:
        store.close()


def test_what_waits_is_listed_shown_and_approved(cli: CommandLine, account: str) -> None:
    made = hand_in(cli, account)
    (listed,) = cli("review", "list", "--json").json
    assert (listed["id"], listed["status"], listed["flags"]) == (made, "in review", ["no-signature"])
    shown = cli("review", "show", made, "--json").json
    assert shown["text"] == "Order {1} has left."
    assert [entry["action"] for entry in shown["history"]] == ["template.pass", "template.create"]
    done = cli("review", "approve", made, "--version", str(shown["version"]), "--json")
    assert done.json == {"id": made, "status": "approved", "reason": ""}
    assert cli("review", "list", "--json").json == []
    history = cli("review", "show", made, "--json").json["history"]
    assert (history[0]["action"], history[0]["actor"][:4]) == ("template.approve", "cli:")


def test_people_get_tables(cli: CommandLine, account: str) -> None:
    made = hand_in(cli, account, "Order {1} at https://a.example")
    listed = cli("review", "list").out
    assert made in listed
    assert "link" in listed
    shown = cli("review", "show", made).out
    for part in ("findings", "history", "a link must be filed", "template.pass"):
        assert part in shown


def test_a_rejection_is_told_the_customer_with_its_reason(cli: CommandLine, account: str) -> None:
    made = hand_in(cli, account)
    done = cli("review", "reject", made, "--reason", "say what it is about", "--json")
    assert done.json == {"id": made, "status": "rejected", "reason": "say what it is about"}
    assert cli("review", "show", made, "--json").json["reason"] == "say what it is about"
    listed = cli("review", "list", "--status", "rejected", "--kind", "template", "--json").json
    assert [item["id"] for item in listed] == [made]
    assert cli("review", "list", "--status", "all", "--kind", "signature", "--json").json == []


def test_disabling_is_for_good_until_a_reviewer_says_otherwise(cli: CommandLine, account: str) -> None:
    made = hand_in(cli, account)
    cli("review", "approve", made)
    assert cli("review", "disable", made, "--reason", "complaints", "--json").json["status"] == "disabled"
    refused = cli("review", "approve", made)
    assert (refused.code, "needs a reason" in refused.err) == (1, True)
    assert cli("review", "approve", made, "--reason", "settled", "--json").json["status"] == "approved"


def test_what_changed_since_it_was_shown_is_not_decided_upon(cli: CommandLine, account: str) -> None:
    made = hand_in(cli, account)
    done = cli("review", "approve", made, "--version", "7")
    assert (done.code, "has changed since" in done.err) == (1, True)


def edit(cli: CommandLine, account: str, template: str, text: str) -> None:
    """Change a template as its customer does, and let the checks have a look."""
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    with store.writer.begin() as connection:
        owner = applications.owner_of(connection, account)
        applications.update_template(connection, owner, template, {"text": text}, By(SYSTEM, NOW))
        reviews.check(connection, CHECKS, Kind.TEMPLATE, template, NOW)
    store.close()


@pytest.mark.parametrize(
    "command",
    [
        ("review", "approve"),
        ("review", "reject", "--reason", "no"),
        ("template", "approve"),
        ("template", "reject", "--reason", "no"),
    ],
)
def test_what_the_customer_changed_meanwhile_is_not_decided_upon_unseen(
    cli: CommandLine, account: str, command: tuple[str, ...]
) -> None:
    made = hand_in(cli, account)
    seen = cli("review", "show", made, "--json").json["version"]
    edit(cli, account, made, "Order {1} is not what you saw.")
    group, verb, *options = command
    refused = cli(group, verb, made, *options)
    assert (refused.code, refused.out) == (1, "")
    assert "was changed after it was first handed in: name the version you looked at" in refused.err
    assert cli(group, verb, made, *options, "--version", str(seen)).code == 1
    assert cli("review", "show", made, "--json").json["status"] == "in review"
    assert cli(group, verb, made, *options, "--version", str(seen + 1)).code == 0


def test_whatever_it_has_become_it_can_be_disabled_at_once(cli: CommandLine, account: str) -> None:
    made = hand_in(cli, account)
    edit(cli, account, made, "Order {1} is not what you saw.")
    done = cli("review", "disable", made, "--reason", "complaints", "--version", "1")
    assert (done.code, "has changed since" in done.err) == (1, True)
    assert cli("review", "disable", made, "--reason", "complaints", "--json").json["status"] == "disabled"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("approve", "UTN260921AAAAAA"), "there is no template"),
        (("reject", "something", "--reason", "x"), "is no id of a signature"),
        (("show", "SIG20260921AAAAAA"), "there is no signature"),
        (("list", "--kind", "brand"), "is no kind: signature, template, qualification"),
        (("list", "--status", "open"), "is no status: pending, in-review"),
    ],
)
def test_what_cannot_be_done_is_said(cli: CommandLine, arguments: tuple[str, ...], told: str) -> None:
    done = cli("review", *arguments)
    assert (done.code, done.out) == (1, "")
    assert told in done.err


def with_file(cli: CommandLine, account: str) -> tuple[str, str]:
    """Hand in a signature with a paper; return the ids of both."""
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    vault = Vault(cli.directory / "files")
    with vault.held(), store.writer.begin() as connection:
        paper = Paper(PDF, "application/pdf", "licence.pdf")
        file_id = papers.add(connection, account, paper, vault.put(PDF), 1_000, NOW)
        owner = applications.owner_of(connection, account)
        form = SignatureForm(text="Acme", file_id=file_id)
        made = applications.create_signature(connection, owner, form, By(SYSTEM, NOW))
    store.close()
    return made, file_id


def test_a_file_is_copied_for_who_reviews_what_names_it(
    cli: CommandLine, account: str, tmp_path: Path
) -> None:
    made, file_id = with_file(cli, account)
    shown = cli("review", "show", made, "--json").json
    assert [file["id"] for file in shown["files"]] == [file_id]
    target = tmp_path / "out.pdf"
    assert cli("review", "file", made, file_id, "--to", str(target), "--json").json["size"] == len(PDF)
    assert target.read_bytes() == PDF
    again = cli("review", "file", made, file_id, "--to", str(target))
    assert (again.code, "File exists" in again.err) == (1, True)
    other = hand_in(cli, account)
    assert cli("review", "file", other, file_id, "--to", str(tmp_path / "x")).code == 1


def test_who_had_a_file_is_in_the_audit_and_who_may_not_decide_gets_none(
    cli: CommandLine, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheaper(monkeypatch)
    for name, role in (("rita", "reviewer"), ("olga", "operator")):
        cli("operator", "create", name, "--role", role)
    made, file_id = with_file(cli, account)
    refused = cli("review", "file", made, file_id, "--to", "out.pdf", "--as", "olga")
    assert (refused.code, "olga is operator and has no review:decide" in refused.err) == (1, True)
    assert not Path("out.pdf").exists()
    assert cli("review", "file", made, file_id, "--to", "out.pdf", "--as", "rita").code == 0
    (newest,) = cli("audit", "list", "--limit", "1", "--json").json
    assert (newest["actor"], newest["action"], newest["subject_id"]) == ("rita", "signature.file", made)
    assert newest["after"] == {"file": file_id}


def test_who_may_not_decide_sees_no_numbers_of_persons(
    cli: CommandLine, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheaper(monkeypatch)
    for name, role in (("rita", "reviewer"), ("vera", "viewer")):
        cli("operator", "create", name, "--role", role)
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    with store.writer.begin() as connection:
        owner = applications.owner_of(connection, account)
        content = {"Name": "papers", "HandlerPhone": "13800000000", "HandlerName": "Zhang San"}
        made = qualifications.create(connection, owner, 0, content, False, By(SYSTEM, NOW))
    store.close()
    seen = [cli("review", "show", made, "--json", "--as", name).json for name in ("rita", "vera")]
    looks = cli("audit", "list", "--action", "qualification.show", "--json").json
    assert [(look["actor"], look["subject_id"], look["after"]) for look in looks] == [
        ("vera", made, {"persons": False}),
        ("rita", made, {"persons": True}),
    ]
    assert [one["handler_phone"] for one in seen] == ["13800000000", "[hidden]"]
    assert [one["handler_name"] for one in seen] == ["Zhang San", "[hidden]"]
    assert [one["manager_phone"] for one in seen] == ["", ""]


def test_rules_are_copied_changed_and_checked(cli: CommandLine) -> None:
    assert cli("review", "rules", "check", "--json").json["rules"] == 42
    assert cli("review", "rules", "copy", "my-rules.toml").code == 0
    assert cli("review", "rules", "copy", "my-rules.toml").code == 1
    assert cli("review", "rules", "check", "my-rules.toml", "--json").json["rules"] == 42
    rules = cli.directory / "my-rules.toml"
    rules.write_text(rules.read_text("utf-8").replace('link = "flag"', 'link = "block"'), "utf-8")
    done = cli("review", "rules", "check", "my-rules.toml")
    assert done.code == 1
    assert "severity.link: must be one of reject, flag, off" in done.err
    settings = cli.directory / "gateway.toml"
    settings.write_text(
        settings.read_text("utf-8").replace('# rules = ""', 'rules = "my-rules.toml"'), "utf-8"
    )
    assert "my-rules.toml" in cli("review", "rules", "check").err


def test_every_command_of_the_guide_works(cli: CommandLine, account: str) -> None:
    guide = (Path(__file__).parents[3] / "docs/reviewer-guide.md").read_text("utf-8")
    commands = [shlex.split(line[2:])[1:] for line in guide.splitlines() if line.startswith("$ scloud-sms ")]
    made = hand_in(cli, account)
    signature, file_id = with_file(cli, account)
    for command in commands:
        wanted = signature if "FILE" in command else made
        names = {"ID": wanted, "FILE": file_id}
        done = cli(*[names.get(word, word) for word in command])
        assert (done.code, done.err) == (0, ""), command
    assert (cli.directory / "licence.pdf").read_bytes() == PDF
    assert {tuple(command[:2]) for command in commands} >= {
        ("review", name) for name in ("list", "show", "approve", "disable", "file", "rules")
    }
