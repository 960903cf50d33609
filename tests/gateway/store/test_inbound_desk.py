"""What operators see of handsets' messages, and the unowned ones they give away."""

import pytest
from sqlalchemy import insert

from gateway.domain.inbound import Flag, Ownership
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import inbound_desk, revisions, tables
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.inbound import Finished, finish
from gateway.store.inbound_desk import Wanted
from gateway.store.tables_inbound import mo_messages
from gateway.store.tables_operators import audit
from tests.support.messages import NOON_MS
from tests.support.rows import ACCOUNT, BY, all_rows, commit, mo_message, open_account

NOBODYS = {"account_id": None, "project_id": None, "ownership": Ownership.NOBODY}


@pytest.fixture(autouse=True)
def three(store: Store) -> None:
    open_account(store)
    values = {"id": "org-one", "account_id": ACCOUNT, "name": "One", "is_default": True, "created_at": 0}
    store.transaction(lambda c: c.execute(insert(tables.projects).values(values)))
    made = [
        mo_message(1),
        mo_message(2, **NOBODYS, channel="beta", flags=Flag.CONFLICT, missing="2,3"),
        mo_message(3, source="60999"),
    ]
    row = (7, "beta", "60123456789", "1069", 0, 0, "6869", "[]", NOON_MS, 1)
    commit(store, Changes(inbound=[row]))
    parts = {2: [7]}
    done = [Finished(one, parts.get(one.id, []), [], None) for one in made]
    store.transaction(lambda c: finish(c, done, [], {}.get))


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), [3, 2, 1]),
        (Wanted(unowned=True), [2]),
        (Wanted(account_id=ACCOUNT), [3, 1]),
        (Wanted(channel="beta"), [2]),
        (Wanted(source="60999"), [3]),
        (Wanted(before_id=3), [2, 1]),
    ],
)
def test_lists_are_newest_first_and_may_be_narrowed(store: Store, wanted: Wanted, ids: list[int]) -> None:
    assert [one["id"] for one in store.read_now(lambda c: inbound_desk.listed(c, wanted, 10))] == ids
    assert [one["id"] for one in store.read_now(lambda c: inbound_desk.listed(c, wanted, 1))] == ids[:1]


@pytest.mark.parametrize("limit", [0, 1_001])
def test_a_list_is_bounded(store: Store, limit: int) -> None:
    with pytest.raises(Invalid):
        store.read_now(lambda c: inbound_desk.listed(c, Wanted(), limit))


def test_one_message_shows_its_parts_and_reasons_in_words(store: Store) -> None:
    found = store.read_now(lambda c: inbound_desk.one(c, 2))
    assert (found["ownership"], found["flags"], found["missing"]) == ("nobody", ["conflict"], [2, 3])
    assert [(part["id"], part["fate"], part["payload_hex"]) for part in found["parts"]] == [
        (7, "part", "6869")
    ]
    assert found["callbacks"] == []


@pytest.mark.parametrize(
    ("outcome", "done_at", "forwarding"),
    [
        ("delivered", NOON_MS, "delivered"),
        ("gave_up: HTTP 500", NOON_MS, "gave_up"),
        ("waiting: HTTP 500", None, "queued"),
    ],
)
def test_forwarding_is_told_to_its_end(
    store: Store, outcome: str, done_at: int | None, forwarding: str
) -> None:
    row = (1, ACCOUNT, -1, "{}", NOON_MS, NOON_MS, 1, done_at, outcome)
    commit(store, Changes(outbox=[row]))
    (listed,) = store.read_now(lambda c: inbound_desk.listed(c, Wanted(before_id=2), 10))
    assert listed["forwarding"] == forwarding
    assert store.read_now(lambda c: inbound_desk.one(c, 1))["forwarding"] == forwarding


@pytest.mark.parametrize("id_", [0, 4, 1 << 70])
def test_a_message_that_is_not_there_is_not_found(store: Store, id_: int) -> None:
    with pytest.raises(NotFound):
        store.read_now(lambda c: inbound_desk.one(c, id_))


def test_an_unowned_message_is_given_away_once(store: Store) -> None:
    given = store.transaction(lambda c: inbound_desk.assign(c, 2, (ACCOUNT, ""), {}, BY))
    assert (given["account_id"], given["project_id"]) == (ACCOUNT, "org-one")
    assert (given["ownership"], given["forwarding"]) == ("assigned", "due")
    assert store.read_now(revisions.current)[revisions.INBOUND] == 1
    [told] = all_rows(store, audit)
    assert (told["action"], told["subject_id"]) == ("inbound.assign", "2")
    with pytest.raises(Conflict, match=ACCOUNT):
        store.transaction(lambda c: inbound_desk.assign(c, 2, (ACCOUNT, ""), {}, BY))


def test_nobody_gets_what_is_somebodys_and_nobody_unknown_gets_anything(store: Store) -> None:
    with pytest.raises(Conflict):
        store.transaction(lambda c: inbound_desk.assign(c, 1, (ACCOUNT, ""), {}, BY))
    for owner in (("acc-none", ""), (ACCOUNT, "org-none")):
        with pytest.raises(NotFound):
            store.transaction(lambda c, o=owner: inbound_desk.assign(c, 2, o, {}, BY))
    assert store.read_now(lambda c: inbound_desk.one(c, 2))["account_id"] is None


def test_what_is_blanked_cannot_be_given_away(store: Store) -> None:
    store.transaction(lambda c: c.execute(mo_messages.update().values(source=None, text=None)))
    with pytest.raises(Conflict, match="blanked"):
        store.transaction(lambda c: inbound_desk.assign(c, 2, (ACCOUNT, ""), {}, BY))
