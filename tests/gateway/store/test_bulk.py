"""Whole statements: any number of rows, the same on both databases, the last or the first one wins."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.domain.message import State
from gateway.errors import RowRefused
from gateway.store import outbox, tables
from gateway.store.bulk import KINDS, LENGTHS, balance_changes
from gateway.store.changes import Changes
from gateway.store.engine import Store
from tests.support.messages import NOON_MS, message
from tests.support.rows import (
    accepted,
    all_rows,
    commit,
    ledger_row,
    outbox_row,
    outcomes,
    row_count,
    segment,
)


def final(message_id: int, state: State, at: int = NOON_MS) -> tuple[object, ...]:
    return (message_id, int(state), 40, at, state.name)


def test_every_kind_of_change_is_written() -> None:
    fields = set(Changes.__dataclass_fields__) - {"rows"}
    assert [kind.field for kind in KINDS] == [name for name in Changes.__dataclass_fields__ if name in fields]
    for kind in KINDS:
        assert set(kind.columns) <= set(kind.table.c.keys()), kind.field


@pytest.mark.parametrize("count", [1, 2, 5, 100, 511, 512, 513, 1_300])
def test_any_number_of_rows_is_written_once(store: Store, count: int) -> None:
    commit(store, Changes(outbox=[outbox_row(n) for n in range(1, count + 1)]))
    assert row_count(store, tables.outbox) == count
    commit(store, Changes(outbox_moves=[(n, n, 1, n, "delivered") for n in range(1, count + 1)]))
    assert [row["done_at"] for row in all_rows(store, tables.outbox)] == list(range(1, count + 1))


def test_statements_stay_few_and_within_the_limits_of_sqlite() -> None:
    assert len(LENGTHS) < 20
    assert LENGTHS[-1] * max(len(kind.columns) for kind in KINDS) <= 32_766


def test_a_row_without_its_first_value_is_refused_not_skipped(store: Store) -> None:
    bad = Changes(events=[(None, NOON_MS, 1, 1, "")])
    [outcome] = outcomes(store, bad)
    assert isinstance(outcome, RowRefused)


def test_the_last_move_of_a_row_wins(store: Store) -> None:
    one = message(1, state=State.QUEUED)
    commit(store, accepted(one))
    one.move(State.SENDING, one.reason)
    first = Changes(moves=[one.move_row()])
    one.move(State.SUBMITTED, one.reason)
    commit(store, first, Changes(moves=[one.move_row()]))
    assert all_rows(store, tables.messages)[0]["state"] == State.SUBMITTED


def test_a_unit_may_insert_and_change_the_same_row(store: Store) -> None:
    one = message(1, state=State.SENDING)
    unit = accepted(one)
    one.state = State.SUBMITTED
    unit.moves = [one.move_row()]
    unit.segments = [segment(one.id, "a1")]
    unit.receipts = [(one.id, 1, "a1", "delivered", "DELIVRD", "000", NOON_MS)]
    unit.finals = [final(one.id, State.DELIVERED)]
    commit(store, unit)
    assert all_rows(store, tables.messages)[0]["state"] == State.DELIVERED
    assert all_rows(store, tables.segments)[0]["receipt_state"] == "delivered"


@pytest.mark.parametrize("state", State)
def test_only_submitted_and_unknown_messages_get_an_outcome(store: Store, state: State) -> None:
    commit(store, accepted(message(1, state=state)))
    commit(store, Changes(finals=[final(1_001, State.REJECTED)]))
    changed = all_rows(store, tables.messages)[0]["state"] == State.REJECTED
    assert changed == (state in (State.SUBMITTED, State.UNKNOWN, State.REJECTED))


def test_a_receipt_is_for_one_segment_of_one_message(store: Store) -> None:
    rows = [segment(1_001, "a1"), segment(1_001, "a2"), segment(1_002, "a1"), segment(1_001, "a1", part=2)]
    commit(store, Changes(segments=rows))
    commit(store, Changes(receipts=[(1_001, 1, "a1", "delivered", "DELIVRD", "000", NOON_MS)]))
    assert [row["receipt_state"] for row in all_rows(store, tables.segments)] == [
        "delivered",
        None,
        None,
        None,
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    finals=st.lists(
        st.tuples(st.integers(1_001, 1_003), st.sampled_from([s for s in State if s.final])), max_size=8
    )
)
def test_outcomes_in_one_batch_are_as_one_after_the_other(
    store: Store, finals: list[tuple[int, State]]
) -> None:
    units = [Changes(finals=[final(id_, state, at)]) for at, (id_, state) in enumerate(finals)]
    found = []
    for batches in ([units], [[unit] for unit in units]):
        store.transaction(lambda connection: connection.execute(text("DELETE FROM messages")))
        commit(store, Changes(messages=[message(n, state=State.SUBMITTED).row() for n in (1, 2, 3)]))
        for batch in batches:
            commit(store, *batch)
        found.append(all_rows(store, tables.messages))
    assert found[0] == found[1]


def test_balances_follow_the_ledger_row_by_row() -> None:
    rows = [
        ledger_row("credit", 1_000),
        ledger_row("reserve", -300, 300),
        ledger_row("capture", 0, -100, message_id=1),
        ledger_row("capture", 40, -100, message_id=2),  # less was sent than reserved
        ledger_row("release", 100, -100, message_id=3),
        ledger_row("credit", 5, account_id="acc-a"),
    ]
    assert balance_changes(rows) == [("acc-a", 5, 0, 0), ("acc-one", 840, 0, 160)]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(
    ["", "NULL", "null", "{}", '"', "\\", '\\"', "a,b", " a ", "\n", "{a,b}", None, "【Acme】😀", "%s", "?"]
)
@given(st.lists(st.none() | TEXTS, min_size=1, max_size=20))
def test_any_text_comes_back_as_it_went_in(store: Store, texts: list[str | None]) -> None:
    store.transaction(lambda connection: connection.execute(text("DELETE FROM outbox")))
    commit(store, Changes(outbox=[outbox_row(n, payload=one) for n, one in enumerate(texts, 1)]))
    assert [row["payload"] for row in all_rows(store, tables.outbox)] == texts
    waiting = store.read_now(lambda connection: outbox.waiting_after(connection, "acc-one", 0, 99))
    assert [row[3] for row in waiting] == texts
