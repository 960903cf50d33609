"""The writer as a process: it writes, it holds the database, and it is missed when it dies."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from gateway.errors import RowRefused, StoreUnavailable
from gateway.store import process as process_module
from gateway.store import tables
from gateway.store.changes import Changes
from gateway.store.engine import Store, open_store
from gateway.store.journal import Journal
from gateway.store.process import ProcessWriter, WriterDied
from tests.support.postgres import PrivatePostgres
from tests.support.rows import outbox_row, row_count


@asynccontextmanager
async def running(store: Store, url: str) -> AsyncIterator[tuple[Journal, ProcessWriter]]:
    writer = ProcessWriter(url)
    journal = Journal(store, writer=writer)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(journal.run())
        await journal.started()
        yield journal, writer
        await journal.close()


async def test_what_it_confirms_is_stored_and_a_bad_row_harms_only_its_own(store: Store, url: str) -> None:
    async with running(store, url) as (journal, _):
        good = [journal.append(Changes(outbox=[outbox_row(n)])) for n in range(100)]
        bad = journal.append(Changes(outbox=[outbox_row(7)]))
        await asyncio.gather(*good)
        with pytest.raises(RowRefused):
            await bad
    assert row_count(store, tables.outbox) == 100


async def test_a_second_gateway_does_not_get_the_database(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(process_module.LOCK_WAIT_VARIABLE, "0.2")
    async with running(store, url):
        second = ProcessWriter(url)
        with pytest.raises(StoreUnavailable, match="another gateway"):
            await second.start(lambda outcomes, seconds: None, lambda error: None)
        await second.stop()


async def test_the_next_gateway_gets_it_once_the_first_has_gone(store: Store, url: str) -> None:
    async with running(store, url):
        second = ProcessWriter(url)
        starting = asyncio.ensure_future(second.start(lambda outcomes, seconds: None, lambda error: None))  # noqa: TID251
    await starting
    await second.stop()


async def test_signals_meant_for_the_gateway_do_not_keep_it_from_draining(store: Store, url: str) -> None:
    async with running(store, url) as (journal, writer):
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(writer.pid, number)
        await journal.append(Changes(outbox=[outbox_row(1)]))
    assert row_count(store, tables.outbox) == 1


async def test_its_death_ends_the_journal_loudly(store: Store, url: str) -> None:
    writer = ProcessWriter(url)
    journal = Journal(store, writer=writer)

    async def kill_it() -> None:
        await journal.started()
        os.kill(writer.pid, signal.SIGKILL)

    ended, _ = await asyncio.gather(journal.run(), kill_it(), return_exceptions=True)
    assert isinstance(ended, WriterDied)


only_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)

END_THE_HOLDER = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def refused(url: str) -> None:
    """Show that no second gateway gets the database."""
    second = ProcessWriter(url)
    with pytest.raises(StoreUnavailable, match="another gateway"):
        await second.start(lambda outcomes, seconds: None, lambda error: None)
    await second.stop()


@only_postgresql
async def test_a_writer_that_lost_its_connection_holds_the_database_again_when_it_commits(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(process_module.LOCK_WAIT_VARIABLE, "0.2")
    async with running(store, url) as (journal, _):
        await journal.append(Changes(outbox=[outbox_row(1)]))
        with psycopg.connect(url, autocommit=True) as admin:
            assert admin.execute(END_THE_HOLDER).fetchall() == [(True,)]
        await journal.append(Changes(outbox=[outbox_row(2)]))
        await refused(url)
        await journal.append(Changes(outbox=[outbox_row(3)]))
    assert row_count(store, tables.outbox) == 3


async def test_a_writer_holds_the_database_again_after_the_server_was_restarted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(process_module.LOCK_WAIT_VARIABLE, "0.2")
    with PrivatePostgres() as server:
        url = server.url(server.new_database())
        store = open_store(url)
        store.migrate()
        async with running(store, url) as (journal, _):
            await journal.append(Changes(outbox=[outbox_row(1)]))
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.to_thread(server.start)
            await journal.append(Changes(outbox=[outbox_row(2)]))
            await refused(url)
        assert row_count(store, tables.outbox) == 2
        store.close()


@only_postgresql
async def test_a_writer_whose_database_another_gateway_took_ends_and_says_so(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(process_module.LOCK_WAIT_VARIABLE, "0.2")
    journal = Journal(store, writer=ProcessWriter(url))

    async def take_it(other: psycopg.Connection) -> None:
        await journal.started()
        other.execute(END_THE_HOLDER)
        other.execute(f"SELECT pg_advisory_lock({process_module._ADVISORY})")
        journal.post(Changes(outbox=[outbox_row(1)]), lambda error: None, must=True)

    with psycopg.connect(url, autocommit=True) as other:
        ended, _ = await asyncio.gather(journal.run(), take_it(other), return_exceptions=True)
    assert isinstance(ended, StoreUnavailable)
    assert "another gateway" in str(ended)
    assert row_count(store, tables.outbox) == 0
