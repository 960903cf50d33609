"""Receipts for customers, and one call that tells a message's whole life."""

from functools import partial

import pytest

from gateway.domain.message import Message, Reason, State, Submission
from gateway.errors import NotFound
from gateway.ids import id_at, session_no
from gateway.store import reads
from gateway.store.changes import Changes
from gateway.store.engine import Store
from tests.support.messages import NOON_MS, message, submission
from tests.support.rows import (
    ACCOUNT,
    commit,
    ledger_row,
    open_account,
    outbox_row,
    segment,
    submission_row,
)


def sent_to(
    states: list[State], *, counter: int = 0, account_id: str = ACCOUNT
) -> tuple[Submission, list[Message]]:
    """Return a submission with a message in each of these states."""
    first = id_at(NOON_MS) + counter
    mine = submission(id=first, session_no=session_no(first), account_id=account_id)
    return mine, [
        message(submission=mine, id=first + 1 + n, state=state, final_at=NOON_MS + 5 if state.final else None)
        for n, state in enumerate(states)
    ]


def store_all(store: Store, mine: Submission, messages: list[Message]) -> None:
    commit(
        store,
        Changes(
            submissions=[submission_row(mine, messages=len(messages))],
            messages=[one.row() for one in messages],
        ),
    )


def test_receipts_are_the_final_messages_of_each_session(store: Store) -> None:
    one, messages = sent_to([State.DELIVERED, State.SUBMITTED, State.UNKNOWN])
    two, open_ = sent_to([State.QUEUED], counter=100)
    store_all(store, one, messages)
    store_all(store, two, open_)
    sessions = [two.session_no, one.session_no]
    found = store.read_now(partial(reads.final_messages, account_id=ACCOUNT, sessions=sessions))
    assert found == {one.session_no: [messages[0], messages[2]], two.session_no: []}


def test_a_session_is_its_whole_number_and_its_owners(store: Store) -> None:
    mine, messages = sent_to([State.DELIVERED])
    store_all(store, mine, messages)
    guessed = session_no(mine.id)  # the same id under other random bits
    sessions = [guessed, "nonsense", "00000000-0000-0000-0000-000000000000"]
    assert store.read_now(partial(reads.final_messages, account_id=ACCOUNT, sessions=sessions)) == {}
    others = partial(reads.final_messages, account_id="acc-two", sessions=[mine.session_no])
    assert store.read_now(others) == {}


def test_a_message_tells_its_life_in_order(store: Store) -> None:
    open_account(store)
    mine, [one] = sent_to([State.DELIVERED])
    one.reason, one.channel, one.charged, one.receipt_code = Reason.RECEIPT, "alpha", 50_000, "DELIVRD"
    one.sent_at, one.submitted_at = NOON_MS + 2, NOON_MS + 3
    store_all(store, mine, [one])
    held = (one.id, NOON_MS + 1, int(State.HELD), int(Reason.RETRY_BACKOFF), "ESME_RTHROTTLED")
    report = outbox_row(one.id)
    late = (one.id + 9, ACCOUNT, one.id, "{}", NOON_MS + 7, NOON_MS + 7, 0, None, None)
    commit(
        store,
        Changes(
            segments=[segment(one.id, "a1", at=NOON_MS + 3)],
            receipts=[(one.id, 1, "a1", "delivered", "DELIVRD", "000", NOON_MS + 5)],
            events=[held],
            ledger=[ledger_row("capture", 0, -50_000, message_id=one.id)],
            outbox=[report, late],
            outbox_moves=[(one.id, NOON_MS + 6, 1, NOON_MS + 6, "delivered")],
        ),
    )
    [life] = store.read_now(partial(reads.message_life, wanted=str(one.id)))
    assert [(step["state"], step["at"] - NOON_MS) for step in life["timeline"]] == [
        ("accepted", 0),
        ("held", 1),
        ("sending", 2),
        ("submitted", 3),
        ("receipt", 5),
        ("delivered", 5),
    ]
    assert life["timeline"][1]["reason"] == "retry_backoff"
    assert (life["state"], life["reason"], life["final"], life["charged"]) == (
        "delivered",
        "receipt",
        True,
        50_000,
    )
    assert [row["kind"] for row in life["ledger"]] == ["capture"]
    assert [row["outcome"] for row in life["callbacks"]] == ["delivered", None]
    assert life["parts"][0]["carrier_id"] == "A1"


def test_a_session_tells_the_life_of_each_message(store: Store) -> None:
    mine, messages = sent_to([State.DELIVERED, State.QUEUED])
    store_all(store, mine, messages)
    lives = store.read_now(partial(reads.message_life, wanted=mine.session_no))
    assert [(life["id"], life["final"]) for life in lives] == [
        (messages[0].id, True),
        (messages[1].id, False),
    ]


@pytest.mark.parametrize("wanted", ["1", "9" * 30, "", "018f0000-0000-7000-8000-000000000000", "abc", "٣"])
def test_nothing_is_found_under_what_does_not_exist(store: Store, wanted: str) -> None:
    with pytest.raises(NotFound):
        store.read_now(partial(reads.message_life, wanted=wanted))
