"""Retention: what is finished is forgotten in time, what is not is left alone."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from config.schema import StoreSettings
from gateway.domain.inbound import Forwarding, order_key
from gateway.domain.lists import Listing, ListKind
from gateway.domain.message import Message, State
from gateway.ids import id_at
from gateway.metrics import StoreMetrics
from gateway.store import retention, tables
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.inbound import Finished, finish
from gateway.store.numbers import list_numbers, unlist_numbers
from gateway.store.retention import Forgotten, Redaction, Retention
from gateway.store.tables_inbound import contacts, mo_messages
from gateway.store.tables_risk import listed_numbers, risk_counts
from tests.support.database import prepared_store
from tests.support.messages import NOON_MS, message, submission
from tests.support.rows import (
    ACCOUNT,
    all_rows,
    commit,
    ledger_row,
    mo_message,
    open_account,
    outbox_row,
    row_count,
    segment,
    submission_row,
)

DAY_MS = 86_400_000
RECALL_DAYS = 7
SETTINGS = StoreSettings(redact_after_days=30, purge_after_days=180)


class StoppedClock:
    """A clock somebody else turns."""

    def __init__(self) -> None:
        self.now = NOON_MS

    def now_ms(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return self.now / 1000


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def job(store: Store, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> Retention:
    monkeypatch.setattr(retention, "PAUSE", 0)
    return Retention(store, SETTINGS, clock, StoreMetrics(CollectorRegistry()), RECALL_DAYS)


def store_sent(store: Store, states: list[State], days_old: float, *, told: bool = True) -> list[Message]:
    """Store one submission of this age with a message in each of these states, and what is theirs."""
    at = NOON_MS - int(days_old * DAY_MS)
    first = id_at(at)
    mine = submission(id=first, created_at=at)
    sent = [message(submission=mine, id=first + 1 + n, state=state) for n, state in enumerate(states)]
    changes = Changes(
        submissions=[submission_row(mine, messages=len(sent))],
        messages=[one.row() for one in sent],
        segments=[segment(one.id, f"{one.id:x}") for one in sent],
        events=[(one.id, at, int(one.state), 0, "") for one in sent],
        ledger=[ledger_row("capture", 0, -50_000, message_id=one.id) for one in sent],
        outbox=[outbox_row(one.id) for one in sent if one.state.final],
        outbox_moves=[(one.id, at, 1, at, "delivered") for one in sent if told],
    )
    commit(store, changes)
    return sent


@pytest.fixture(autouse=True)
def account(store: Store) -> None:
    open_account(store)


def phones(store: Store) -> list[str | None]:
    return [row["phone"] for row in all_rows(store, tables.messages)]


async def test_numbers_and_texts_go_after_their_days(store: Store, job: Retention) -> None:
    store_sent(store, [State.DELIVERED, State.FAILED], days_old=31)
    store_sent(store, [State.DELIVERED], days_old=29)
    assert await job.look() == Forgotten(redacted=2, purged=0)
    old, older, young = all_rows(store, tables.messages)
    for row in (old, older):
        assert (row["phone"], row["phone_given"], row["text"]) == (None, None, None)
    assert young["phone"] is not None
    assert [row["text"] is None for row in all_rows(store, tables.submissions)] == [True, False]
    assert [row["payload"] for row in all_rows(store, tables.outbox)] == [None, None, "{}"]


async def test_rows_go_later_but_never_the_ledger(store: Store, job: Retention) -> None:
    store_sent(store, [State.DELIVERED, State.EXPIRED], days_old=181)
    [young] = store_sent(store, [State.DELIVERED], days_old=179)
    assert (await job.look()).purged == 2
    for table in (tables.messages, tables.submissions, tables.segments, tables.events, tables.outbox):
        assert row_count(store, table) == 1, table.name
    assert row_count(store, tables.ledger) == 3
    assert [row["id"] for row in all_rows(store, tables.messages)] == [young.id]


async def test_what_handsets_sent_and_kept_receipts_go_too(store: Store, job: Retention) -> None:
    rows = [(id_at(NOON_MS - days * DAY_MS), days) for days in (181, 31, 29)]
    inbound = [(id_, "alpha", "60123", "1", 0, 0, "6869", "[[1, 2]]", NOON_MS, 1) for id_, _ in rows]
    early = [(id_, "alpha", f"a{days}", "{}", NOON_MS, False) for id_, days in rows]
    commit(store, Changes(inbound=inbound, early=early))
    store.transaction(lambda c: c.execute(update(tables.inbound_messages).values(mo_id=1, fate=1)))
    await job.look()
    assert [(row["source"], row["payload_hex"]) for row in all_rows(store, tables.inbound_messages)] == [
        (None, None),
        ("60123", "6869"),
    ]
    assert [row["match_id"] for row in all_rows(store, tables.early_receipts)] == ["a29"]


@pytest.mark.parametrize("state", [state for state in State if not state.final])
async def test_an_open_message_is_never_touched(store: Store, job: Retention, state: State) -> None:
    store_sent(store, [state, State.DELIVERED], days_old=400)
    before = all_rows(store, tables.messages)[0]
    assert await job.look() == Forgotten(redacted=0, purged=1)
    assert all_rows(store, tables.messages) == [before]
    [row] = all_rows(store, tables.submissions)
    assert row["text"] is not None
    assert row_count(store, tables.segments) == 1


async def test_a_report_that_waits_keeps_its_message(store: Store, job: Retention) -> None:
    store_sent(store, [State.DELIVERED], days_old=400, told=False)
    assert await job.look() == Forgotten(redacted=0, purged=0)
    assert [row["payload"] for row in all_rows(store, tables.outbox)] == ["{}"]


async def test_a_straggler_is_blanked_once_it_is_finished(store: Store, job: Retention) -> None:
    [late] = store_sent(store, [State.SUBMITTED], days_old=40)
    store_sent(store, [State.DELIVERED], days_old=39)
    assert (await job.look()).redacted == 1
    commit(store, Changes(finals=[(late.id, int(State.UNKNOWN), 42, NOON_MS, None)]))
    assert (await job.look()).redacted == 1
    assert phones(store) == [None, None]
    assert (await job.look()).redacted == 0


async def test_more_than_a_chunk_is_forgotten_to_the_end(
    store: Store, job: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    for days in (190, 189, 188):
        store_sent(store, [State.DELIVERED] * 3, days_old=days)  # submissions span chunks
    for days in (100, 99):
        store_sent(store, [State.DELIVERED] * 3, days_old=days)
    assert await job.look() == Forgotten(redacted=6, purged=9)
    assert row_count(store, tables.submissions) == 2
    assert {row["text"] for row in all_rows(store, tables.submissions)} == {None}


async def test_the_next_run_goes_on_where_the_last_was_stopped(
    store: Store, job: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    store_sent(store, [State.DELIVERED] * 6, days_old=31)
    first = Redaction(id_at(NOON_MS - 30 * DAY_MS))
    assert store.transaction(first) == 2
    second = Redaction(id_at(NOON_MS - 30 * DAY_MS))  # another process: it knows nothing but the mark
    assert [store.transaction(second), store.transaction(second), store.transaction(second)] == [2, 2, None]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.lists(
        st.tuples(st.sampled_from(State), st.integers(0, 300), st.booleans()), min_size=1, max_size=12
    )
)
async def test_whatever_is_stored_only_the_finished_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    monkeypatch.setattr(retention, "PAUSE", 0)
    monkeypatch.setattr(retention, "CHUNK", 3)
    store = prepared_store(tmp_path_factory.mktemp("any"))
    open_account(store)
    for n, (state, days, told) in enumerate(sent):
        store_sent(store, [state], days_old=days + n / 1000, told=told)
    job = Retention(store, SETTINGS, StoppedClock(), StoreMetrics(CollectorRegistry()), RECALL_DAYS)
    await job.look()
    rows = {row["id"]: row for row in all_rows(store, tables.messages)}
    for n, (state, days, told) in enumerate(sent):
        age = days + n / 1000
        row = rows.get(id_at(NOON_MS - int(age * DAY_MS)) + 1)
        finished = state.final and told
        assert (row is None) == (finished and age > 180)
        if row is not None:
            assert (row["phone"] is None) == (finished and age > 30)
    store.close()


def store_reply(store: Store, days_old: float, *, told: bool = True, **changes: Any) -> int:
    """Store a handset's message of this age with its part and callback; return its id."""
    at = NOON_MS - int(days_old * DAY_MS)
    id_ = id_at(at)
    message = mo_message(id_, received_at=at, **changes)
    callback = (id_, ACCOUNT, order_key("60123"), "{}", at, at, 0, at if told else None, None)
    row = (id_ + 1, "alpha", "60123", "1069", 0, 0, "6869", "[]", at, 1)
    commit(store, Changes(inbound=[row]))
    finished = Finished(message, [id_ + 1], [], callback)
    store.transaction(lambda c: finish(c, [finished], [], {}.get))
    return id_


