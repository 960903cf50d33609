"""`/messages`: a whole life, masked for most, and every look remembered."""

import json

import pytest

from gateway.domain.operator import Role
from gateway.store import tables_operators
from tests.support.admin import Installation
from tests.support.messages import message, submission
from tests.support.rows import accepted, all_rows, commit, open_account

NUMBER, TEXT = "60123456781", "Your code is 246810"


@pytest.fixture
def session_no(here: Installation) -> str:
    open_account(here.store)
    one = message(1, phone=NUMBER, phone_given=f"(60){NUMBER[2:]}", submission=submission(text=TEXT))
    commit(here.store, accepted(one))
    return str(one.id)


async def test_who_may_see_numbers_sees_them_and_the_text_when_asked(
    here: Installation, session_no: str
) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)
    (plain,) = (await alice.get(f"/messages/{session_no}")).json["messages"]
    assert (plain["phone"], plain["text"]) == (NUMBER, None)
    assert plain["timeline"][0]["state"] == "accepted"
    (whole,) = (await alice.get(f"/messages/{session_no}?text=true")).json["messages"]
    assert whole["text"] == TEXT


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER, Role.FINANCE])
async def test_for_the_others_numbers_are_masked_and_texts_closed(
    here: Installation, session_no: str, role: Role
) -> None:
    bob = await here.logged_in("bob", role)
    answer = await bob.get(f"/messages/{session_no}")
    assert answer.json["messages"][0]["phone"] == "601******81"
    assert NUMBER[2:] not in str(answer.json)
    assert "246810" not in str(answer.json)
    assert (await bob.get(f"/messages/{session_no}?text=true")).status == 403


async def test_every_look_is_in_the_audit(here: Installation, session_no: str) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)
    await alice.get(f"/messages/{session_no}?text=true")
    row = all_rows(here.store, tables_operators.audit)[-1]
    assert (row["actor"], row["action"], row["subject_id"]) == ("alice", "message.show", session_no)
    assert json.loads(row["after"]) == {"messages": 1, "numbers": True, "text": True}


async def test_a_message_that_is_not_there_is_not_found(here: Installation) -> None:
    alice = await here.logged_in("alice")
    for wanted in ("5", "no-such", "9" * 30):
        assert (await alice.get(f"/messages/{wanted}")).status == 404
