"""Handsets' messages in the store, on both databases."""

import pytest
from sqlalchemy import Connection

from gateway.domain.inbound import Fate, Forwarding, Ownership, Wish, order_key
from gateway.domain.reassembly import Repeat
from gateway.store import inbound, tables
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.inbound import Finished
from gateway.store.tables_inbound import mo_messages
from tests.support.messages import NOON_MS, message, submission
from tests.support.rows import ACCOUNT, accepted, all_rows, commit, mo_message, open_account


def part(id_: int, payload: str = "6869") -> tuple[object, ...]:
    return (id_, "alpha", "60123456789", "1069", 0, 0, payload, "[]", NOON_MS, 1)


def callback(id_: int) -> tuple[object, ...]:
    return (id_, ACCOUNT, order_key("60123456789"), "{}", NOON_MS, NOON_MS, 0, None, None)


def test_a_finished_message_its_parts_and_its_callback_are_written_together(store: Store) -> None:
    commit(store, Changes(inbound=[part(1), part(2), part(3), part(4)]))
    done = Finished(mo_message(10), [1, 2], [3], callback(10))
    store.transaction(lambda c: inbound.finish(c, [done], [Repeat(4, 9)], {}.get))
    fates = [(row["mo_id"], Fate(row["fate"])) for row in all_rows(store, tables.inbound_messages)]
    assert fates == [(10, Fate.PART), (10, Fate.PART), (10, Fate.DUPLICATE), (9, Fate.DUPLICATE)]
    assert [row["id"] for row in all_rows(store, tables.outbox)] == [10]
    [kept] = store.read_now(lambda c: [inbound.load(row) for row in c.execute(mo_messages.select())])
    assert kept == mo_message(10)


def test_what_a_lost_commit_has_written_is_not_written_twice(store: Store) -> None:
    done = Finished(mo_message(10), [], [], callback(10))
    for _ in range(2):
        store.transaction(lambda c: inbound.finish(c, [done], [], {}.get))
    assert len(all_rows(store, mo_messages)) == 1


def test_only_a_wish_of_somebody_known_is_done_and_with_it_everything_or_nothing(store: Store) -> None:
    asked: list[tuple[str, str, str]] = []

    def obey(_: Connection, account: str, project: str, phone: str, _at: int) -> bool:
        asked.append((account, project, phone))
        return len(asked) > 1

    wishes = [
        mo_message(1, wish=Wish.OPT_OUT),
        mo_message(2, wish=Wish.OPT_OUT),
        mo_message(3, wish=Wish.OPT_OUT, account_id=None, project_id=None),
        mo_message(4, wish=Wish.OPT_OUT, source="Acme"),
        mo_message(5, wish=Wish.OPT_IN),
    ]
    done = [Finished(one, [], [], None) for one in wishes]
    changed = store.transaction(lambda c: inbound.finish(c, done, [], {Wish.OPT_OUT: obey}.get))
    assert changed == 1
    assert asked == [(ACCOUNT, "org-one", "60123456789")] * 2

    def fails(*_: object) -> bool:
        raise ZeroDivisionError

    more = [Finished(mo_message(6, wish=Wish.OPT_OUT), [], [], None)]
    with pytest.raises(ZeroDivisionError):
        store.transaction(lambda c: inbound.finish(c, more, [], {Wish.OPT_OUT: fails}.get))
    assert len(all_rows(store, mo_messages)) == 5


def test_a_wish_is_for_the_project_of_the_message_it_answers_too(store: Store) -> None:
    """An account's projects may share the number of the one that owns it."""
    open_account(store)
    commit(store, accepted(message(1, submission=submission(project_id="org-two"))))
    asked: list[str] = []

    def obey(_: Connection, _account: str, project: str, _phone: str, _at: int) -> bool:
        asked.append(project)
        return False

    for id_, answers in ((10, 1_001), (11, None), (12, 999)):
        reply = Finished(mo_message(id_, wish=Wish.OPT_OUT, message_id=answers), [], [], None)
        store.transaction(lambda c, reply=reply: inbound.finish(c, [reply], [], {Wish.OPT_OUT: obey}.get))
    assert asked == ["org-one", "org-two", "org-one", "org-one"]


