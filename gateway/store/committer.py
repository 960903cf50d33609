"""The writer thread's work: one batch of units, one transaction, and what to do when it fails."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, StatementError

from gateway.errors import RowRefused, StoreUnavailable
from gateway.store.bulk import Bulk
from gateway.store.changes import Parts
from gateway.store.engine import Store
from gateway.store.tally import Tally

Outcome = Exception | None

VERDICT_WAIT = 60.0  # seconds to wait for a server that vanished with our COMMIT
IN_PROGRESS = "in progress"
_CONNECTIONS = 2  # tried for one batch; one that was lost between two batches is noticed only when it is used
_CURRENT = text("SELECT pg_current_xact_id()::text")
_STATUS = text("SELECT pg_xact_status(CAST(:id AS xid8))")

# Every update here finds its rows by an index. A table that grows from nothing has no statistics for the
# first minutes, and a planner without them may read all of it for each batch.
_BY_KEY = """
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET plan_cache_mode = force_generic_plan
"""


class Ended(StoreUnavailable):
    """Nothing may be committed any more by this process; a new one finds in the store what is true."""


class Displaced(Ended):
    """Another gateway writes this database by now."""


class Undecided(Ended):
    """Nobody can say what was committed; to call it failed would disown what may exist, or write it twice."""


class Committer:
    """Commits batches on a connection of its own; made for one thread."""

    def __init__(self, store: Store, on_connect: Callable[[Connection], None] | None = None) -> None:
        """Connect at the first batch; `on_connect` sees every connection before anything is committed on it.

        It may raise `Ended`, which then is what `commit` raises.
        """
        self._store = store
        self._on_connect = on_connect
        self._bulk = Bulk(store.writer.dialect, Tally(store.writer.dialect))
        self._connection: Connection | None = None
        self._sent: tuple[str, Sequence[Outcome]] | None = None  # a COMMIT on its way: its id and meaning

    def commit(self, units: Sequence[Parts]) -> Sequence[Outcome]:
        """Commit `units`; return for each None, or why nothing of it was changed.

        A refused row harms its own unit only. A connection that was lost is replaced once; whatever keeps
        the database from working fails the whole batch, and the next one tries again. Raises `Ended`.
        """
        failure: Exception | None = None
        for _ in range(_CONNECTIONS):
            try:
                return self._settle(units)
            except Ended:
                raise
            except Exception as error:
                failure = error
                lost = self._lost()
                self._drop()
            if not lost:
                break
            known = self._outcomes_of_lost_commit()
            if known is not None:
                return known
        assert failure is not None
        return self._failed(units, failure)

    def connect(self) -> None:
        """Connect now; raises what `on_connect` does."""
        self._connected()

    def close(self) -> None:
        """Close the connection; its settings are not for others."""
        self._drop()

    def _settle(self, units: Sequence[Parts]) -> Sequence[Outcome]:
        self._sent = None
        try:
            self._together(units)
        except Exception as error:
            if isinstance(error, Ended) or self._store.is_unavailable(error):
                raise
            return self._one_by_one(units)
        return [None] * len(units)

    def _together(self, units: Sequence[Parts]) -> None:
        connection = self._connected()
        with connection.begin():
            self._bulk.write(connection.connection.cursor(), units)
            self._before_commit(connection, [None] * len(units))

    def _one_by_one(self, units: Sequence[Parts]) -> Sequence[Outcome]:
        """Give every unit a savepoint of its own, still with one commit for all."""
        connection = self._connected()
        outcomes: list[Outcome] = []
        with connection.begin():
            for unit in units:
                try:
                    with connection.begin_nested():
                        self._bulk.write(connection.connection.cursor(), (unit,))
                except Exception as error:
                    if self._store.is_unavailable(error):
                        raise
                    outcomes.append(_refused(error))
                else:
                    outcomes.append(None)
            self._before_commit(connection, outcomes)
        return outcomes

    def _before_commit(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        if self._store.dialect == "postgresql":
            self._sent = (connection.scalar(_CURRENT) or "", outcomes)

    def _outcomes_of_lost_commit(self) -> Sequence[Outcome] | None:
        """Return what a commit whose answer was lost with the connection has done; None: nothing.

        Committing again would count everything twice, failing would disown rows that exist: so we ask, and
        wait for the server if need be. Raises `Undecided` in the end.
        """
        if self._sent is None:
            return None
        transaction_id, outcomes = self._sent
        patience = time.monotonic() + VERDICT_WAIT
        while True:
            try:
                status = self._ask(transaction_id)
            except DBAPIError:
                self._drop()
                status = IN_PROGRESS
            if status != IN_PROGRESS:
                return outcomes if status == "committed" else None
            if time.monotonic() >= patience:
                raise Undecided(f"nobody can say whether transaction {transaction_id} was committed")
            time.sleep(0.2)

    def _ask(self, transaction_id: str) -> str | None:
        connection = self._connected()
        with connection.begin():
            status: str | None = connection.scalar(_STATUS, {"id": transaction_id})
        return status

    def _lost(self) -> bool:
        """Whether the connection is gone: a new one may well work."""
        if self._connection is None:
            return False
        if self._connection.invalidated:
            return True
        raw: Any = self._connection.connection.driver_connection
        return self._store.dialect == "postgresql" and bool(raw.closed or raw.broken)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._store.writer.connect()
            if self._store.dialect == "postgresql":
                self._connection.exec_driver_sql(_BY_KEY)
                self._connection.commit()
            if self._on_connect is not None:
                try:
                    self._on_connect(self._connection)
                except BaseException:  # what it did not agree to must not be committed on
                    self._drop()
                    raise
        return self._connection

    def _drop(self) -> None:
        """Forget the connection, whatever state it is in; the pool opens another when asked."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _failed(self, units: Sequence[Parts], error: Exception) -> Sequence[Outcome]:
        reason = error.orig if isinstance(error, DBAPIError) else error
        failure = StoreUnavailable(f"nothing was committed: {reason}")
        failure.__cause__ = error
        return [failure] * len(units)


def _refused(error: Exception) -> RowRefused:
    reason = error.orig if isinstance(error, StatementError) else error
    refused = RowRefused(str(reason))
    refused.__cause__ = error
    return refused
