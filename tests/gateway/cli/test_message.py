"""A message's life by command line."""

import re
import shlex
from pathlib import Path

import pytest

from gateway.domain.message import Message, Purpose, Reason, State, Submission
from gateway.ids import session_no
from gateway.store.changes import Changes
from gateway.store.engine import open_store
from tests.support.cli import CommandLine
from tests.support.rows import commit

NOW = 1_790_000_000_000
ID = 1 << 60
SESSION = session_no(ID)


@pytest.fixture
def cli(cli: CommandLine) -> CommandLine:
    """A command line over a store with one submission: a message delivered, another still waiting."""
    account = cli.account()["account_id"]
    submission = Submission(
        ID, SESSION, account, "org-1", Purpose.VERIFICATION, "UTA1", None, "Your code is 1", NOW
    )
    delivered, waiting, refused = (
        Message(
            id=ID + number,
            submission=submission,
            purpose=Purpose.VERIFICATION,
            phone=phone,
            phone_given=phone,
            user_id=None,
            template_id=None,
            text=None,
            country="MY",
            segments=1,
            price=45_000,
            accepted_at=NOW,
            expires_at=NOW + 1000,
            state=state,
            reason=reason,
            lane="sim",
            channel="sim",
        )
        for number, phone, state, reason in (
            (1, "60123456781", State.DELIVERED, Reason.RECEIPT),
            (2, "60123456782", State.QUEUED, Reason.WINDOW_FULL),
            (3, "60123456783", State.FAILED, Reason.REFUSED_BY_CARRIER),
        )
    )
    refused.status, refused.final_at = 0x0B, NOW + 700
    delivered.charged = 45_000
    delivered.final_at = NOW + 500
    unit = Changes(
        submissions=[
            (ID, SESSION, account, "org-1", 1, "UTA1", None, "Your code is 1", 3, 90_000, "key", "{}", NOW)
        ],
        messages=[delivered.row(), waiting.row(), refused.row()],
        ledger=[(account, "reserve", -90_000, 90_000, ID, None, NOW, "")],
    )
    store = open_store(f"sqlite:///{cli.directory}/gateway.db")
    commit(store, unit)
    store.close()
    return cli


def test_a_session_shows_all_its_messages_with_their_reasons(cli: CommandLine) -> None:
    first, second, _ = cli("message", "show", SESSION, "--json").json["messages"]
    assert (first["state"], first["reason"]) == ("delivered", "receipt")
    assert (second["state"], second["reason"]) == ("queued", "window_full")
    assert first["charged"] == "0.045"
    assert first["final_at"] == "2026-09-21T14:13:20.500+00:00"


def test_the_carriers_status_says_why_it_refused(cli: CommandLine) -> None:
    (found,) = cli("message", "show", str(ID + 3), "--json").json["messages"]
    assert (found["command_status"], found["command_status_name"]) == (11, "ESME_RINVDSTADR")
    assert found["timeline"][-1]["detail"] == "ESME_RINVDSTADR"
    assert "ESME_RINVDSTADR" in cli("message", "show", str(ID + 3)).out
    (taken,) = cli("message", "show", str(ID + 1), "--json").json["messages"]
    assert (taken["command_status"], taken["command_status_name"]) == (0, None)


def test_an_id_shows_one_message(cli: CommandLine) -> None:
    (found,) = cli("message", "show", str(ID + 2), "--json").json["messages"]
    assert found["phone"] == "60123456782"


def test_the_text_is_shown_only_when_asked_for(cli: CommandLine) -> None:
    assert "Your code" not in cli("message", "show", SESSION, "--json").out
    assert "Your code" not in cli("message", "show", SESSION).out
    assert "Your code is 1" in cli("message", "show", SESSION, "--text").out


def test_people_get_its_story(cli: CommandLine) -> None:
    told = cli("message", "show", SESSION).out
    for word in (SESSION, "delivered", "window_full", "timeline", "60123456781"):
        assert word in told


