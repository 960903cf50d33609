"""The store's two sides: durable writing, reading on one snapshot, clear errors when it cannot."""

import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError

from gateway.errors import Invalid, StoreUnavailable
from gateway.store import engine, tables
from gateway.store.engine import Store, open_store
from tests.support.postgres import PrivatePostgres
from tests.support.rows import open_account, row_count


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://u:secret@host/db", "sqlite://", "sqlite:///:memory:", "postgresql"]
)
def test_a_url_that_cannot_be_a_store_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_the_directory_of_a_new_database_is_made(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/var/deep/gateway.db")
    store.migrate()
    store.close()
    assert (tmp_path / "var/deep/gateway.db").exists()


def test_a_commit_survives_power_loss(store: Store) -> None:
    settings = {
        "sqlite": {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": 2, "PRAGMA foreign_keys": 1},
        "postgresql": {"SHOW synchronous_commit": "on", "SHOW fsync": "on"},
    }[store.dialect]

    def ask(connection: Connection) -> dict[str, object]:
        return {question: connection.scalar(text(question)) for question in settings}

    assert store.transaction(ask) == settings


def test_a_read_sees_one_moment(store: Store) -> None:
    def twice(connection: Connection) -> list[int | None]:
        count = text("SELECT count(*) FROM accounts")
        before = connection.scalar(count)
        open_account(store)
        return [before, connection.scalar(count)]

    assert store.read_now(twice) == [0, 0]
    assert row_count(store, tables.accounts) == 1


def test_the_reading_side_cannot_write(store: Store) -> None:
    row = {"id": "acc-one", "name": "one", "created_at": 1}
    with pytest.raises(Exception, match=r"read.?only"):
        store.read_now(lambda connection: connection.execute(insert(tables.accounts).values(row)))
    assert row_count(store, tables.accounts) == 0


def test_what_fails_changes_nothing_and_says_no_values(store: Store) -> None:
    def fails(connection: Connection) -> None:
        row = {"id": "+60123456789", "name": "one", "created_at": 1}
        connection.execute(insert(tables.accounts).values(row))
        connection.execute(
            insert(tables.balances).values(account_id="none", available=1, reserved=0, captured=0)
        )

    with pytest.raises(IntegrityError) as caught:
        store.transaction(fails)
    assert "60123456789" not in str(caught.value)
    assert row_count(store, tables.accounts) == 0


async def test_reads_and_housekeeping_run_beside_the_loop(store: Store) -> None:
    await store.write(lambda c: c.execute(text("INSERT INTO marks (name, value) VALUES ('m', 1)")))
    assert await store.read(lambda c: c.scalar(text("SELECT value FROM marks"))) == 1


def test_a_locked_database_is_unavailable_not_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOCK_WAIT", 0.05)
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    other = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        open_account(store)
    other.execute("COMMIT")
    other.close()
    open_account(store)
    assert row_count(store, tables.accounts) == 1
    store.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("dear diary, " * 100)
    for name in ("folder.db", "text.db"):
        store = open_store(f"sqlite:///{tmp_path}/{name}")
        with pytest.raises(StoreUnavailable):
            store.migrate()
        with pytest.raises(StoreUnavailable):
            store.read_now(lambda connection: connection.execute(text("SELECT 1 FROM accounts")))
        store.close()


def test_a_server_that_is_away_is_unavailable(postgres: PrivatePostgres) -> None:
    store = open_store(postgres.url("no_such_database"))
    with pytest.raises(StoreUnavailable):
        store.migrate()
    with pytest.raises(StoreUnavailable):
        row_count(store, tables.accounts)
    store.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_whom_the_database_gives_up_for_another_tries_again(store: Store) -> None:
    ids = [open_account(store, f"acc-{number}") for number in range(2)]
    met, tries = threading.Barrier(2, timeout=30), Counter[str]()
    rename = text("UPDATE accounts SET name = name || :by WHERE id = :id")

    def crosswise(by: str, order: list[str]) -> None:
        def work(connection: Connection) -> None:
            tries[by] += 1
            connection.execute(rename, {"by": by, "id": order[0]})
            if tries[by] == 1:
                met.wait()
            connection.execute(rename, {"by": by, "id": order[1]})

        store.transaction(work)

    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(crosswise, "x", ids), threads.submit(crosswise, "y", ids[::-1])]
        assert [one.result() for one in done] == [None, None]
    assert sorted(tries.values()) == [1, 2]
    names = store.read_now(lambda c: c.execute(text("SELECT name FROM accounts")).scalars().all())
    assert [sorted(name[-2:]) for name in names] == [["x", "y"]] * 2


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_who_is_given_up_again_and_again_is_told(store: Store) -> None:
    tries = 0

    def work(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'so sorry' USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(StoreUnavailable, match="so sorry"):
        store.transaction(work)
    assert tries == engine.VICTIM_TRIES
