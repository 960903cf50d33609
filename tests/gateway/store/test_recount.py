"""A recount finds what is wrong, puts it right beside a writer at work, and knows what it cannot know."""

from datetime import date

import pytest
from sqlalchemy import text, update

from gateway.domain.message import State
from gateway.errors import Conflict, Invalid
from gateway.store import recount, retention, tables_stats
from gateway.store.engine import Store
from gateway.store.recount import begin, correct, purged
from tests.support.counters import counted, ended, exact, sent, submitted, sums
from tests.support.messages import NOON_MS
from tests.support.rows import commit

DAY_MS = 86_400_000
YESTERDAY, TODAY = date(2026, 9, 20), date(2026, 9, 21)


def send(store: Store, count: int, days: int = 0, number: int = 0) -> None:
    unit, messages = sent(count, at=NOON_MS + days * DAY_MS, number=number)
    commit(store, unit, submitted(messages))
    commit(store, ended(messages[:1], State.DELIVERED))


def spoil(store: Store) -> None:
    """Make the counters lie: one counts too much, of another day there are none, and one counts nothing."""
    wrong = update(tables_stats.statistics).where(tables_stats.statistics.c.day == TODAY.isoformat())
    store.transaction(lambda connection: connection.execute(wrong.values(messages=999, success=0)))
    gone = tables_stats.statistics.delete().where(tables_stats.statistics.c.day == YESTERDAY.isoformat())
    store.transaction(lambda connection: connection.execute(gone))
    invented = ("acc-x", TODAY.isoformat(), "org-x", "MY", 1, "UTA9", *range(1, 13))
    store.transaction(lambda c: c.execute(tables_stats.statistics.insert().values(invented)))


def test_counters_nobody_spoiled_are_right(store: Store) -> None:
    send(store, 3, days=-1)
    send(store, 2)
    found = store.read_now(recount.recount)
    assert (found.messages, found.differences, found.since) == (5, {}, None)


def test_what_is_wrong_is_found_and_put_right(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recount, "CHUNK", 2)
    for number in range(4):
        send(store, 3, days=-1, number=number)
        send(store, 2, number=number)
    right = counted(store)
    spoil(store)
    seen: list[int] = []
    found = store.read_now(lambda connection: recount.recount(connection, progress=seen.append))
    assert found.messages == 20
    assert len(found.differences) == 3
    assert seen[-1] == 20
    assert len(seen) == 10
    store.transaction(lambda connection: correct(connection, found))
    assert counted(store) == right
    assert exact(store)


def test_one_day_is_put_right_and_the_others_are_left_alone(store: Store) -> None:
    send(store, 3, days=-1)
    send(store, 2)
    send(store, 4, days=1)
    spoil(store)
    found = store.read_now(lambda connection: recount.recount(connection, YESTERDAY))
    assert found.messages == 3
    store.transaction(lambda connection: correct(connection, found))
    assert [row["messages"] for row in counted(store) if row["day"] == YESTERDAY.isoformat()] == [3]
    assert 999 in [row["messages"] for row in counted(store)]


def test_what_is_written_between_count_and_correction_stays_counted(store: Store) -> None:
    send(store, 3)
    spoil(store)
    found = store.read_now(recount.recount)
    send(store, 5, number=1)
    store.transaction(lambda connection: correct(connection, found))
    assert sums(store)["messages"] == 8
    assert exact(store)


def test_two_corrections_of_the_same_fault_are_made_once(store: Store) -> None:
    send(store, 3)
    spoil(store)
    first, second = store.read_now(recount.recount), store.read_now(recount.recount)
    store.transaction(lambda connection: correct(connection, first))
    with pytest.raises(Conflict, match="count again"):
        store.transaction(lambda connection: correct(connection, second))
    third = store.read_now(recount.recount)
    assert not third.differences
    store.transaction(lambda connection: correct(connection, third))
    assert exact(store)


def test_purging_messages_changes_no_counter_and_their_days_are_recounted_no_more(store: Store) -> None:
    send(store, 3, days=-2)
    send(store, 2, days=-1)
    send(store, 1)
    with_outcome = ended([], State.DELIVERED)
    commit(store, with_outcome)
    before = counted(store)
    store.transaction(lambda c: c.execute(text("UPDATE messages SET state = 20 WHERE state = 10")))
    below = recount.id_at(NOON_MS - DAY_MS // 2)
    assert store.transaction(lambda connection: retention.purge_messages(connection, below)) == 5
    assert counted(store) == before
    found = store.read_now(recount.recount)
    assert (found.since, found.messages) == (TODAY.isoformat(), 1)
    for day in (YESTERDAY, date(2026, 9, 19)):
        with pytest.raises(Invalid, match="deleted already"):
            store.read_now(lambda connection, day=day: recount.recount(connection, day))
    store.transaction(lambda connection: correct(connection, found))
    assert [row["day"] for row in counted(store)] == [row["day"] for row in before]


def test_the_youngest_of_what_was_purged_is_remembered(store: Store) -> None:
    for newest in (NOON_MS, NOON_MS - DAY_MS):
        store.transaction(lambda c, newest=newest: purged(c, [newest - 5, newest]))
    assert store.read_now(recount.recount).since == "2026-09-22"


def test_ids_that_run_ahead_of_a_clock_that_stepped_back_are_counted_on_their_day(store: Store) -> None:
    unit, messages = sent(2, at=NOON_MS + 40 * DAY_MS)
    owner = messages[0].submission
    owner.created_at = NOON_MS
    unit.submissions = [(*unit.submissions[0][:-1], NOON_MS)]
    commit(store, unit)
    assert [row["day"] for row in counted(store)] == [TODAY.isoformat()]
    found = store.read_now(lambda connection: recount.recount(connection, TODAY))
    assert (found.messages, found.differences) == (2, {})


def test_what_a_release_without_counters_left_is_counted_at_the_first_start(store: Store) -> None:
    send(store, 3)
    right = counted(store)
    store.transaction(lambda connection: connection.execute(tables_stats.statistics.delete()))
    store.transaction(lambda connection: begin(connection, "Asia/Shanghai", NOON_MS))
    assert counted(store) == right
    store.transaction(lambda connection: connection.execute(tables_stats.statistics.delete()))
    store.transaction(lambda connection: begin(connection, "Asia/Shanghai", NOON_MS))
    assert counted(store) == []  # the second start trusts them: `stats recount` is there for the rest
    store.transaction(lambda connection: correct(connection, recount.recount(connection)))
