"""Status reports that wait to be told to customers. The journal writes them; this reads what is left."""

from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from gateway.store import tables
from gateway.store.changes import OUTBOX, Row
from gateway.store.query import Given, Query

_o = tables.outbox.c


def waiting_after(connection: Connection, account_id: str, after_id: int, limit: int) -> list[Row]:
    """Return the account's `OUTBOX` rows that are not done, with ids above `after_id`, oldest first."""
    rows = _WAITING.rows(connection, account=account_id, after=after_id, limit=limit)
    return [tuple(row) for row in rows]


def accounts_waiting(connection: Connection) -> list[str]:
    """Return the accounts that have reports waiting."""
    return [account_id for (account_id,) in _ACCOUNTS.rows(connection)]


def _waiting(given: Given) -> Select[Any]:
    mine = (_o.account_id == bindparam("account"), _o.done_at.is_(None), _o.id > bindparam("after"))
    return select(*(_o[name] for name in OUTBOX)).where(*mine).order_by(_o.id).limit(bindparam("limit"))


_WAITING = Query(_waiting)
_ACCOUNTS = Query(lambda given: select(_o.account_id).distinct().where(_o.done_at.is_(None)))