async def test_replies_are_blanked_and_deleted_as_messages_are(store: Store, job: Retention) -> None:
    store_reply(store, 200)
    old, new = store_reply(store, 40), store_reply(store, 20)
    await job.look()
    found = {row["id"]: row for row in all_rows(store, mo_messages)}
    assert set(found) == {old, new}
    assert [found[old][name] for name in ("source", "text", "phone_given")] == [None] * 3
    assert found[new]["text"] == "hello"
    assert [row["payload_hex"] for row in all_rows(store, tables.inbound_messages)] == [None, "6869"]
    assert [row["payload"] for row in all_rows(store, tables.outbox)] == [None, "{}"]


async def test_a_reply_still_to_be_told_is_kept_whole(store: Store, job: Retention) -> None:
    store_reply(store, 200, told=False)
    store_reply(store, 190, forwarding=Forwarding.DUE)
    await job.look()
    assert [row["text"] for row in all_rows(store, mo_messages)] == ["hello"] * 2


async def test_a_part_that_waits_for_others_is_kept(store: Store, job: Retention) -> None:
    commit(store, Changes(inbound=[(1, "alpha", "60123", "1069", 0, 64, "050003070201", "[]", NOON_MS, 1)]))
    await job.look()
    assert [row["payload_hex"] for row in all_rows(store, tables.inbound_messages)] == ["050003070201"]


