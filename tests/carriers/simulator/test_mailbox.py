"""No receipt is lost on its way to the customer, whoever comes and goes."""

from hypothesis import given
from hypothesis import strategies as st

from carriers.simulator.behaviour import OUTCOMES
from carriers.simulator.mailbox import Mailbox
from carriers.simulator.record import Pending


class Session:
    """A receiver that keeps what it was given."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.held: list[Pending] = []

    def room(self) -> int:
        return self.window - len(self.held)

    def deliver(self, pending: Pending) -> None:
        assert self.room() > 0
        self.held.append(pending)


def receipt(number: int) -> Pending:
    return Pending(str(number), "acme", "Acme", "60123", OUTCOMES["delivered"], 0.0)


def ids(held: list[Pending]) -> list[str]:
    return [pending.message_id for pending in held]


def test_receipts_wait_for_somebody_to_bind() -> None:
    mailbox, session = Mailbox(), Session(window=10)
    mailbox.post(receipt(1))
    mailbox.post(receipt(2))
    mailbox.join(session)
    assert ids(session.held) == ["1", "2"]


def test_a_full_window_holds_the_rest_back() -> None:
    mailbox, session = Mailbox(), Session(window=1)
    mailbox.join(session)
    mailbox.post(receipt(1))
    mailbox.post(receipt(2))
    assert ids(session.held) == ["1"]
    session.held.clear()
    mailbox.pump()
    assert ids(session.held) == ["2"]


def test_what_a_lost_session_held_goes_out_first_and_in_order() -> None:
    mailbox, first, second = Mailbox(), Session(window=2), Session(window=9)
    mailbox.join(first)
    for number in (1, 2, 3):
        mailbox.post(receipt(number))
    mailbox.leave(first, first.held)
    mailbox.join(second)
    assert ids(second.held) == ["1", "2", "3"]


def test_sessions_take_turns() -> None:
    mailbox, first, second = Mailbox(), Session(window=9), Session(window=9)
    mailbox.join(first)
    mailbox.join(second)
    for number in range(6):
        mailbox.post(receipt(number))
    assert len(first.held) == len(second.held) == 3


@given(st.lists(st.sampled_from(["post", "join", "leave", "acknowledge"]), max_size=60))
def test_every_receipt_is_in_exactly_one_place(steps: list[str]) -> None:
    mailbox, sessions, posted, done = Mailbox(), [], 0, 0
    for step in steps:
        if step == "post":
            mailbox.post(receipt(posted))
            posted += 1
        elif step == "join":
            sessions.append(Session(window=2))
            mailbox.join(sessions[-1])
        elif step == "leave" and sessions:
            session = sessions.pop(0)
            mailbox.leave(session, session.held)
        elif step == "acknowledge" and sessions and sessions[-1].held:
            sessions[-1].held.pop(0)
            done += 1
            mailbox.pump()
        held = [pending.message_id for session in sessions for pending in session.held]
        assert len(held) == len(set(held))
        assert len(held) + len(mailbox) + done == posted
