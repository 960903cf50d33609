"""A message's life by command line."""

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
