"""Statistics by command line: shown, counted again, put right."""

import re
import shlex
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.message import Purpose, State
from gateway.store import tables_stats
from gateway.store.changes import Changes
from gateway.store.engine import open_store
from tests.support.cli import CommandLine
from tests.support.counters import ended, sent, submitted
from tests.support.rows import commit

NOW = time.time_ns() // 1_000_000
TODAY = datetime.fromtimestamp(NOW / 1000, UTC).date().isoformat()  # as long as no gateway has set a zone


@pytest.fixture
def busy(cli: CommandLine) -> CommandLine:
    """Make an account that has sent: three codes to MY of which two arrived and one was used, one to ID."""
    account = cli.account()["account_id"]
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    unit, messages = sent(3, at=NOW, account_id=account)
    commit(store, unit, submitted(messages))
    commit(store, ended(messages[:2], State.DELIVERED))
    commit(store, Changes(conversions=[(one.id, n, None, NOW) for n, one in enumerate(messages[:2])]))
    for number, changes in enumerate(({"country": "ID"}, {"purpose": Purpose.PROMOTION}), 1):
        commit(store, sent(1, at=NOW, number=number, account_id=account, **changes)[0])
    store.close()
    return cli


def spoil(cli: CommandLine) -> None:
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    wrong = tables_stats.statistics.update().where(tables_stats.statistics.c.country == "ID")
    store.transaction(lambda connection: connection.execute(wrong.values(messages=7)))
    store.close()


def test_today_is_shown_while_it_counts(busy: CommandLine) -> None:
    [row] = busy("stats", "show", "--json").json
    assert row == {
        "day": TODAY, "sent": 5, "segments": 5, "success": 2, "failed": 0, "unknown": 0, "submit_failed": 0,
        "under_way": 3, "success_rate": 40.0,
    }  # fmt: skip


def test_a_line_for_whatever_is_asked(busy: CommandLine) -> None:
    rows = busy("stats", "show", "--by", "country,purpose", "--json").json
    assert [(row["country"], row["purpose"], row["sent"]) for row in rows] == [
        ("ID", 1, 1),
        ("MY", 1, 3),
        ("MY", 3, 1),
    ]
    assert [row["sent"] for row in busy("stats", "show", "--country", "id,sg", "--json").json] == [1]
    assert [row["sent"] for row in busy("stats", "show", "--purpose", "promotion", "--json").json] == [1]
    other = busy.account("Other")["account_id"]
    assert busy("stats", "show", "--account", other, "--json").json == []
    assert busy("stats", "show", "--template", "UTA9", "--json").json == []
    yesterday = (datetime.fromisoformat(TODAY) - timedelta(days=1)).date().isoformat()
    assert busy("stats", "show", "--to", yesterday, "--json").json == []
    assert len(busy("stats", "show", "--from", TODAY, "--to", TODAY, "--json").json) == 1
    assert "success rate" in busy("stats", "show").out


def test_where_codes_are_sent_and_never_used_is_seen(busy: CommandLine) -> None:
    india, malaysia = busy("stats", "conversion", "--json").json
    assert india == {
        "country": "ID", "sent": 1, "success": 0, "told": 0, "used": 0, "unused": 0, "conversion": None,
    }  # fmt: skip
    assert (malaysia["sent"], malaysia["told"], malaysia["used"], malaysia["unused"]) == (3, 2, 1, 1)
    assert malaysia["conversion"] == 33.33


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "--from", "yesterday"), "is no day"),
        (("show", "--from", "2026-02-02", "--to", "2026-02-01"), "is after"),
        (("show", "--by", "phone"), "--by takes"),
        (("show", "--by", "day,day"), "--by takes"),
        (("conversion", "--purpose", "fun"), "is no purpose"),
        (("recount", "--day", "2026-02-30"), "is no day"),
    ],
)
def test_what_cannot_be_asked_says_why(cli: CommandLine, arguments: tuple[str, ...], told: str) -> None:
    done = cli("stats", *arguments, "--json")
    assert (done.code, done.out) == (1, "")
    assert told in done.err


def test_a_check_of_right_counters_finds_nothing(busy: CommandLine) -> None:
    done = busy("stats", "recount", "--check", "--json")
    assert done.code == 0
    assert done.json == {"messages": 5, "since": None, "wrong": 0, "corrected": 0, "differences": []}


def test_a_check_tells_what_is_wrong_and_changes_nothing(busy: CommandLine) -> None:
    spoil(busy)
    for _ in range(2):
        done = busy("stats", "recount", "--check", "--day", TODAY, "--json")
        assert done.code == 1
        assert (done.json["wrong"], done.json["corrected"]) == (1, 0)
        [difference] = done.json["differences"]
        assert (difference["country"], difference["difference"]) == ("ID", "messages -6")
    assert "to be added" in busy("stats", "recount", "--check").out


def test_a_recount_puts_right_what_is_wrong_and_says_so_in_the_audit(busy: CommandLine) -> None:
    spoil(busy)
    done = busy("stats", "recount", "--json")
    assert (done.code, done.json["corrected"]) == (0, 1)
    assert busy("stats", "recount", "--check", "--json").code == 0
    assert [row["sent"] for row in busy("stats", "show", "--json").json] == [5]
    store = open_store(f"sqlite:///{busy.directory}/gateway.db")
    [entry] = store.read_now(
        lambda c: c.exec_driver_sql(
            "SELECT actor, after FROM audit WHERE action = 'statistics.correct'"
        ).all()
    )
    store.close()
    assert entry.actor.startswith("cli:")
    assert '"counters":1' in entry.after


def test_reports_to_pull_are_switched_on_and_off(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    assert cli("account", "show", account, "--json").json["pull_reports"] is False
    for switch, on in (("on", True), ("off", False)):
        assert cli("account", "pull-reports", account, switch, "--json").json["pull_reports"] is on
        assert cli("account", "show", account, "--json").json["pull_reports"] is on
    done = cli("account", "pull-reports", account, "maybe")
    assert (done.code, "neither on nor off" in done.err) == (1, True)
    assert "there is no account" in cli("account", "pull-reports", "acc-nobody", "on").err


def test_the_operators_page_shows_commands_that_work(busy: CommandLine) -> None:
    page = Path(__file__).parents[3] / "docs" / "operations.md"
    account = busy("account", "list", "--json").json[0]["account_id"]
    block = re.search(r"```sh\n(scloud-sms stats show.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert block is not None
    commands = [shlex.split(line, comments=True) for line in block[1].splitlines()]
    assert len(commands) == 7
    for program, *words in commands:
        assert program == "scloud-sms"
        done = busy(*({"ACCOUNT": account, "DAY": TODAY}.get(word, word) for word in words), "--json")
        assert done.code == 0, done.err
