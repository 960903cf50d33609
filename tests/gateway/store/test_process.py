"""The writer as a process: it writes, it holds the database, and it is missed when it dies."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.errors import RowRefused, StoreUnavailable
from gateway.store import process as process_module
from gateway.store import tables
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.journal import Journal
from gateway.store.process import ProcessWriter, WriterDied
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
