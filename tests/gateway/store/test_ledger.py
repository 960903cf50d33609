"""Money: credits are told to the gateway, and balances are the sum of the ledger, always."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text, update

from gateway.errors import Conflict, NotFound
from gateway.store import ledger, revisions, tables
from gateway.store.changes import Changes
from gateway.store.engine import Store, open_store
from gateway.store.ledger import Credit, Discrepancy
from tests.support.messages import NOON_MS
from tests.support.rows import ACCOUNT, commit, ledger_row, open_account, outcomes


def give(store: Store, amount: int, account_id: str = ACCOUNT) -> int:
    return store.transaction(
        lambda connection: ledger.credit(connection, account_id, amount, NOON_MS, "test")
    )


def test_a_credit_is_spendable_and_noticed(store: Store) -> None:
    open_account(store)
    assert store.read_now(ledger.balances) == ({}, 0)
    first = give(store, 1_000)
    second = give(store, 500)
    assert store.read_now(ledger.balances) == ({ACCOUNT: 1_500}, second)
    assert store.read_now(partial(ledger.credits_after, seq=first)) == [Credit(second, ACCOUNT, 500)]
    assert store.read_now(revisions.current) == {revisions.MONEY: 2}


def test_nobody_else_gets_a_credit(store: Store) -> None:
    with pytest.raises(NotFound):
        give(store, 1_000, "acc-none")
    assert store.read_now(ledger.balances) == ({}, 0)
    assert store.read_now(revisions.current) == {}


def take(store: Store, amount: int, account_id: str = ACCOUNT) -> int:
    return store.transaction(lambda c: ledger.debit(c, account_id, amount, NOON_MS, "paid back"))


def test_what_is_taken_back_is_a_credit_below_0_that_the_gateway_learns_of(store: Store) -> None:
    open_account(store)
    first = give(store, 1_000)
    second = take(store, 400)
    assert store.read_now(partial(ledger.credits_after, seq=first)) == [Credit(second, ACCOUNT, -400)]
    assert store.read_now(ledger.balances) == ({ACCOUNT: 600}, second)
    assert store.read_now(revisions.current) == {revisions.MONEY: 2}
    assert store.read_now(ledger.audit) == []


def test_what_is_reserved_cannot_be_taken_back(store: Store) -> None:
    open_account(store)
    give(store, 1_000)
    commit(store, Changes(ledger=[ledger_row("reserve", -700, 700)]))
    for account_id, amount, error in ((ACCOUNT, 301, Conflict), ("acc-none", 1, NotFound)):
        with pytest.raises(error):
            take(store, amount, account_id)
    assert store.read_now(ledger.balances)[0] == {ACCOUNT: 300}
    assert store.read_now(revisions.current) == {revisions.MONEY: 1}
    take(store, 300)
    assert store.read_now(ledger.balances)[0] == {ACCOUNT: 0}


def test_an_account_without_a_balance_has_nothing_to_give_back(store: Store) -> None:
    open_account(store)
    with pytest.raises(Conflict):
        take(store, 1)


def test_several_at_once_do_not_take_the_same_money_twice(store: Store) -> None:
    open_account(store)
    give(store, 1_000)

    def try_it(_: int) -> bool:
        try:
            take(store, 300)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(3) as threads:
        taken = list(threads.map(try_it, range(9)))
    assert sum(taken) == 3
    assert store.read_now(ledger.balances)[0] == {ACCOUNT: 100}


def test_only_credits_are_credits(store: Store) -> None:
    open_account(store)
    seq = give(store, 1_000)
    commit(store, Changes(ledger=[ledger_row("reserve", -100, 100)]))
    assert store.read_now(ledger.balances) == ({ACCOUNT: 900}, seq)
    assert store.read_now(partial(ledger.credits_after, seq=seq)) == []


def test_a_message_is_captured_once(store: Store) -> None:
    open_account(store)
    capture = Changes(ledger=[ledger_row("capture", 0, -100, message_id=7)])
    again = Changes(ledger=[ledger_row("capture", 0, -100, message_id=7)])
    assert [outcome is None for outcome in outcomes(store, capture, again)] == [True, False]
    assert store.read_now(ledger.audit) == []


def test_the_audit_finds_what_was_tampered_with(store: Store) -> None:
    open_account(store)
    give(store, 1_000)
    commit(
        store,
        Changes(ledger=[ledger_row("reserve", -100, 100), ledger_row("capture", 30, -100, message_id=1)]),
    )
    assert store.read_now(ledger.audit) == []
    store.transaction(lambda c: c.execute(update(tables.balances).values(available=1_000_000)))
    assert store.read_now(ledger.audit) == [Discrepancy(ACCOUNT, (1_000_000, 0, 70), (930, 0, 70))]


ACCOUNTS = ("acc-one", "acc-two", "acc-three")


def a_row(account_id: str, kind: str, amount: int, price: int, message_id: int) -> tuple[Any, ...]:
    """Return a ledger row of one of the kinds the flow writes."""
    shape = {
        "credit": (amount, 0, None),
        "reserve": (-amount, amount, None),
        "capture": (min(amount, price), -price, message_id),
        "release": (price, -price, message_id),
    }
    available, reserved, message = shape[kind]
    return ledger_row(kind, available, reserved, message_id=message, account_id=account_id)


ROWS = st.builds(
    a_row,
    st.sampled_from((*ACCOUNTS, "acc-none")),  # the last one does not exist: its unit is refused
    st.sampled_from(["credit", "reserve", "capture", "release"]),
    st.integers(0, 10**12),
    st.integers(0, 10**9),
    st.integers(1, 8),  # few messages: the same one twice is refused
)
BATCHES = st.lists(st.lists(st.lists(ROWS, max_size=3), max_size=6), max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_balances_are_the_sum_of_the_ledger_whatever_happens(store: Store, batches: Any) -> None:
    empty(store)
    kept: list[tuple[Any, ...]] = []
    for batch in batches:
        units = [Changes(ledger=rows) for rows in batch]
        for unit, outcome in zip(units, outcomes(store, *units), strict=True):
            refused = any(row[0] == "acc-none" for row in unit.ledger) or twice([*kept, *unit.ledger])
            assert (outcome is not None) == refused
            if outcome is None:
                kept += unit.ledger
    assert store.read_now(ledger.audit) == []
    sums = {account: sum(row[2] for row in kept if row[0] == account) for account in {row[0] for row in kept}}
    assert store.read_now(ledger.balances)[0] == sums


def twice(rows: list[tuple[Any, ...]]) -> bool:
    """Whether some message has two rows of one kind."""
    keys = [(row[5], row[1]) for row in rows if row[5] is not None]
    return len(set(keys)) < len(keys)


def empty(store: Store) -> None:
    """Leave the accounts and nothing else."""

    def work(connection: Any) -> None:
        for table in (tables.ledger, tables.balances, tables.accounts):
            connection.execute(text(f"DELETE FROM {table.name}"))
        for account_id in ACCOUNTS:
            connection.execute(insert(tables.accounts).values(id=account_id, name="x", created_at=1))

    store.transaction(work)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite has one writer at a time anyway
def test_credits_commit_in_the_order_of_their_numbers(store: Store) -> None:
    """Who reads on from one credit must not miss an older one that commits later."""
    open_account(store)
    other = open_store(store.writer.url.render_as_string(hide_password=False))
    with store.writer.begin() as first:
        ledger.credit(first, ACCOUNT, 1, NOON_MS, "")
        with other.writer.connect() as second:
            second.exec_driver_sql("SET lock_timeout = '50ms'")
            with pytest.raises(Exception, match="lock timeout"):
                ledger.credit(second, ACCOUNT, 1, NOON_MS, "")
    other.close()
