"""Blacklist, opt-outs and allow-list by command line."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.store import numbers
from gateway.store.engine import open_store
from gateway.store.tables_operators import audit
from tests.support.cli import CommandLine


@pytest.fixture
def account(cli: CommandLine) -> str:
    return cli.account()["account_id"]


def listed(cli: CommandLine, account: str, name: str = "blacklist") -> list[tuple[str, str]]:
    rows = cli(name, "list", account, "--reveal", "--json").json
    return [(row["phone"], row["purpose"]) for row in rows]


def audited(cli: CommandLine) -> list[tuple[str, str]]:
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    try:
        rows = store.read_now(
            lambda c: c.execute(select(audit.c.action, audit.c.after).order_by(audit.c.id)).all()
        )
    finally:
        store.close()
    return [(action, after) for action, after in rows if "list." in action or action.startswith("optout")]


@pytest.mark.parametrize("name", ["blacklist", "optout", "allowlist"])
def test_numbers_are_put_on_a_list_shown_and_taken_off(cli: CommandLine, account: str, name: str) -> None:
    done = cli(name, "add", account, "(60)123456789", "+6591234567", "--remark", "asked", "--json")
    assert done.json == {"account_id": account, "list": name, "added": 2}
    assert cli(name, "add", account, "60123456789", "--remark", "asked", "--json").json["added"] == 0
    shown = cli(name, "list", account, "--json").json
    assert [row["phone"] for row in shown] == ["6012*****89", "6591****67"]
    assert {(row["source"], row["remark"]) for row in shown} == {("operator", "asked")}
    others = {"blacklist", "optout", "allowlist"} - {name}
    assert all(listed(cli, account, other) == [] for other in others)
    assert cli(name, "remove", account, "+60123456789", "--reason", "mail", "--json").json["removed"] == 1
    assert [phone for phone, _ in listed(cli, account, name)] == ["+6591234567"]
    assert [action for action, _ in audited(cli)] == [f"{name}.add", f"{name}.add", f"{name}.remove"]
    assert "60123456789" not in "".join(after for _, after in audited(cli))


def test_a_number_is_listed_for_a_purpose_and_a_project(cli: CommandLine, account: str) -> None:
    project = cli("account", "show", account, "--json").json["project_id"]
    cli("blacklist", "add", account, "60123456789", "--purpose", "3", "--project", project)
    assert listed(cli, account) == [("+60123456789", "promotion")]
    (row,) = cli("blacklist", "list", account, "--project", project, "--json").json
    assert row["project_id"] == project
    assert cli("blacklist", "list", account, "--project", "", "--json").json == []
    assert cli("blacklist", "remove", account, "60123456789", "--json").json["removed"] == 0
    options = ("--purpose", "promotion", "--project", project, "--json")
    assert cli("blacklist", "remove", account, "60123456789", *options).json["removed"] == 1


@pytest.mark.parametrize("verb", ["add", "remove"])
def test_the_allow_list_takes_no_purpose(cli: CommandLine, account: str, verb: str) -> None:
    cli("allowlist", "add", account, "60123456789")
    done = cli("allowlist", verb, account, "60123456789", "6591234567", "--purpose", "promotion")
    assert (done.code, "the allow-list has no purposes" in done.err) == (1, True)
    assert listed(cli, account, "allowlist") == [("+60123456789", "all")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "ACCOUNT", "12"), "is no telephone number"),
        (("add", "ACCOUNT", "60123456789", "--purpose", "otp"), "'otp' is no purpose"),
        (("add", "ACCOUNT", "60123456789", "--remark", "x" * 257), "at most 256 characters"),
        (("add", "acc-nobody", "60123456789"), "there is no account acc-nobody"),
        (("add", "ACCOUNT", "60123456789", "--project", "org-x"), "there is no project org-x"),
        (("remove", "acc-nobody", "60123456789"), "there is no account acc-nobody"),
        (("list", "acc-nobody"), "there is no account acc-nobody"),
        (("export", "acc-nobody"), "there is no account acc-nobody"),
        (("import", "ACCOUNT", "missing.csv"), "missing.csv: No such file"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    cli: CommandLine, account: str, arguments: tuple[str, ...], told: str
) -> None:
    done = cli("blacklist", *(account if one == "ACCOUNT" else one for one in arguments))
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert listed(cli, account) == []
    assert audited(cli) == []


def test_what_is_exported_can_be_imported(cli: CommandLine, account: str) -> None:
    cli("blacklist", "add", account, "60123456789", "--remark", 'said "no", twice')
    cli("blacklist", "add", account, "60123456789", "+6591234567", "--purpose", "promotion")
    cli("blacklist", "export", account, "copy.csv")
    content = Path("copy.csv").read_text()
    assert content.splitlines() == [
        "phone,purpose,remark",
        '+60123456789,,"said ""no"", twice"',
        "+60123456789,promotion,",
        "+6591234567,promotion,",
    ]
    assert cli("blacklist", "export", account).out == content
    other = cli.account("Other")["account_id"]
    done = cli("blacklist", "import", other, "copy.csv", "--json").json
    assert (done["lines"], done["added"]) == (3, 3)
    assert listed(cli, other) == listed(cli, account)
    again = cli("blacklist", "import", other, "copy.csv", "--json").json
    assert (again["lines"], again["added"]) == (3, 0)


def test_a_large_file_is_imported_in_pieces_and_an_interrupted_import_goes_on(
    cli: CommandLine, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("many.csv").write_text("\n".join(f"6012{n:07d}" for n in range(1_000)))
    real, pieces = numbers.list_numbers, []

    def once(*arguments: object) -> int:
        if len(pieces) == 2:
            raise OSError(28, "No space left on device")
        pieces.append(len(arguments[1]))  # type: ignore[arg-type]
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("gateway.cli.lists.CHUNK", 300)
    monkeypatch.setattr(numbers, "list_numbers", once)
    assert cli("blacklist", "import", account, "many.csv").code == 1
    monkeypatch.setattr(numbers, "list_numbers", real)
    assert pieces == [300, 300]
    done = cli("blacklist", "import", account, "many.csv", "--json").json
    assert (done["lines"], done["added"]) == (1_000, 400)
    rows = cli("blacklist", "list", account, "--limit", "2000", "--json").json
    assert len(rows) == 1_000
    assert [action for action, _ in audited(cli)] == ["blacklist.import"] * 2


def test_too_many_numbers_at_once_are_for_a_file(cli: CommandLine, account: str) -> None:
    done = cli("blacklist", "add", account, *(f"6012{n:07d}" for n in range(5_001)))
    assert (done.code, done.out) == (1, "")
    assert "at most 5000" in done.err
    assert listed(cli, account) == []


def test_only_who_may_changes_lists_or_sees_numbers_whole(cli: CommandLine, account: str) -> None:
    cli("blacklist", "add", account, "60123456789")
    made = cli("operator", "create", "vera", "--role", "viewer")
    assert made.code == 0, made.err
    as_vera = ("--as", "vera")
    assert cli("blacklist", "list", account, *as_vera).code == 0
    for refused in (
        ("blacklist", "list", account, "--reveal"),
        ("blacklist", "export", account),
        ("blacklist", "add", account, "60123456780"),
        ("blacklist", "remove", account, "60123456789"),
        ("risk", "set", account, "hours", "--mode", "off"),
    ):
        done = cli(*refused, *as_vera)
        assert (done.code, done.out) == (1, ""), refused
        assert "vera is viewer" in done.err
    assert len(listed(cli, account)) == 1
