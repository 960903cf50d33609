"""Reports that wait to be pulled: each is given out once, however many pull at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import text

from gateway.store import pulls, tables_stats
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.pulls import forget, take, take_again
from tests.support.messages import NOON_MS
from tests.support.rows import commit, row_count

HOUR_MS = 3_600_000
KEY = "0f" * 16


def put(store: Store, *names: str, account: str = "acc-one", at: int = NOON_MS) -> None:
    """Let reports wait."""
    commit(store, Changes(pulls=[(account, 1, name, at) for name in names]))


def pull(store: Store, limit: int = 100, account: str = "acc-one") -> list[str]:
    return store.transaction(lambda connection: take(connection, account, limit))


def test_reports_are_given_out_in_order_and_are_gone_then(store: Store) -> None:
    put(store, "a", "b", "c")
    put(store, "d")
    assert pull(store, 3) == ["a", "b", "c"]
    assert pull(store, 3) == ["d"]
    assert pull(store, 3) == []
    assert row_count(store, tables_stats.pull_reports) == 0


def test_an_account_pulls_its_own(store: Store) -> None:
    put(store, "mine")
    put(store, "theirs", account="acc-two")
    assert pull(store) == ["mine"]
    assert pull(store) == []
    assert pull(store, account="acc-two") == ["theirs"]


def test_many_who_pull_at_once_get_every_report_once(store: Store) -> None:
    names = [f"report {number}" for number in range(300)]
    put(store, *names)

    def drain() -> list[str]:
        found: list[str] = []
        while page := pull(store, 7):
            found += page
        return found

    with ThreadPoolExecutor(4) as threads:
        drained = [thread.result() for thread in [threads.submit(drain) for _ in range(4)]]
    together = [name for page in drained for name in page]
    assert sorted(together) == sorted(names)


def again(store: Store, key: str = KEY, now: int = NOON_MS, account: str = "acc-one") -> list[str]:
    return store.transaction(lambda c: take_again(c, account, 2, now, request_key=key, since_ms=now - 60_000))


def test_a_request_that_is_repeated_gets_the_same_again(store: Store) -> None:
    put(store, "a", "b", "c")
    assert again(store) == ["a", "b"]
    assert again(store, now=NOON_MS + 60_000) == ["a", "b"]
    assert pull(store) == ["c"]  # nobody else does
    assert again(store, key="1f" * 16) == []


def test_after_its_time_the_same_request_is_a_new_one(store: Store) -> None:
    put(store, "a", "b", "c")
    assert again(store) == ["a", "b"]
    assert again(store, now=NOON_MS + 60_001) == ["c"]


def test_a_repeated_request_is_its_accounts_own(store: Store) -> None:
    put(store, "a")
    assert again(store) == ["a"]
    assert again(store, account="acc-two") == []


def test_a_repeated_request_that_found_nothing_finds_what_came_since(store: Store) -> None:
    assert again(store) == []
    put(store, "a")
    assert again(store) == ["a"]


@pytest.mark.parametrize(("keep_hours", "left"), [(999, 2), (24, 1)])
def test_what_nobody_pulls_is_forgotten_after_three_days_or_when_numbers_are(
    store: Store, keep_hours: int, left: int
) -> None:
    for hours in (73, 72, 23):
        put(store, f"{hours}", at=NOON_MS - hours * HOUR_MS)
    assert swept(store, keep_hours * HOUR_MS) == 3 - left
    assert len(pull(store)) == left


def test_what_was_pulled_by_a_request_that_may_be_repeated_goes_after_an_hour(store: Store) -> None:
    put(store, "a")
    assert again(store) == ["a"]
    assert swept(store, now=NOON_MS + HOUR_MS) == 0
    assert swept(store, now=NOON_MS + HOUR_MS + 1) == 1
    assert row_count(store, tables_stats.pull_reports) == 0


def swept(store: Store, keep_ms: int = 999 * HOUR_MS, now: int = NOON_MS) -> int:
    total = 0
    while count := store.transaction(lambda c: forget(c, now, keep_ms, 1)):
        total += count
    return total


PLANS: dict[str, Callable[..., object]] = {
    "take": partial(take, account_id="acc-one", limit=100),
    "forget": partial(forget, now_ms=NOON_MS, keep_ms=HOUR_MS, limit=100),
    "take_again": partial(
        take_again, account_id="acc-one", limit=100, now_ms=NOON_MS, request_key=KEY, since_ms=0
    ),
}


@pytest.mark.parametrize("what", PLANS)
def test_a_pull_looks_at_an_index_however_many_wait(
    store: Store, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.dialect != "sqlite":
        pytest.skip("SQLite tells its plan without statistics")
    put(store, *(str(number) for number in range(2_000)))
    plans: list[str] = []

    def work(connection):
        raw = connection.connection.driver_connection
        asked: list[str] = []
        raw.set_trace_callback(asked.append)
        PLANS[what](connection)
        raw.set_trace_callback(None)
        for statement in asked:
            if statement.startswith(("SELECT", "DELETE", "UPDATE")):
                rows = connection.execute(text(f"EXPLAIN QUERY PLAN {statement}".replace(":", r"\:")))
                plans.extend(row[-1] for row in rows)

    store.transaction(work)
    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN pull_reports")], plans
    assert pulls.KEPT_MS == 72 * HOUR_MS