@pytest.mark.parametrize(
    "wanted",
    ["5", "no-such", session_no(ID + 9), SESSION[:-1] + "x"],
    ids=["number", "word", "other session", "garbled session"],
)
def test_what_does_not_exist_is_an_error(cli: CommandLine, wanted: str) -> None:
    done = cli("message", "show", wanted, "--json")
    assert (done.code, done.out) == (1, "")
    assert f"there is no message or session {wanted}" in done.err


def ids(cli: CommandLine, *options: str) -> list[int]:
    done = cli("message", "list", *options, "--json")
    assert done.code == 0, done.err
    return [row["id"] - ID for row in done.json]


def test_messages_are_found_by_number_however_it_is_written(cli: CommandLine) -> None:
    for phone in ("+60123456781", "0060 12-345 6781", "(60)123456781", "60123456781", "+60 12 345 6781"):
        assert ids(cli, "--phone", phone) == [1], phone
    assert ids(cli, "--phone", "+60123456789") == []
    refused = cli("message", "list", "--phone", "Alice", "--json")
    assert (refused.code, refused.out, "no telephone number" in refused.err) == (1, "", True)


def test_messages_are_found_by_account_state_and_time_newest_first(cli: CommandLine) -> None:
    account = cli("account", "list", "--json").json[0]["account_id"]
    assert ids(cli) == [3, 2, 1]
    assert ids(cli, "--account", account, "--limit", "2") == [3, 2]
    assert ids(cli, "--account", account, "--before", str(ID + 2)) == [1]
    assert ids(cli, "--account", "acc-nobody") == []
    assert ids(cli, "--account", account, "--user-id", "order-1") == []
    assert ids(cli, "--state", "failed,queued") == [3, 2]
    assert ids(cli, "--since", "2026-09-21T14:13:20Z") == [3, 2, 1]
    assert ids(cli, "--since", "2026-09-21T14:13:21Z") == []
    assert ids(cli, "--until", "2026-09-21") == []
    for option, value in (("--state", "lost"), ("--since", "yesterday"), ("--limit", "0")):
        assert cli("message", "list", option, value).code != 0


def test_a_list_is_masked_for_who_may_not_see_numbers_and_every_look_is_in_the_audit(
    cli: CommandLine,
) -> None:
    for name, role in (("vera", "viewer"), ("olga", "operator")):
        cli("operator", "create", name, "--role", role)
    (clear,) = cli("message", "list", "--phone", "+60123456781", "--text", "--as", "olga", "--json").json
    assert (clear["phone"], clear["text"]) == ("60123456781", "Your code is 1")
    hidden = cli("message", "list", "--phone", "+60123456781", "--as", "vera", "--json")
    assert hidden.json[0]["phone"] == "601******81"
    assert "123456781" not in hidden.out
    assert "text" not in hidden.json[0]
    assert cli("message", "list", "--text", "--as", "vera").code == 1
    newest = cli("audit", "list", "--action", "message.list", "--json")
    assert [row["actor"] for row in newest.json] == ["vera", "olga"]
    assert newest.json[0]["after"] == {
        "phone": ["601******81"], "messages": 1, "numbers": False, "text": False,
    }  # fmt: skip
    assert "60123456781" not in newest.out


def test_people_get_a_table_of_them(cli: CommandLine) -> None:
    told = cli("message", "list").out
    for word in ("accepted at", "60123456783", "refused_by_carrier"):
        assert word in told
    assert "Your code" not in told


def test_the_operators_page_shows_searches_that_work(cli: CommandLine) -> None:
    page = Path(__file__).parents[3] / "docs" / "operations.md"
    account = cli("account", "list", "--json").json[0]["account_id"]
    names = {"ACCOUNT": account, "ID": str(ID + 2), "SESSION": SESSION}
    block = re.search(r"```sh\n(scloud-sms message list.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert block is not None
    commands = [shlex.split(line, comments=True) for line in block[1].splitlines()]
    assert len(commands) == 7
    for program, *words in commands:
        assert program == "scloud-sms"
        done = cli(*(names.get(word, word) for word in words), "--json")
        assert done.code == 0, done.err
