"""One batch, one transaction: a bad row harms its own unit, a lost connection harms nobody twice."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gateway.errors import RowRefused, StoreUnavailable
from gateway.store import committer as committer_module
from gateway.store import tables
from gateway.store.changes import Changes
from gateway.store.committer import Committer, Undecided
from gateway.store.engine import Store, open_store
from tests.support.messages import NOON_MS, message
from tests.support.postgres import PrivatePostgres
from tests.support.rows import (
    accepted,
    all_rows,
    commit,
    ledger_row,
    open_account,
    outbox_row,
    outcomes,
    row_count,
)


@pytest.fixture
def committer(store: Store) -> Iterator[Committer]:
    committer = Committer(store)
    yield committer
    committer.close()


def test_a_bad_unit_harms_only_itself(store: Store) -> None:
    commit(store, Changes(outbox=[outbox_row(2)]))
    units = [Changes(outbox=[outbox_row(n), outbox_row(n + 10)]) for n in (1, 2, 3)]
    first, second, third = outcomes(store, *units)
    assert (first, third) == (None, None)
    assert isinstance(second, RowRefused)
    assert [row["id"] for row in all_rows(store, tables.outbox)] == [1, 2, 3, 11, 13]


@pytest.mark.parametrize(
    "bad",
    [
        Changes(outbox=[(1, "a")]),  # too short
        Changes(outbox=[outbox_row(2**63)]),  # too large
        Changes(outbox=[outbox_row(5, payload=object())]),  # type: ignore[arg-type]
        Changes(outbox=[outbox_row(5, payload="\ud800")]),  # half a character
        Changes(messages=[(*message(1).row()[:12], None, *message(1).row()[13:])]),  # NOT NULL
        Changes(ledger=[ledger_row("credit", 1, account_id="acc-none")]),
    ],
    ids=["short", "large", "type", "surrogate", "null", "account"],
)
def test_whatever_is_wrong_with_a_row_its_unit_alone_is_refused(store: Store, bad: Changes) -> None:
    good = Changes(outbox=[outbox_row(1)])
    outcome, other = outcomes(store, bad, good)
    assert (isinstance(outcome, RowRefused), other) == (True, None)
    assert row_count(store, tables.outbox) == 1


def test_a_refusal_tells_no_values(store: Store) -> None:
    one = accepted(message(1, phone="60123456789"))
    [_, outcome] = outcomes(store, one, accepted(message(1, phone="60123456789")))
    assert "60123456789" not in str(outcome)


def test_an_empty_unit_is_fine(store: Store) -> None:
    assert outcomes(store, Changes(), Changes(outbox=[outbox_row(1)])) == [None, None]


# PostgreSQL: the server is elsewhere and may go away

only_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


def cut(store: Store) -> None:
    """End every connection to the store's database but the one that says so."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ended = text(f"SELECT pg_terminate_backend(pid) {others}")
    store.transaction(lambda connection: connection.execute(ended))


@only_postgresql
def test_a_connection_lost_between_two_batches_is_replaced(store: Store, committer: Committer) -> None:
    assert committer.commit([Changes(outbox=[outbox_row(1)])]) == [None]
    cut(store)
    assert committer.commit([Changes(outbox=[outbox_row(2)])]) == [None]
    assert row_count(store, tables.outbox) == 2


def _has_written(raw: Any) -> bool:
    connection = getattr(raw, "driver_connection", raw)
    if connection.info.transaction_status.name == "IDLE":
        return False
    return connection.execute("SELECT pg_current_xact_id_if_assigned()").fetchone() != (None,)


class LostAnswer:
    """Loses the connection at the next COMMIT, before or after the server has done it."""

    def __init__(self, store: Store, arrived: bool) -> None:
        self._do_commit: Callable[[Any], None] = store.writer.dialect.do_commit
        self._arrived = arrived
        self.lost = False

    def __call__(self, raw: Any) -> None:
        if self.lost or not _has_written(raw):
            return self._do_commit(raw)
        self.lost = True
        if self._arrived:
            self._do_commit(raw)
        getattr(raw, "driver_connection", raw).close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


