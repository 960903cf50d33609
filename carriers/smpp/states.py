"""Where a session can be, and from where to where it can go."""

from enum import Enum


class State(Enum):
    """Where a session is. Nothing but `Session._move` changes it."""

    BINDING = "binding"  # bind is sent
    BOUND = "bound"
    UNBINDING = "unbinding"  # we sent unbind
    LEAVING = "leaving"  # the peer sent unbind: our answers go first, then unbind_resp
    CLOSED = "closed"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.BINDING: frozenset({State.BOUND, State.LEAVING, State.CLOSED}),
    State.BOUND: frozenset({State.UNBINDING, State.LEAVING, State.CLOSED}),
    State.UNBINDING: frozenset({State.LEAVING, State.CLOSED}),
    State.LEAVING: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
}
