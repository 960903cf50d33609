"""The thread that writes: an outcome for each unit, and no silence when it breaks."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.store import tables
from gateway.store.changes import Changes, Parts
from gateway.store.committer import Outcome
from gateway.store.engine import Store
from gateway.store.writer import ThreadWriter
from tests.support.rows import outbox_row, row_count


async def test_it_tells_what_became_of_every_unit(store: Store) -> None:
    told: asyncio.Queue[Sequence[Outcome]] = asyncio.Queue()
    writer = ThreadWriter(store)
    await writer.start(lambda outcomes, seconds: told.put_nowait(outcomes), pytest.fail)
    row = Changes(outbox=[outbox_row(1)])
    writer.write([row, Changes(outbox=[outbox_row(2)]), row])
    outcomes = await told.get()
    assert [outcome is None for outcome in outcomes] == [True, True, False]
    await writer.stop()
    assert row_count(store, tables.outbox) == 2


async def test_a_bug_is_told_and_not_swallowed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    broken: asyncio.Queue[BaseException] = asyncio.Queue()
    writer = ThreadWriter(store)

    def commit(units: Sequence[Parts]) -> Sequence[Outcome]:
        raise MemoryError("no more")

    monkeypatch.setattr(writer._committer, "commit", commit)
    await writer.start(lambda outcomes, seconds: None, broken.put_nowait)
    writer.write([Changes(outbox=[outbox_row(1)])])
    assert isinstance(await broken.get(), MemoryError)
    await writer.stop()
