"""Group commit seen by its callers: confirmed means stored, in order; a bad neighbour costs nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from gateway.errors import RowRefused, StoreUnavailable
from gateway.store import journal as journal_module
from gateway.store import tables
from gateway.store import writer as writer_module
from gateway.store.changes import KINDS, Changes, Parts
from gateway.store.committer import Committer, Outcome
from gateway.store.engine import Store, open_store
from gateway.store.journal import Done, Journal
from tests.support.rows import all_rows, open_account, outbox_row, row_count


def one_row(n: int) -> Changes:
    return Changes(outbox=[outbox_row(n)])


@asynccontextmanager
async def running(journal: Journal) -> AsyncIterator[Journal]:
    """Run `journal` for the block, then close it."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(journal.run())
        yield journal
        await journal.close()


class FakeCommitter:
    """Stands where the database is: answers batches as told and remembers them."""

    def __init__(self) -> None:
        self.batches: list[list[Changes]] = []
        self.answers: list[Exception | None] = []  # one a batch; success once used up
        self.may_go = threading.Event()
        self.may_go.set()
        self.entered = threading.Event()

    def commit(self, units: Sequence[Parts]) -> Sequence[Outcome]:
        self.entered.set()
        self.may_go.wait()
        self.batches.append([Changes(**{KINDS[number]: rows for number, rows in unit}) for unit in units])
        return [self.answers.pop(0) if self.answers else None] * len(units)

    def close(self) -> None:
        pass


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> FakeCommitter:
    fake = FakeCommitter()
    monkeypatch.setattr(writer_module, "Committer", lambda store: fake)
    return fake


@pytest.fixture
def unused(tmp_path) -> Store:
    return open_store(f"sqlite:///{tmp_path}/unused.db")


async def test_what_is_confirmed_is_stored(store: Store) -> None:
    async with running(Journal(store)) as journal:
        await journal.append(one_row(1))
        assert row_count(store, tables.outbox) == 1
        assert journal.pending_rows == 0