async def test_who_wrote_to_a_handset_is_forgotten_in_time(store: Store, job: Retention) -> None:
    ages = (1, 6.9, 7.1, 100)
    rows = [(f"60{n}", "alpha", ACCOUNT, n, NOON_MS - int(age * DAY_MS)) for n, age in enumerate(ages)]
    commit(store, Changes(contacts=rows))
    await job.look()
    assert [row["message_id"] for row in all_rows(store, contacts)] == [0, 1]


async def test_numbers_taken_off_and_what_rules_did_are_forgotten_after_the_purge_time(
    store: Store, job: Retention
) -> None:
    one = Listing(ACCOUNT, "", ListKind.BLOCKED, 60123456789)
    old = NOON_MS - 181 * DAY_MS
    store.transaction(lambda c: list_numbers(c, [one, one._replace(phone=60123456780)], old))
    store.transaction(lambda c: unlist_numbers(c, [one], old))
    for day in ("2020-01-01", "2999-01-01"):
        commit(store, Changes(risk_counts=[(day, ACCOUNT, "hours", "on", 1)]))
    await job.look()
    assert [row["phone"] for row in all_rows(store, listed_numbers)] == [60123456780]
    assert [row["day"] for row in all_rows(store, risk_counts)] == ["2999-01-01"]
