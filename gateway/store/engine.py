"""Opens the store: SQLite or PostgreSQL, tuned so that a commit survives power loss."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from gateway.errors import Invalid, StoreUnavailable

T = TypeVar("T")
Work = Callable[[Connection], T]  # what is done inside one transaction

NEWEST_MIGRATION = "0_1_0_09"  # a store that says so is up to date
READERS = 2  # threads: one long report must not hold up the queue's reads
LOCK_WAIT = 10.0  # seconds another process may hold SQLite's write lock before we give up
_WRITER_CACHE_KIB = 32 * 1024
_READER_CACHE_KIB = 8 * 1024
# Pages written between two checkpoints. A checkpoint writes each page once, however often it changed, and
# costs two fsyncs: the default of 1,000 pages is reached every few commits of a busy gateway.
_CHECKPOINT_PAGES = 8_192
_WAL_LIMIT = 64 * 1024 * 1024  # a burst may grow the file; it is cut back to this
_NO_DATABASE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
VICTIM_TRIES = 4  # of a transaction that others at the same time made impossible
_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"  # PostgreSQL's SQLSTATEs
_OLDEST_SQLITE = (3, 35, 0)  # UPDATE … FROM (3.33), RETURNING (3.35)

_POSTGRESQL_ARGUMENTS = {
    "connect_timeout": 5,
    # a host that vanished without a word is noticed in seconds, not after the kernel's two hours
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    # the server, too, lets go of what we held within seconds if it is we who vanished
    "options": "-c synchronous_commit=on -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s "
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
}


class Store:
    """One database: a writing side for the journal and for short transactions, a reading side on threads."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        """Take the two engines that `open_store` made."""
        self.writer = writer
        self.reader = reader
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgresql`."""
        return self.writer.dialect.name

    def migrate(self) -> None:
        """Bring the schema up to date; several processes may do so at once."""
        if self.read_now(_is_current):
            return
        # loaded here: Alembic takes longer to start than most commands take to run, and seldom has work
        from gateway.store.migrations import upgrade  # noqa: PLC0415

        try:
            upgrade(self.writer)
        except DBAPIError as error:
            raise self.translated(error) from error

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` on a reader thread, all of it on one snapshot; raises `StoreUnavailable`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_now, query)

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """Run `query` on this thread, all of it on one snapshot; raises `StoreUnavailable`."""
        try:
            with self.reader.begin() as connection:
                return query(connection)
        except DBAPIError as error:
            raise self.translated(error) from error

    def transaction(self, work: Callable[[Connection], T]) -> T:
        """Run `work` and commit; raises `StoreUnavailable` or what `work` raised, and nothing was changed.

        If the database ends it for the sake of another transaction, `work` is run anew: so what it changes
        besides the database must bear that.
        """
        for left in range(VICTIM_TRIES - 1, -1, -1):
            try:
                with self.writer.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if not left or not _is_victim(error):
                    raise self.translated(error) from error
            time.sleep(random.uniform(0.001, 0.02))  # not in step with the one that went on
        raise AssertionError

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do as `transaction` does, on a thread of its own pool, for housekeeping beside the journal."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.transaction, work)

    def is_unavailable(self, error: BaseException) -> bool:
        """Whether `error` says the database could not, rather than would not, do the work."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        driver: Any = self.writer.dialect.loaded_dbapi
        if isinstance(cause, driver.OperationalError):
            return True
        if getattr(cause, "sqlite_errorcode", None) in _NO_DATABASE:
            return True
        # psycopg reports a connection closed before so; sqlite3 a value it cannot bind
        return self.dialect == "postgresql" and isinstance(cause, driver.InterfaceError)

    def translated(self, error: Exception) -> Exception:
        """Return `StoreUnavailable` where that is what `error` means, else `error` itself."""
        if not self.is_unavailable(error):
            return error
        return StoreUnavailable(str(error.orig if isinstance(error, DBAPIError) else error))

    def close(self) -> None:
        """Wait for running reads, then close every connection."""
        self._threads.shutdown()
        self.reader.dispose()
        self.writer.dispose()


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [NEWEST_MIGRATION]


def open_store(url: str) -> Store:
    """Return the store at `url` (`sqlite:///path` or `postgresql://…`); connects when first used."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Invalid("the store's url is not a database URL, e.g. sqlite:///gateway.db") from error
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(parsed.set(drivername="postgresql+psycopg"))
    raise Invalid(f"the store's url names {parsed.get_backend_name()}; sqlite and postgresql are supported")


def _open_sqlite(url: URL) -> Store:
    if not url.database or url.database == ":memory:":
        raise Invalid("the store must be a file: sqlite:///path/to/gateway.db")
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise Invalid(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    Path(url.database).absolute().parent.mkdir(parents=True, exist_ok=True)
    writer = _sqlite_engine(url, _WRITER_PRAGMAS, _begin_immediate)
    reader = _sqlite_engine(url, _READER_PRAGMAS, _begin_deferred)
    return Store(writer, reader)


_COMMON_PRAGMAS = ("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
_WRITER_PRAGMAS = (
    *_COMMON_PRAGMAS,
    f"cache_size = -{_WRITER_CACHE_KIB}",
    f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    f"journal_size_limit = {_WAL_LIMIT}",
    "busy_timeout = 0",  # the wait for the write lock is _begin_immediate's
)
_READER_PRAGMAS = (*_COMMON_PRAGMAS, f"cache_size = -{_READER_CACHE_KIB}", "query_only = ON")


def _sqlite_engine(url: URL, pragmas: tuple[str, ...], begin: Callable[[Connection], None]) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=READERS + 1,
        hide_parameters=True,  # texts and numbers have no place in an error message
        connect_args={
            "timeout": LOCK_WAIT,
            "check_same_thread": False,
            "isolation_level": None,  # we say BEGIN ourselves, and which
            "cached_statements": 256,
        },
    )

    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock, asking often.

    SQLite's own wait backs off to 100 ms. Between two commits of a busy journal the lock is free for less
    than one, so a command line tool that waits that way may never get its turn.
    """
    deadline = time.monotonic() + LOCK_WAIT
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        except OperationalError as error:
            if not _locked(error) or time.monotonic() >= deadline:
                raise
        time.sleep(random.uniform(0.0001, 0.0006))


def _is_victim(error: DBAPIError) -> bool:
    """Whether the transaction was rolled back whole, and only because of another one at the same time."""
    return getattr(error.orig, "sqlstate", None) in (_SERIALIZATION_FAILURE, _DEADLOCK)


def _locked(error: OperationalError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _open_postgresql(url: URL) -> Store:
    writer = create_engine(
        url,
        pool_size=READERS + 1,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=_POSTGRESQL_ARGUMENTS,
    )
    reader = create_engine(
        url,
        pool_size=READERS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=_POSTGRESQL_ARGUMENTS,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )
    return Store(writer, reader)
