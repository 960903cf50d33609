"""A unit hands over rows as the messages stand, and runs what waited for its commit, or takes it back."""

from gateway.domain.message import Reason, State
from gateway.flow.unit import Unit
from gateway.store.changes import KINDS, Changes
from tests.support.messages import NOON_MS, message


def by_name(unit: Unit) -> Changes:
    return Changes(**{KINDS[number]: rows for number, rows in unit})


def test_an_empty_unit_writes_nothing() -> None:
    assert not Unit()
    assert list(Unit()) == []


def test_a_message_moved_twice_is_written_once_as_it_stands() -> None:
    unit, one = Unit(), message()
    for state, reason in ((State.SENDING, Reason.CLAIMED_AT_ACCEPT), (State.SUBMITTED, Reason.SUBMITTED)):
        one.move(state, reason)
        unit.moved[one.id] = one
    assert unit
    assert by_name(unit).moves == [one.move_row()]
    assert by_name(unit).moves[0][1:3] == (State.SUBMITTED, Reason.SUBMITTED)


def test_events_and_money_name_their_message() -> None:
    unit, one = Unit(), message()
    unit.event(one.id, NOON_MS, State.HELD, Reason.RETRY_BACKOFF, "busy")
    unit.post(one, "release", (50_000, -50_000), NOON_MS, "why")
    changes = by_name(unit)
    assert changes.events == [(one.id, NOON_MS, State.HELD, Reason.RETRY_BACKOFF, "busy")]
    assert changes.ledger == [("acc-one", "release", 50_000, -50_000, 1_000, one.id, NOON_MS, "why")]


def test_what_follows_runs_in_order_and_what_undoes_runs_in_reverse() -> None:
    unit = Unit()
    steps: list[str] = []
    unit.then += [lambda: steps.append("first"), lambda: steps.append("second")]
    unit.undo += [lambda: steps.append("undo first"), lambda: steps.append("undo second")]
    unit.committed()
    unit.failed()
    assert steps == ["first", "second", "undo second", "undo first"]


def test_apart_every_message_has_its_own_rows_and_nothing_is_left_out() -> None:
    unit, one, two = Unit(), message(1), message(2)
    for each in (one, two):
        unit.moved[each.id] = each
        unit.post(each, "release", (1, -1), NOON_MS)
        unit.event(each.id, NOON_MS, State.HELD, Reason.RETRY_BACKOFF)
    unit.marks.append(("overdue/alpha", 7))
    apart = unit.apart()
    kinds = sorted(sorted(KINDS[number] for number, _ in rows) for rows in apart)
    assert kinds == [["events", "ledger", "moves"], ["events", "ledger", "moves"], ["marks"]]
    assert sum(len(rows) for parts in apart for _, rows in parts) == sum(len(rows) for _, rows in unit)


def test_one_action_that_fails_does_not_keep_the_others_from_running() -> None:
    unit = Unit()
    steps: list[str] = []

    def fails() -> None:
        raise RuntimeError("a bug")

    unit.then += [fails, lambda: steps.append("second")]
    unit.undo += [lambda: steps.append("undone"), fails]
    unit.committed()
    unit.failed()
    assert steps == ["second", "undone"]