@pytest.mark.parametrize("source", ["0", "0123456789", "1234567890123456", "", "Acme", "١٢٣"])
def test_no_number_is_made_up_for_a_sender_that_is_none(source: str) -> None:
    """`0123456789` is national: as E.164 it would opt out somebody in North America."""
    assert not inbound.is_phone(source)


def test_parts_that_wait_are_read_in_order_and_those_that_do_not_are_remembered(store: Store) -> None:
    commit(store, Changes(inbound=[part(n) for n in (3, 1, 2, 4)]))
    done = [Finished(mo_message(10), [1], [], None), Finished(mo_message(11), [3], [], None)]
    store.transaction(lambda c: inbound.finish(c, done, [], {}.get))
    waiting = store.read_now(lambda c: inbound.waiting_parts(c, 0, 10))
    assert waiting == [part(2), part(4)]
    assert store.read_now(lambda c: inbound.waiting_parts(c, 2, 1)) == [part(4)]
    assert store.read_now(lambda c: inbound.newest_parts(c, 10)) == [(part(1), 10), (part(3), 11)]


def test_who_wrote_to_a_handset_is_known_newest_first_with_what_the_message_said(store: Store) -> None:
    open_account(store)
    mine = submission(user_id="all")
    one, two = message(1, submission=mine), message(2, submission=mine, user_id="mine")
    commit(store, accepted(one), Changes(messages=[two.row()]))
    rows = [
        ("60123", "alpha", ACCOUNT, one.id, NOON_MS),
        ("60123", "beta", ACCOUNT, two.id, NOON_MS + 5),
        ("60123", "alpha", "acc-two", 77, NOON_MS + 9),
        ("60999", "alpha", ACCOUNT, one.id, NOON_MS),
    ]
    commit(store, Changes(contacts=rows))
    commit(store, Changes(contacts=[("60123", "alpha", ACCOUNT, two.id, NOON_MS + 1)]))
    facts = store.read_now(lambda c: inbound.facts(c, ["60123", "60123", "60000"], -1))
    assert set(facts.contacts) == {"60123"}
    found = facts.contacts["60123"]
    assert [(one.account_id, one.channel) for one in found] == [
        ("acc-two", "alpha"),
        (ACCOUNT, "beta"),
        (ACCOUNT, "alpha"),
    ]
    assert [(one.message_id, one.user_id) for one in found] == [
        (77, None),
        (two.id, "mine"),
        (two.id, "mine"),
    ]
    assert found[0].project_id is None
    assert found[1].phone_given == two.phone_given
    assert facts.numbers is not None
    assert store.read_now(lambda c: inbound.facts(c, [], facts.version)).numbers is None


def test_what_was_assigned_is_forwarded_once(store: Store) -> None:
    due = [mo_message(n, forwarding=Forwarding.DUE, ownership=Ownership.ASSIGNED) for n in (1, 2)]
    store.transaction(lambda c: inbound.finish(c, [Finished(m, [], [], None) for m in due], [], {}.get))
    assert store.read_now(lambda c: inbound.assigned(c, 10)) == due
    moved = [(due[0], callback(1)), (due[1], None)]
    for _ in range(2):
        store.transaction(lambda c: inbound.forward(c, moved))
    states = [Forwarding(row["forwarding"]) for row in all_rows(store, mo_messages)]
    assert states == [Forwarding.QUEUED, Forwarding.NO_URL]
    assert [row["id"] for row in all_rows(store, tables.outbox)] == [1]
    assert store.read_now(lambda c: inbound.assigned(c, 10)) == []