@only_postgresql
@pytest.mark.parametrize("arrived", [True, False])
def test_a_commit_whose_answer_is_lost_is_done_once(
    store: Store, committer: Committer, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    open_account(store)
    assert committer.commit([Changes()]) == [None]
    losing = LostAnswer(store, arrived)
    monkeypatch.setattr(store.writer.dialect, "do_commit", losing)
    assert committer.commit([Changes(ledger=[ledger_row("credit", 7)])]) == [None]
    assert losing.lost
    assert [row["amount"] for row in all_rows(store, tables.ledger)] == [7]
    assert [row["available"] for row in all_rows(store, tables.balances)] == [7]


@only_postgresql
@pytest.mark.parametrize("arrived", [True, False])
def test_a_commit_whose_answer_is_lost_twice_is_never_called_failed_if_it_was_done(
    store: Store, committer: Committer, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    assert committer.commit([Changes()]) == [None]
    do_commit = store.writer.dialect.do_commit
    first = LostAnswer(store, arrived=False)
    second = LostAnswer(store, arrived=arrived)

    def losing(raw: Any) -> None:
        (second if first.lost else first)(raw)

    monkeypatch.setattr(store.writer.dialect, "do_commit", losing)
    [outcome] = committer.commit([Changes(outbox=[outbox_row(1)])])
    assert second.lost
    assert isinstance(outcome, StoreUnavailable) is not arrived
    monkeypatch.setattr(store.writer.dialect, "do_commit", do_commit)
    assert row_count(store, tables.outbox) == arrived


@only_postgresql
@pytest.mark.parametrize("arrived", [True, False])
def test_a_lost_answer_does_not_excuse_a_refused_unit(
    store: Store, committer: Committer, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    commit(store, Changes(outbox=[outbox_row(2)]))
    assert committer.commit([Changes()]) == [None]
    losing = LostAnswer(store, arrived)
    monkeypatch.setattr(store.writer.dialect, "do_commit", losing)
    first, second, third = committer.commit([Changes(outbox=[outbox_row(n)]) for n in (1, 2, 3)])
    assert losing.lost
    assert (first, isinstance(second, RowRefused), third) == (None, True, None)
    assert [row["id"] for row in all_rows(store, tables.outbox)] == [1, 2, 3]


@only_postgresql
def test_a_commit_nobody_can_tell_about_ends_the_writer_and_is_never_called_failed(
    store: Store, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its customers would be told that nothing was stored, and its answers written once more."""
    assert committer.commit([Changes()]) == [None]
    monkeypatch.setattr(committer_module, "VERDICT_WAIT", 0.0)
    monkeypatch.setattr(store.writer.dialect, "do_commit", LostAnswer(store, arrived=True))
    monkeypatch.setattr(store.writer, "connect", unreachable)
    with pytest.raises(Undecided):
        committer.commit([Changes(outbox=[outbox_row(1)])])
    assert row_count(store, tables.outbox) == 1


def unreachable() -> None:
    raise OperationalError("connect", None, psycopg.OperationalError("connection refused"))


@pytest.mark.slow
def test_a_crashed_server_fails_the_batch_and_the_next_one_finds_it_back() -> None:
    with PrivatePostgres() as server:
        store = open_store(server.url(server.new_database()))
        store.migrate()
        committer = Committer(store)
        assert committer.commit([Changes(outbox=[outbox_row(1)])]) == [None]
        server.stop("immediate")
        lost = committer.commit([Changes(outbox=[outbox_row(2)]), Changes(outbox=[outbox_row(3)])])
        assert [isinstance(outcome, StoreUnavailable) for outcome in lost] == [True, True]
        server.start()
        assert committer.commit([Changes(outbox=[outbox_row(4)])]) == [None]
        assert [row["id"] for row in all_rows(store, tables.outbox)] == [1, 4]
        committer.close()
        store.close()


def test_time_does_not_matter_to_what_is_stored(store: Store) -> None:
    """A unit is applied kind by kind, not in the order its fields were filled."""
    unit = Changes(outbox_moves=[(1, NOON_MS, 1, NOON_MS, "delivered")])
    unit.outbox = [outbox_row(1)]
    commit(store, unit)
    assert all_rows(store, tables.outbox)[0]["outcome"] == "delivered"
