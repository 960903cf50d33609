"""Things happen when due, in order."""

from carriers.simulator.agenda import Agenda


def test_actions_run_in_order_of_time_then_of_giving() -> None:
    agenda, ran = Agenda(), []
    for when, name in ((2.0, "late"), (1.0, "first"), (1.0, "second"), (9.0, "never")):
        agenda.add(when, ran.append, name)
    assert agenda.next_due() == 1.0
    agenda.run_due(0.5)
    assert ran == []
    agenda.run_due(2.0)
    assert ran == ["first", "second", "late"]
    assert len(agenda) == 1


def test_an_action_may_add_another_that_is_due_at_once() -> None:
    agenda, ran = Agenda(), []

    def again(name: str) -> None:
        ran.append(name)
        agenda.add(1.0, ran.append, "again")

    agenda.add(1.0, again, "once")
    agenda.run_due(1.0)
    assert ran == ["once", "again"]
    assert agenda.next_due() is None
