"""The outbox: what is left to tell each customer, oldest first."""

from functools import partial

from gateway.store import outbox
from gateway.store.changes import Changes
from gateway.store.engine import Store
from tests.support.messages import NOON_MS
from tests.support.rows import ACCOUNT, commit, outbox_row


def test_reports_wait_until_they_are_done(store: Store) -> None:
    rows = [outbox_row(n) for n in (3, 1, 2)] + [outbox_row(4, "acc-two")]
    commit(store, Changes(outbox=rows))
    assert sorted(store.read_now(outbox.accounts_waiting)) == [ACCOUNT, "acc-two"]
    ask = partial(outbox.waiting_after, account_id=ACCOUNT)
    assert store.read_now(partial(ask, after_id=0, limit=2)) == [outbox_row(1), outbox_row(2)]
    assert store.read_now(partial(ask, after_id=2, limit=2)) == [outbox_row(3)]
    later, done = (1, NOON_MS + 5_000, 1, None, None), (2, NOON_MS, 1, NOON_MS + 1, "delivered")
    commit(store, Changes(outbox_moves=[later, done]))
    left = store.read_now(partial(ask, after_id=0, limit=9))
    assert [(row[0], row[5], row[6]) for row in left] == [(1, NOON_MS + 5_000, 1), (3, NOON_MS, 0)]
    commit(store, Changes(outbox_moves=[(n, NOON_MS, 2, NOON_MS + 2, "gave_up") for n in (1, 3)]))
    assert store.read_now(outbox.accounts_waiting) == ["acc-two"]
