"""The counters follow every commit: hand-counted stories first, then anything at all against a recount."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.domain.message import Message, Purpose, Reason, State
from gateway.errors import RowRefused
from gateway.store import tables_stats
from gateway.store.changes import Changes
from gateway.store.committer import Committer
from gateway.store.engine import Store
from gateway.store.statistics import use_zone
from gateway.store.tally import Tally
from tests.support.counters import counted, ended, exact, moved, sent, submitted, sums
from tests.support.messages import NOON_MS
from tests.support.rows import all_rows, commit, outcomes

DAY_MS = 86_400_000
TODAY = "2026-09-21"  # NOON_MS in UTC
ONE = {
    "account_id": "acc-one",
    "day": TODAY,
    "project_id": "org-one",
    "country": "MY",
    "purpose": 1,
    "template_id": "UTA000000000001",
}


def test_a_message_is_counted_when_it_is_accepted_and_when_it_ends(store: Store) -> None:
    unit, messages = sent(3, segments=2)
    commit(store, unit)
    assert counted(store) == [ONE | {"messages": 3, "segments": 6}]
    commit(store, submitted(messages))
    assert counted(store) == [ONE | {"messages": 3, "segments": 6}]
    commit(store, ended(messages[:2], State.DELIVERED))
    assert counted(store) == [ONE | {"messages": 3, "segments": 6, "success": 2, "success_segments": 4}]
    commit(store, ended(messages[2:], State.UNDELIVERED))
    assert sums(store) == {
        "messages": 3, "segments": 6, "success": 2, "success_segments": 4, "failed": 1, "failed_segments": 2,
    }  # fmt: skip


def test_what_is_told_apart_is_counted_apart(store: Store) -> None:
    for number, changes in enumerate(
        (
            {},
            {"country": "SG"},
            {"purpose": Purpose.PROMOTION},
            {"template_id": "UTB1"},
            {"account_id": "acc-two"},
            {"project_id": "org-two"},
            {"at": NOON_MS + DAY_MS},
        )
    ):
        unit, _ = sent(1, number=number, **changes)
        commit(store, unit)
    assert len(counted(store)) == 7
    assert {row["messages"] for row in counted(store)} == {1}


def test_a_recipient_refused_at_accept_failed_to_be_submitted(store: Store) -> None:
    unit, _ = sent(2, state=State.FAILED, reason=Reason.NO_ROUTE, final_at=NOON_MS)
    commit(store, unit)
    assert sums(store) == {"messages": 2, "segments": 2, "submit_failed": 2, "submit_failed_segments": 2}


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.FAILED, Reason.REFUSED_BY_CARRIER),
        (State.EXPIRED, Reason.VALIDITY_OVER),
        (State.CANCELLED, Reason.CANCELLED_BY_OPERATOR),
    ],
)
def test_what_ends_before_submission_failed_to_be_submitted(
    store: Store, state: State, reason: Reason
) -> None:
    unit, messages = sent(1, segments=3)
    commit(store, unit, moved(messages, state, reason))
    assert sums(store) == {"messages": 1, "segments": 3, "submit_failed": 1, "submit_failed_segments": 3}


def test_what_the_carrier_took_in_part_counts_the_part(store: Store) -> None:
    unit, messages = sent(1, segments=3)
    commit(store, unit)
    messages[0].submitted_at, messages[0].sent_segments = NOON_MS, 1
    commit(store, moved(messages, State.UNDELIVERED, Reason.PARTLY_SUBMITTED))
    assert sums(store) == {"messages": 1, "segments": 1, "failed": 1, "failed_segments": 1}


def test_a_late_receipt_moves_the_unknown_to_what_it_says(store: Store) -> None:
    unit, messages = sent(3)
    commit(store, unit, submitted(messages))
    commit(store, ended(messages, State.UNKNOWN, Reason.RECEIPT_DEADLINE))
    assert sums(store) == {"messages": 3, "segments": 3, "unknown": 3, "unknown_segments": 3}
    commit(store, ended(messages[:1], State.DELIVERED, Reason.LATE_RECEIPT))
    commit(store, ended(messages[1:2], State.REJECTED, Reason.LATE_RECEIPT))
    assert sums(store) == {
        "messages": 3, "segments": 3, "success": 1, "success_segments": 1, "failed": 1, "failed_segments": 1,
        "unknown": 1, "unknown_segments": 1,
    }  # fmt: skip


def test_the_first_outcome_stands_whoever_comes_later(store: Store) -> None:
    unit, messages = sent(1)
    commit(store, unit, submitted(messages))
    late = [ended(messages, state) for state in (State.DELIVERED, State.UNDELIVERED, State.UNKNOWN)]
    commit(store, *late)
    commit(store, *late)
    assert sums(store) == {"messages": 1, "segments": 1, "success": 1, "success_segments": 1}


def test_the_answer_and_the_receipt_may_ride_in_one_commit(store: Store) -> None:
    unit, messages = sent(2)
    commit(store, unit, submitted(messages), ended(messages, State.DELIVERED))
    assert sums(store) == {"messages": 2, "segments": 2, "success": 2, "success_segments": 2}


def test_the_same_move_twice_counts_once(store: Store) -> None:
    unit, messages = sent(1)
    commit(store, unit)
    for _ in range(2):
        commit(store, moved(messages, State.FAILED, Reason.REFUSED_BY_CARRIER))
    assert sums(store)["submit_failed"] == 1


def test_the_day_is_that_of_the_accept_in_the_zone_of_its_time(store: Store) -> None:
    store.transaction(lambda connection: use_zone(connection, "Asia/Shanghai", NOON_MS))
    midnight = 1_789_999_200_000 + 2 * 3_600_000  # 2026-09-21T16:00Z
    for number, at in enumerate((midnight - 1, midnight)):
        unit, messages = sent(1, at=at, number=number)
        commit(store, unit, submitted(messages))
        commit(store, ended(messages, State.DELIVERED))  # days later for all it knows
    assert [(row["day"], row["messages"], row["success"]) for row in counted(store)] == [
        ("2026-09-21", 1, 1),
        ("2026-09-22", 1, 1),
    ]


def test_a_refused_unit_is_not_counted_and_harms_no_other(store: Store) -> None:
    good, _ = sent(1)
    bad, _ = sent(5, number=1)
    bad.events = [(None, NOON_MS, 1, 1, "")]
    assert [type(outcome) for outcome in outcomes(store, bad, good)] == [RowRefused, type(None)]
    assert sums(store) == {"messages": 1, "segments": 1}


def test_what_a_failed_batch_has_counted_is_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    committer = Committer(store)
    unit, _ = sent(1)

    def break_down(*_: Any) -> None:
        raise ValueError("nothing to do with it")

    with monkeypatch.context() as broken:
        broken.setattr(Tally, "end", break_down)
        assert isinstance(committer.commit([unit])[0], RowRefused)
    other, _ = sent(1, number=1)
    assert committer.commit([other]) == [None]
    committer.close()
    assert sums(store) == {"messages": 1, "segments": 1}


def test_a_writer_that_knows_no_submission_looks_it_up(store: Store) -> None:
    unit, messages = sent(2)
    commit(store, unit)
    commit(store, submitted(messages))  # each by a writer of its own
    commit(store, ended(messages, State.DELIVERED))
    assert sums(store)["success"] == 2


def test_the_memory_of_submissions_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.tally.KNOWN", 3)
    committer = Committer(store)
    for number in range(9):
        unit, messages = sent(1, number=number)
        committer.commit([unit])
        committer.commit([submitted(messages), ended(messages, State.DELIVERED)])
    committer.close()
    assert sums(store) == {"messages": 9, "segments": 9, "success": 9, "success_segments": 9}


def told(messages: list[Message], used: int) -> Changes:
    return Changes(conversions=[(one.id, used, NOON_MS, NOON_MS) for one in messages])


def test_what_customers_tell_of_use_is_counted_and_the_last_word_counts(store: Store) -> None:
    unit, messages = sent(3)
    commit(store, unit, told(messages, 1))
    assert sums(store)["used"] == 3
    commit(store, told(messages[:1], 0), told(messages[1:2], 1))
    assert (sums(store)["used"], sums(store)["unused"]) == (2, 1)
    commit(store, told(messages[:1], 0), told(messages[:1], 1))
    assert sums(store) == {"messages": 3, "segments": 3, "used": 3}
    assert exact(store)


def test_use_of_a_message_that_is_gone_is_not_kept(store: Store) -> None:
    _, messages = sent(1)
    commit(store, told(messages, 1))
    assert all_rows(store, tables_stats.conversions) == []
    assert counted(store) == []


FINAL = [state for state in State if state.final]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Changes]]:
    """Draw batches of units: messages begin, and anything whatever happens to them in any order."""
    messages: list[Message] = []
    over: set[int] = set()  # an outcome came for these: no answer moves them on, `TRANSITIONS` forbids it
    batches: list[list[Changes]] = []
    for number in range(draw(st.integers(1, 5))):
        batch: list[Changes] = []
        unit, new = sent(
            draw(st.integers(1, 3)),
            number=number,
            at=NOON_MS + draw(st.integers(-2, 2)) * DAY_MS,
            segments=draw(st.integers(1, 3)),
            country=draw(st.sampled_from(["MY", "SG"])),
            state=draw(st.sampled_from([State.QUEUED, State.SENDING, State.FAILED])),
        )
        batch.append(unit)
        messages += new
        for _ in range(draw(st.integers(0, 6))):
            some = draw(st.lists(st.sampled_from(messages), min_size=1, max_size=4, unique_by=id))
            what = draw(st.sampled_from(["submitted", "ended", "moved", "partly", "told"]))
            if what == "submitted":
                batch.append(submitted([one for one in some if not (one.state.final or one.id in over)]))
            elif what == "ended":
                over |= {one.id for one in some}
                batch.append(ended(some, draw(st.sampled_from(FINAL))))
            elif what == "told":
                batch.append(told(some, draw(st.integers(0, 1))))
            else:
                if what == "partly":
                    for one in some:
                        one.submitted_at, one.sent_segments = NOON_MS, draw(st.integers(0, one.segments))
                batch.append(moved(some, draw(st.sampled_from(FINAL)), Reason.RECEIPT))
            if draw(st.booleans()):
                batches.append(batch)
                batch = []
        batches.append(batch)
    return batches


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=histories(), restarts=st.sets(st.integers(0, 10)))
def test_whatever_happens_the_counters_say_what_a_recount_does(
    store: Store, batches: list[list[Changes]], restarts: set[int]
) -> None:
    for table in ("messages", "submissions", "statistics", "conversions"):
        store.transaction(lambda connection, name=table: connection.execute(text(f"DELETE FROM {name}")))
    committer = Committer(store)
    for number, batch in enumerate(batches):
        assert committer.commit(batch) == [None] * len(batch)
        if number in restarts:
            committer.close()
            committer = Committer(store)
    committer.close()
    assert exact(store)


@pytest.fixture(autouse=True)
def _closed(store: Store) -> Iterator[None]:
    yield
    assert exact(store)
