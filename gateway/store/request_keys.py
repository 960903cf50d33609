"""Requests that must not be done twice: who sends one names a key, and a second one with it is refused."""

from typing import TypeVar

from sqlalchemy import Connection, delete, text

from gateway.errors import Conflict
from gateway.store import tables_operators as tables
from gateway.store.engine import Work

T = TypeVar("T")

KEPT = 7 * 24 * 3_600_000  # ms a key is remembered

_CLAIM = text("INSERT INTO request_keys (actor, key, at) VALUES (:actor, :key, :at) ON CONFLICT DO NOTHING")


def once(actor: str, key: str, now_ms: int, work: Work[T]) -> Work[T]:
    """Return `work` that uses up the actor's `key` in its own transaction.

    It raises `Conflict`, and does nothing, if the key was used before.
    """

    def wrapped(connection: Connection) -> T:
        keys = tables.request_keys
        connection.execute(delete(keys).where(keys.c.at <= now_ms - KEPT))
        if not connection.execute(_CLAIM, {"actor": actor, "key": key, "at": now_ms}).rowcount:
            raise Conflict(
                "a request with this Idempotency-Key was carried out before; nothing was done again"
            )
        return work(connection)

    return wrapped
