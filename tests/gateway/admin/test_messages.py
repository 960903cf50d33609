"""`/messages`: a whole life, masked for most, and every look remembered."""

import json

import pytest

from gateway.domain.message import State
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


@pytest.fixture
def three(here: Installation) -> list[int]:
    """Three messages of as many submissions, one to each of two handsets and another to the first."""
    open_account(here.store)
    made = [
        message(
            phone=phone,
            phone_given=phone,
            id=number * 10 + 1,
            submission=submission(id=number * 10, user_id=f"order-{number}", text=TEXT),
            state=state,
        )
        for number, phone, state in (
            (1, NUMBER, State.DELIVERED),
            (2, "60123456782", State.FAILED),
            (3, NUMBER, State.FAILED),
        )
    ]
    commit(here.store, accepted(*made))
    return [one.id for one in made]


async def test_messages_are_found_page_by_page(here: Installation, three: list[int]) -> None:
    alice = await here.logged_in("alice", Role.OPERATOR)

    async def found(query: str) -> list[int]:
        answer = await alice.get(f"/messages?{query}")
        assert answer.status == 200, answer.json
        return [one["id"] for one in answer.json["items"]]

    first, second, third = three
    assert await found("phone=%2B60%2012-345%206781") == [third, first]
    assert await found("account_id=acc-one&state=failed") == [third, second]
    assert await found("account_id=acc-one&user_id=order-2") == [second]
    assert await found("account_id=acc-nobody") == []
    assert await found("until=2026-09-21T14:13:20Z") == []
    page = (await alice.get("/messages?account_id=acc-one&limit=2")).json
    assert [one["id"] for one in page["items"]] == [third, second]
    rest = (await alice.get(f"/messages?account_id=acc-one&limit=2&cursor={page['next']}")).json
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([first], None)


async def test_a_list_shows_no_more_than_a_life_does(here: Installation, three: list[int]) -> None:
    bob = await here.logged_in("bob", Role.VIEWER)
    answer = await bob.get("/messages?phone=%2B60123456782")
    (one,) = answer.json["items"]
    assert (one["id"], one["phone"], one["text"]) == (three[1], "601******82", None)
    assert "123456782" not in str(answer.json)
    assert (await bob.get("/messages?text=true")).status == 403
    row = all_rows(here.store, tables_operators.audit)[-1]
    assert (row["actor"], row["action"]) == ("bob", "message.list")
    assert json.loads(row["after"]) == {
        "phone": ["601******82"],
        "messages": 1,
        "numbers": False,
        "text": False,
    }
    alice = await here.logged_in("alice", Role.OPERATOR)
    whole = await alice.get("/messages?phone=%2B60123456782&text=true")
    assert whole.json["items"][0]["text"] == TEXT


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("phone=Alice", 422),
        ("state=lost", 422),
        ("since=yesterday", 400),
        ("limit=0", 400),
        ("cursor=x", 400),
        ("colour=red", 400),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(here: Installation, query: str, status: int) -> None:
    alice = await here.logged_in("alice")
    assert (await alice.get(f"/messages?{query}")).status == status