async def test_a_bad_unit_is_refused_and_its_neighbours_are_not(store: Store) -> None:
    async with running(Journal(store)) as journal:
        units = [one_row(1), one_row(2), one_row(1), one_row(3)]
        outcomes = await asyncio.gather(*(journal.append(unit) for unit in units), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [type(None), type(None), RowRefused, type(None)]
        assert journal.pending_rows == 0
    assert [row["id"] for row in all_rows(store, tables.outbox)] == [1, 2, 3]


async def test_waiting_units_share_a_commit(unused: Store, database: FakeCommitter) -> None:
    told: list[int] = []
    database.may_go.clear()
    async with running(Journal(unused, on_commit=lambda rows, seconds: told.append(rows))) as journal:
        first = journal.append(one_row(0))
        await asyncio.to_thread(database.entered.wait)
        others = [journal.append(one_row(n)) for n in range(1, 101)]
        assert journal.pending_rows == 101
        database.may_go.set()
        await asyncio.gather(first, *others)
    assert [len(batch) for batch in database.batches] == [1, 100]
    assert told == [1, 100]
    ids = [unit.outbox[0][0] for batch in database.batches for unit in batch]
    assert ids == list(range(101))  # in the order appended


async def test_a_batch_is_bounded_but_a_unit_is_never_cut(unused: Store, database: FakeCommitter) -> None:
    database.may_go.clear()
    async with running(Journal(unused, max_batch=10)) as journal:
        first = journal.append(one_row(0))
        await asyncio.to_thread(database.entered.wait)
        large = Changes(outbox=[outbox_row(n) for n in range(100, 125)])
        others = [journal.append(unit) for unit in (*(one_row(n) for n in range(1, 15)), large, one_row(99))]
        database.may_go.set()
        await asyncio.gather(first, *others)
    assert [sum(len(unit.outbox) for unit in batch) for batch in database.batches] == [1, 10, 29, 1]


async def test_a_busy_journal_keeps_its_commits_apart(unused: Store, database: FakeCommitter) -> None:
    async with running(Journal(unused, interval=1.0)) as journal:
        await journal.append(one_row(1))  # idle before: at once
        second = journal.append(one_row(2))
        await asyncio.to_thread(lambda: None)  # the writer may well have seen it by now
        third = journal.append(one_row(3))
        await asyncio.gather(second, third)
    assert [len(batch) for batch in database.batches] == [1, 2]


async def test_closing_does_not_wait_for_more(unused: Store, database: FakeCommitter) -> None:
    async with running(Journal(unused, interval=0.05)) as journal:
        for n in range(3):
            await journal.append(one_row(n))
        last = journal.append(one_row(9))
    assert last.done()
    assert database.batches[-1][-1].outbox[0][0] == 9


async def test_close_commits_what_was_appended_and_takes_no_more(store: Store) -> None:
    journal = Journal(store)
    pending = []
    async with running(journal):
        pending += [journal.append(one_row(n)) for n in range(50)]
    assert all(future.exception() is None for future in pending)
    assert row_count(store, tables.outbox) == 50
    with pytest.raises(StoreUnavailable, match="closed"):
        journal.append(one_row(99))


async def test_cancelling_the_run_still_commits_what_was_appended(store: Store) -> None:
    journal = Journal(store)
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(journal.run())
        await journal.append(one_row(0))
        pending = [journal.append(one_row(n)) for n in range(1, 50)]
        run.cancel()
    await asyncio.gather(*pending)
    assert row_count(store, tables.outbox) == 50


async def test_an_impatient_caller_takes_nothing_back(unused: Store, database: FakeCommitter) -> None:
    database.may_go.clear()
    async with running(Journal(unused)) as journal:
        first, second = journal.append(one_row(1)), journal.append(one_row(2))
        first.cancel()
        database.may_go.set()
        await second
        assert journal.pending_rows == 0


async def test_a_callback_that_fails_costs_the_others_nothing(unused: Store, database: FakeCommitter) -> None:
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    database.may_go.clear()

    def fails(error: Exception | None) -> None:
        raise RuntimeError("a bug in the flow")

    async with running(Journal(unused)) as journal:
        journal.post(one_row(1), fails)
        second = journal.append(one_row(2))
        database.may_go.set()
        await second
    assert [str(context["exception"]) for context in reported] == ["a bug in the flow"]


async def test_an_unavailable_store_fails_the_batch_and_serves_the_next(
    unused: Store, database: FakeCommitter
) -> None:
    database.answers = [StoreUnavailable("disk full")]
    async with running(Journal(unused, interval=0)) as journal:
        with pytest.raises(StoreUnavailable, match="disk full"):
            await journal.append(one_row(1))
        await journal.append(one_row(2))
        assert journal.pending_rows == 0


async def test_what_has_happened_is_kept_until_it_is_written_and_goes_first(
    unused: Store, database: FakeCommitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "KEPT_RETRY", 0.01)
    database.answers = [StoreUnavailable("disk full")] * 3
    told: list[Exception | None] = []
    written = asyncio.Event()

    def done(error: Exception | None) -> None:
        told.append(error)
        written.set()

    async with running(Journal(unused, interval=0)) as journal:
        journal.post(one_row(1), done, must=True)
        await asyncio.to_thread(database.entered.wait)
        with pytest.raises(StoreUnavailable):
            await journal.append(one_row(2))
        await written.wait()
    assert told == [None]
    for batch in database.batches:
        assert batch[0].outbox[0][0] == 1
    assert len(database.batches) == 4


async def test_what_is_kept_hurries_nobody_and_hides_the_outage_from_nobody(
    unused: Store, database: FakeCommitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "KEPT_RETRY", 0.01)
    database.answers = [StoreUnavailable("disk full")] * 2
    async with running(Journal(unused, max_batch=2, interval=0)) as journal:
        for n in (1, 2):
            journal.post(one_row(n), lambda error: None, must=True)
        await asyncio.to_thread(database.entered.wait)
        with pytest.raises(StoreUnavailable):
            await journal.append(one_row(3))
    assert [len(batch) for batch in database.batches] == [2, 3, 2]


async def test_a_closing_journal_does_not_wait_for_a_store_that_is_away(
    unused: Store, database: FakeCommitter
) -> None:
    database.answers = [StoreUnavailable("gone")] * 100
    told: list[Exception | None] = []
    async with running(Journal(unused, interval=0)) as journal:
        journal.post(one_row(1), told.append, must=True)
    assert isinstance(told[0], StoreUnavailable)


async def test_a_bug_in_the_writer_ends_the_run_loudly(unused: Store, database: FakeCommitter) -> None:
    def broken(units: Sequence[Parts]) -> Sequence[Outcome]:
        raise MemoryError("no more")

    database.commit = broken  # type: ignore[method-assign]
    journal = Journal(unused)
    journal.post(one_row(1), lambda error: None)
    with pytest.raises(MemoryError):
        await journal.run()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_another_process_gets_its_turn_beside_a_busy_journal(store: Store, url: str) -> None:
    """The journal commits without a pause; a command line tool's transaction still gets the lock."""
    store_of_another = open_store(url)
    enough = asyncio.Event()
    async with running(Journal(store, interval=0)) as journal:
        ids = iter(range(1, 10_000_000))

        def again(error: Exception | None) -> None:
            if not enough.is_set():
                journal.post(Changes(outbox=[outbox_row(next(ids)) for _ in range(50)]), again)

        for _ in range(4):
            again(None)
        for n in range(5):
            await asyncio.to_thread(open_account, store_of_another, f"acc-{n}")
        enough.set()
    assert row_count(store, tables.accounts) == 5
    store_of_another.close()


def test_the_committer_is_the_real_one() -> None:
    assert writer_module.Committer is Committer


async def test_what_begins_something_lets_what_finishes_something_go_first(
    unused: Store, database: FakeCommitter
) -> None:
    database.may_go.clear()
    finished = asyncio.Event()
    order: list[int] = []

    def note(n: int) -> Done:
        def done(error: Exception | None) -> None:
            order.append(n)
            if len(order) == 5:
                finished.set()

        return done

    async with running(Journal(unused, max_batch=2)) as journal:
        journal.post(one_row(0), note(0))
        await asyncio.to_thread(database.entered.wait)
        journal.post(one_row(1), note(1), yields=True)
        journal.post(one_row(2), note(2), yields=True)
        journal.post(one_row(3), note(3))
        journal.post(one_row(4), note(4), must=True)
        database.may_go.set()
        await finished.wait()
    assert order == [0, 3, 4, 1, 2]


async def test_what_is_kept_is_not_overtaken_by_a_batch_that_was_on_its_way(
    unused: Store, database: FakeCommitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first batch fails while the second is already with the writer."""
    monkeypatch.setattr(journal_module, "KEPT_RETRY", 0.01)
    database.answers = [StoreUnavailable("disk full")]
    database.may_go.clear()
    written: list[int] = []
    last = asyncio.Event()

    def done(n: int) -> Done:
        def note(error: Exception | None) -> None:
            written.append(n)
            if len(written) == 5:
                last.set()

        return note

    async with running(Journal(unused, max_batch=2, interval=0)) as journal:
        journal.post(one_row(0), done(0), must=True)
        await asyncio.to_thread(database.entered.wait)
        for n in range(1, 5):
            journal.post(one_row(n), done(n), must=True)
            await asyncio.sleep(0)  # the second batch leaves as soon as it is worth it
        database.may_go.set()
        await last.wait()
    assert written == [0, 1, 2, 3, 4]


async def test_it_knows_whether_the_store_commits(store: Store, database: FakeCommitter) -> None:
    database.answers = [None, StoreUnavailable("disk full"), StoreUnavailable("disk full"), None]
    seen = []
    async with running(Journal(store)) as journal:
        for n in range(4):
            await asyncio.gather(journal.append(one_row(n)), return_exceptions=True)
            seen.append(journal.failure)
    assert seen == ["", "disk full", "disk full", ""]
