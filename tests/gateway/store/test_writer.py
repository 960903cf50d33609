"""The thread that writes: an outcome for each unit, and no silence when it breaks."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.errors import StoreUnavailable
from gateway.store import tables
from gateway.store.changes import Changes, Parts
from gateway.store.committer import Outcome
from gateway.store.engine import Store
from gateway.store.writer import InOrder, ThreadWriter
from tests.support.rows import outbox_row, row_count


async def test_it_tells_what_became_of_every_unit(store: Store) -> None:
    told: asyncio.Queue[Sequence[Outcome]] = asyncio.Queue()
    writer = ThreadWriter(store)
    await writer.start(lambda outcomes, seconds: told.put_nowait(outcomes), pytest.fail)
    row = Changes(outbox=[outbox_row(1)])
    writer.write([row, Changes(outbox=[outbox_row(2)]), row], 1, 0)
    outcomes = await told.get()
    assert [outcome is None for outcome in outcomes] == [True, True, False]
    await writer.stop()
    assert row_count(store, tables.outbox) == 2


async def test_a_bug_is_told_and_not_swallowed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    broken: asyncio.Queue[BaseException] = asyncio.Queue()
    writer = ThreadWriter(store)

    def commit(units: Sequence[Parts], number: int, known: int) -> Sequence[Outcome]:
        raise MemoryError("no more")

    monkeypatch.setattr(writer._committer, "commit", commit)
    await writer.start(lambda outcomes, seconds: None, broken.put_nowait)
    writer.write([Changes(outbox=[outbox_row(1)])], 1, 0)
    assert isinstance(await broken.get(), MemoryError)
    await writer.stop()


def test_a_batch_is_not_written_after_one_that_was_not_unless_its_sender_knew() -> None:
    unavailable = StoreUnavailable("disk full")
    answers: list[Sequence[Outcome]] = [[unavailable], [None]]

    class Database:
        def commit(self, units: Sequence[Parts]) -> Sequence[Outcome]:
            return answers.pop(0)

    writer = InOrder(Database())  # type: ignore[arg-type]
    one: Sequence[Parts] = [Changes()]
    assert writer.commit(one, number=1, known=0) == [unavailable]
    (refused,) = writer.commit(one, number=2, known=0)
    assert isinstance(refused, StoreUnavailable)
    assert writer.commit(one, number=3, known=2) == [None]
