"""Money: what each account has, credits, and the proof that balances are the sum of the ledger.

The journal writes reservations, captures and releases; only credits are made here, and credits below 0, which
take money back.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal_column,
    select,
)

from gateway.domain.money import format_amount
from gateway.errors import Conflict, NotFound
from gateway.store import revisions, tables
from gateway.store.bulk import BALANCES, Statement, balance_changes
from gateway.store.changes import LEDGER, Row
from gateway.store.query import Given, Query

_l = tables.ledger.c
_b = tables.balances.c

_CREDIT = literal_column("'credit'", Text)  # as the index says it


@dataclass(slots=True)
class Credit:
    """Money an operator added, or took back."""

    seq: int
    account_id: str
    amount: int  # micro-units; below 0: taken back


@dataclass(slots=True)
class Discrepancy:
    """An account whose balance is not the sum of its ledger rows; there are none unless rows were edited."""

    account_id: str
    balance: tuple[int, int, int]  # available, reserved, captured
    ledger: tuple[int, int, int]


def balances(connection: Connection) -> tuple[dict[str, int], int]:
    """Return what each account can spend, and the newest credit that is counted in."""
    rows = _AVAILABLE.rows(connection)
    return {account_id: available for account_id, available in rows}, last_seq(connection)


def last_seq(connection: Connection) -> int:
    """Return the seq of the newest credit, 0 if there is none."""
    return connection.scalar(select(func.max(_l.seq)).where(_l.kind == _CREDIT)) or 0


def credits_after(connection: Connection, seq: int) -> list[Credit]:
    """Return the credits newer than `seq`, in order."""
    return [Credit(*row) for row in _CREDITS.rows(connection, after=seq)]


def credit(connection: Connection, account_id: str, amount: int, now_ms: int, note: str) -> int:
    """Add `amount` micro-units in the caller's transaction and return the ledger row's seq.

    The running gateway is told by the revision. That is bumped first: its row's lock makes credits commit
    in the order of their seq, so that whoever reads on from one seq misses none. Raises `NotFound`.
    """
    _open(connection, account_id)
    return _post(connection, account_id, amount, now_ms, note)


def debit(connection: Connection, account_id: str, amount: int, now_ms: int, note: str) -> int:
    """Take `amount` micro-units back in the caller's transaction and return the ledger row's seq.

    It is a credit below 0, so the running gateway learns of it as of any other. What is reserved stays so.
    Raises `NotFound`, and `Conflict` if less than `amount` can be spent.
    """
    _open(connection, account_id)
    balance = select(_b.available).where(_b.account_id == account_id).with_for_update()
    available = connection.scalar(balance) or 0
    if available < amount:
        raise Conflict(
            f"account {account_id} can spend {format_amount(available)}: {format_amount(amount)} is more"
        )
    return _post(connection, account_id, -amount, now_ms, note)


def audit(connection: Connection) -> list[Discrepancy]:
    """Return the accounts whose balance is not the sum of their ledger rows; reads the whole ledger."""
    sums = {row[0]: tuple(row[1:]) for row in _SUMS.rows(connection)}
    found = {row[0]: tuple(row[1:]) for row in _BALANCES.rows(connection)}
    nothing = (0, 0, 0)
    return [
        Discrepancy(account_id, found.get(account_id, nothing), sums.get(account_id, nothing))
        for account_id in sorted(sums.keys() | found.keys())
        if found.get(account_id, nothing) != sums.get(account_id, nothing)
    ]


def _open(connection: Connection, account_id: str) -> None:
    if not connection.scalar(select(tables.accounts.c.id).where(tables.accounts.c.id == account_id)):
        raise NotFound(f"there is no account {account_id}")
    revisions.bump(connection, revisions.MONEY)


def _post(connection: Connection, account_id: str, amount: int, now_ms: int, note: str) -> int:
    row: Row = (account_id, "credit", amount, 0, None, None, now_ms, note)
    made = connection.execute(insert(tables.ledger).values(dict(zip(LEDGER, row, strict=True))))
    Statement(BALANCES, connection.dialect).execute(connection.connection.cursor(), balance_changes([row]))
    assert made.inserted_primary_key is not None
    seq: int = made.inserted_primary_key[0]
    return seq


def _credits(given: Given) -> Select[Any]:
    credits_ = select(_l.seq, _l.account_id, _l.amount).where(_l.kind == _CREDIT, _l.seq > bindparam("after"))
    return credits_.order_by(_l.seq)


def _sums(given: Given) -> Select[Any]:
    captured = case((_l.kind == "capture", -(_l.amount + _l.reserved)), else_=0)
    sums = (
        cast(func.sum(column), BigInteger).label(name)
        for name, column in (("available", _l.amount), ("reserved", _l.reserved), ("captured", captured))
    )
    return select(_l.account_id, *sums).group_by(_l.account_id)


_AVAILABLE = Query(lambda given: select(_b.account_id, _b.available))
_BALANCES = Query(lambda given: select(_b.account_id, _b.available, _b.reserved, _b.captured))
_CREDITS = Query(_credits)
_SUMS = Query(_sums)
