"""Pulled plugs and full disks: what was confirmed is there, what was not is not, and work goes on."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.errors import StoreUnavailable
from gateway.store import ledger, tables
from gateway.store.changes import Changes
from gateway.store.committer import Committer
from gateway.store.engine import Store, open_store
from tests.support.rows import all_rows, ledger_row, open_account, outbox_row, row_count

# Commits for ever; says the number of each unit once it is confirmed. A unit is three rows of two kinds.
WRITER = """
import asyncio, sys
from gateway.store.changes import Changes
from gateway.store.engine import open_store
from gateway.store.journal import Journal
from tests.support.rows import ledger_row, outbox_row

async def write(url, first):
    journal = Journal(open_store(url), interval=0)
    numbers = iter(range(first, 10**9))

    def again(error, number=None):
        if error is not None:
            raise SystemExit(repr(error))
        if number is not None:
            print(number, flush=True)
        number = next(numbers)
        rows = [ledger_row("credit", 1), ledger_row("reserve", -1, 1)]
        unit = Changes(outbox=[outbox_row(number)], ledger=rows)
        journal.post(unit, lambda error: again(error, number))

    for _ in range(20):
        again(None)
    await journal.run()

asyncio.run(write(sys.argv[1], int(sys.argv[2])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(3))
def test_killed_at_any_moment_nothing_confirmed_is_lost(store: Store, url: str, moment: int) -> None:
    open_account(store)
    confirmed: list[int] = []
    for life in range(3):
        command = [sys.executable, "-c", WRITER, url, str(1_000_000 * (life + 1))]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for line in writer.stdout:
            confirmed.append(int(line))
            if len(confirmed) % 97 == moment * 30 + life:
                break
        writer.send_signal(signal.SIGKILL)
        confirmed += [
            int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")
        ]
        writer.stdout.close()
        writer.wait()
    stored = {row["id"] for row in all_rows(store, tables.outbox)}
    assert set(confirmed) <= stored
    assert row_count(store, tables.ledger) == 2 * len(stored)  # whole units only
    assert store.read_now(ledger.audit) == []


# A disk that fills up and is emptied again


@contextmanager
def file_size_limit(directory: Path) -> Iterator[None]:
    """Let no file of this process grow any more, as a disk quota does."""
    largest = max(path.stat().st_size for path in directory.iterdir())
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 100_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def ballast(directory: Path) -> Iterator[None]:
    """Fill the disk up to its last block."""
    file = directory / "ballast"
    left = os.statvfs(directory)
    file.write_bytes(bytes(left.f_bavail * left.f_frsize))
    yield
    file.unlink()


Fill = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["quota", "tmpfs"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Fill]]:
    """Return a directory, and how to fill the disk it is on."""
    directory = tmp_path / "disk"
    directory.mkdir()
    if request.param == "quota":
        yield directory, lambda: file_size_limit(directory)
        return
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", directory], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield directory, lambda: ballast(directory)
    finally:
        subprocess.run(["umount", directory], check=True)


def test_a_full_disk_is_an_error_and_passes(small_disk: tuple[Path, Fill]) -> None:
    directory, full = small_disk
    store = open_store(f"sqlite:///{directory}/gateway.db")
    store.migrate()
    open_account(store)
    committer = Committer(store)
    confirmed: list[int] = []

    def write(first: int, count: int) -> list[bool]:
        """Commit `count` batches of 40 units; return which of them went well."""
        went_well = []
        for batch in range(count):
            ids = range(first + batch * 40, first + batch * 40 + 40)
            units = [
                Changes(outbox=[outbox_row(n, payload="x" * 500)], ledger=[ledger_row("credit", 1)])
                for n in ids
            ]
            outcomes = committer.commit(units)
            assert all(outcome is None or isinstance(outcome, StoreUnavailable) for outcome in outcomes)
            assert len({outcome is None for outcome in outcomes}) == 1  # the batch as a whole
            went_well.append(outcomes[0] is None)
            confirmed.extend(ids if outcomes[0] is None else ())
        return went_well

    assert all(write(1, 3))
    with full():
        assert not all(write(100_000, 30))
        assert row_count(store, tables.accounts) == 1  # it can still be read
    assert all(write(200_000, 3))
    assert [row["id"] for row in all_rows(store, tables.outbox)] == sorted(confirmed)
    assert row_count(store, tables.ledger) == len(confirmed)
    assert store.read_now(ledger.audit) == []
    assert store.read_now(lambda connection: connection.scalar(text("PRAGMA integrity_check"))) == "ok"
    committer.close()
    store.close()
