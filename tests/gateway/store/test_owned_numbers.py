"""Numbers given, taken and listed; the running gateway is told each time."""

import pytest
from sqlalchemy import insert

from gateway.errors import Conflict, GatewayError, Invalid, NotFound
from gateway.store import owned_numbers, revisions, tables
from gateway.store.engine import Store
from gateway.store.tables_operators import audit
from tests.support.rows import ACCOUNT, BY, all_rows, open_account


@pytest.fixture(autouse=True)
def account(store: Store) -> None:
    open_account(store)
    for id_, default in (("org-one", True), ("org-two", False)):
        values = {"id": id_, "account_id": ACCOUNT, "name": id_, "is_default": default, "created_at": 0}
        store.transaction(lambda c, v=values: c.execute(insert(tables.projects).values(v)))


def add(store: Store, number: str = "1069", extend: str = "", channel: str = "", project: str = "") -> int:
    place, owner = owned_numbers.Place(number, extend, channel), (ACCOUNT, project)
    return store.transaction(
        lambda c: owned_numbers.add(c, place, owner, BY)
    ).id  # fmt: skip


def revision(store: Store) -> int:
    return store.read_now(revisions.current).get(revisions.INBOUND, 0)


def test_a_number_belongs_to_a_project_the_default_one_if_none_is_named(store: Store) -> None:
    add(store)
    add(store, extend="01", project="org-two")
    table = store.read_now(owned_numbers.load)
    for destination, project in (("10699", "org-one"), ("106901", "org-two")):
        found = table.owner("alpha", destination)
        assert found
        assert found.owned.project_id == project
    assert revision(store) == 2


def test_a_number_may_belong_to_different_accounts_by_channel_and_extend_code_but_once_each(
    store: Store,
) -> None:
    add(store)
    add(store, channel="alpha")
    add(store, number="", channel="alpha")
    with pytest.raises(Conflict):
        add(store, channel="alpha")
    assert len(store.read_now(owned_numbers.everything)) == 3


def test_a_number_removed_is_nobodys(store: Store) -> None:
    id_ = add(store)
    assert store.transaction(lambda c: owned_numbers.remove(c, id_, BY)).number == "1069"
    assert store.read_now(lambda c: owned_numbers.everything(c, ACCOUNT)) == []
    assert revision(store) == 2
    told = [(row["action"], row["subject_id"]) for row in all_rows(store, audit)]
    assert told == [("number.add", str(id_)), ("number.remove", str(id_))]
    with pytest.raises(NotFound):
        store.transaction(lambda c: owned_numbers.remove(c, id_, BY))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"number": "+1069"}, Invalid),
        ({"number": "１０６９"}, Invalid),
        ({"number": "1" * 18, "extend": "123"}, Invalid),
        ({"number": "", "extend": "1"}, Invalid),
        ({"project": "org-none"}, NotFound),
    ],
)
def test_what_cannot_be_owned_is_refused_and_changes_nothing(
    store: Store, wrong: dict[str, str], error: type[GatewayError]
) -> None:
    with pytest.raises(error):
        add(store, **wrong)
    assert revision(store) == 0


def test_an_account_nobody_knows_owns_nothing(store: Store) -> None:
    with pytest.raises(NotFound, match="acc-none"):
        store.transaction(lambda c: owned_numbers.add(c, owned_numbers.Place("1069"), ("acc-none", ""), BY))
