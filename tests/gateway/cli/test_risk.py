"""Rules and their report by command line, and the commands of the page about them."""

import re
import shlex
from pathlib import Path

import pytest

from config.schema import RiskRule, RiskSettings
from gateway.store.changes import Changes
from gateway.store.engine import open_store
from tests.support.cli import CommandLine
from tests.support.processes import ROOT
from tests.support.rows import commit

PAGE = (ROOT / "docs" / "risk-control.md").read_text(encoding="utf-8")


@pytest.fixture
def account(cli: CommandLine) -> str:
    return cli.account()["account_id"]


def rule(cli: CommandLine, account: str, name: str) -> tuple[str, str | None, bool]:
    rows = {row["rule"]: row for row in cli("risk", "show", account, "--json").json}
    return rows[name]["mode"], rows[name]["value"], rows[name]["own"]


def test_every_rule_is_shown_as_it_runs(cli: CommandLine, account: str) -> None:
    rows = cli("risk", "show", "--json").json
    assert [row["rule"] for row in rows] == [one.value for one in RiskRule]
    assert {row["mode"] for row in rows} == {"on"}
    assert rule(cli, account, "hours") == ("on", "08:00-20:00 hold", False)


def test_a_rule_is_changed_for_one_account_and_put_back(cli: CommandLine, account: str) -> None:
    done = cli("risk", "set", account, "verification_rate", "--value", "5/1h", "--json").json
    assert done == {"account_id": account, "rule": "verification_rate", "mode": "on", "value": "5/1h"}
    cli("risk", "set", account, "verification_rate", "--mode", "monitor")
    assert rule(cli, account, "verification_rate") == ("monitor", "5/1h", True)
    other = cli.account("Other")["account_id"]
    assert rule(cli, other, "verification_rate") == ("on", "3/1h", False)
    cli("risk", "set", account, "verification_rate", "--default")
    assert rule(cli, account, "verification_rate") == ("on", "3/1h", False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ACCOUNT", "hours"), "name --mode, --value or both"),
        (("ACCOUNT", "hours", "--default", "--mode", "off"), "or --default alone"),
        (("ACCOUNT", "hours", "--value", "20:00-08:00"), "must begin before it ends"),
        (("ACCOUNT", "blacklist", "--value", "1"), "blacklist has no setting but its mode"),
        (("acc-nobody", "hours", "--mode", "off"), "there is no account acc-nobody"),
    ],
)
def test_what_cannot_be_is_refused(
    cli: CommandLine, account: str, arguments: tuple[str, ...], told: str
) -> None:
    done = cli("risk", "set", *(account if one == "ACCOUNT" else one for one in arguments))
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert not any(row["own"] for row in cli("risk", "show", account, "--json").json)


def test_the_report_tells_what_the_rules_did(cli: CommandLine, account: str) -> None:
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    count = ("2026-09-21", account, "hours", "monitor")
    commit(
        store,
        Changes(risk_counts=[(*count, 7)], risk_samples=[(*count, 1_790_000_000_000, "6012****78", "hours")]),
    )
    store.close()
    row = {"day": "2026-09-21", "account_id": account, "rule": "hours", "mode": "monitor", "count": 7}
    assert cli("risk", "report", "--json").json == [row]
    assert cli(
        "risk", "report", "--account", account, "--rule", "hours", "--from", "2026-09-21", "--json"
    ).json == [row]
    for nothing in (
        ("--to", "2026-09-20"),
        ("--rule", "content"),
        ("--account", cli.account("Other")["account_id"]),
    ):
        assert cli("risk", "report", *nothing, "--json").json == []
    (sample,) = cli("risk", "report", "--samples", "5", "--json").json
    assert (sample["phone"], sample["at"]) == ("6012****78", "2026-09-21T14:13:20+00:00")
    for wrong in ("2026-9-1", "2026-13-01", "2026-02-30", "yesterday"):
        for option in ("--from", "--to"):
            assert f"'{wrong}' is no day" in cli("risk", "report", option, wrong).err
    assert "is after" in cli("risk", "report", "--from", "2026-09-02", "--to", "2026-09-01").err


def test_every_command_of_the_page_works(cli: CommandLine, account: str) -> None:
    project = cli("account", "show", account, "--json").json["project_id"]
    Path("numbers.csv").write_text("phone,purpose,remark\n+60123456780,promotion,asked\n")
    cli("optout", "add", account, "60123456789", "--purpose", "promotion", "--project", project)
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
    ]
    assert len(commands) == 18
    for line in commands:
        words = shlex.split(line.replace("ACCOUNT", account).replace("PROJECT", project))
        assert words[0] == "scloud-sms"
        done = cli(*words[1:])
        assert done.code == 0, line + done.err
        if "remove" in words:
            assert re.search(r"removed +1", done.out), line


def test_the_page_names_every_rule_with_its_default() -> None:
    shown = dict(re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? *\|", PAGE, re.MULTILINE))
    settings = RiskSettings()
    assert shown == {one.value: str(getattr(settings, one.value, "")) for one in RiskRule}
