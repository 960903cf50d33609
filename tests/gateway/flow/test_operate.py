"""What operators change of customers: done and written down together, or not at all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.operator import Actor, ActorKind, Role
from gateway.errors import Conflict, GatewayError, Invalid, NotFound
from gateway.flow import operate
from gateway.store import tables_operators
from gateway.store.accounts import NewAccount
from gateway.store.audit import By
from gateway.store.engine import Store
from tests.support.admin import RING
from tests.support.database import prepared_store
from tests.support.messages import NOON_MS
from tests.support.rows import all_rows, row_count

BY = By(Actor("alice", ActorKind.CLI, Role.ADMIN, via="root@host"), NOON_MS, "ticket 7")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = prepared_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def acme(store: Store) -> NewAccount:
    return store.transaction(lambda c: operate.create_account(c, RING, "Acme", BY))


def rows(store: Store) -> list[tuple[str, str, Any, Any]]:
    return [
        (row["action"], row["subject_id"], *(json.loads(row[name] or "null") for name in ("before", "after")))
        for row in all_rows(store, tables_operators.audit)
    ]


def test_each_change_has_its_line_with_before_and_after(store: Store, acme: NewAccount) -> None:
    id_ = acme.account_id
    store.transaction(lambda c: operate.credit(c, id_, 5_000_000, BY))
    store.transaction(lambda c: operate.set_callback(c, id_, "https://acme.example/", BY))
    store.transaction(lambda c: operate.debit(c, id_, 2_000_000, BY))
    made, credited, callback, debited = rows(store)
    assert debited[0] == "account.debit"
    assert debited[2:] == ({"available": "5.00"}, {"available": "3.00", "debited": "2.00"})
    assert (made[0], made[2], made[3]["public_key"]) == ("account.create", None, acme.public_key)
    assert credited[2:] == ({"available": "0.00"}, {"available": "5.00", "credited": "5.00"})
    assert callback[2:] == ({"callback_url": None}, {"callback_url": "https://acme.example/"})


def test_a_private_key_is_not_written_down(store: Store, acme: NewAccount) -> None:
    assert acme.private_key not in str(all_rows(store, tables_operators.audit))


def test_what_is_refused_leaves_no_line(store: Store, acme: NewAccount) -> None:
    before = row_count(store, tables_operators.audit)
    refused: list[tuple[Any, type[GatewayError]]] = [
        (lambda c: operate.create_account(c, RING, "", BY), Invalid),
        (lambda c: operate.credit(c, acme.account_id, 0, BY), Invalid),
        (lambda c: operate.credit(c, "acc-nobody", 5, BY), NotFound),
        (lambda c: operate.debit(c, acme.account_id, 0, BY), Invalid),
        (lambda c: operate.debit(c, acme.account_id, 5, replace(BY, reason=" ")), Invalid),
        (lambda c: operate.debit(c, acme.account_id, 5, BY), Conflict),
        (lambda c: operate.debit(c, "acc-nobody", 5, BY), NotFound),
        (lambda c: operate.set_callback(c, acme.account_id, "ftp://x", BY), Invalid),
        (lambda c: operate.set_callback(c, "acc-nobody", None, BY), NotFound),
    ]
    for work, kind in refused:
        with pytest.raises(kind):
            store.transaction(work)
    assert row_count(store, tables_operators.audit) == before
