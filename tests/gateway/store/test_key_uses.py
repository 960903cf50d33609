"""The last use of a key: the latest one stays, whoever writes last."""

from sqlalchemy import select

from gateway.store.engine import Store
from gateway.store.key_uses import keep_uses
from gateway.store.tables_keys import key_uses


def rows(store: Store) -> list[tuple[str, int, str]]:
    query = select(key_uses).order_by("public_key")
    return store.read_now(lambda c: [tuple(row) for row in c.execute(query)])


def test_a_later_use_replaces_an_earlier_one_and_not_the_other_way_round(store: Store) -> None:
    store.transaction(lambda c: keep_uses(c, [("b", 5, "192.0.2.1"), ("a", 7, "192.0.2.2")]))
    store.transaction(lambda c: keep_uses(c, [("b", 4, "192.0.2.3"), ("a", 8, "::1"), ("c", 1, "")]))
    assert rows(store) == [("a", 8, "::1"), ("b", 5, "192.0.2.1"), ("c", 1, "")]


def test_nothing_used_is_nothing_written(store: Store) -> None:
    store.transaction(lambda c: keep_uses(c, []))
    assert rows(store) == []
