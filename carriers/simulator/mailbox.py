"""What is on its way to one customer: kept until acknowledged, spread over its sessions. Pure."""

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from carriers.simulator.handsets import MoPart
from carriers.simulator.record import Pending

Owed = Pending | MoPart


class Receiver(Protocol):
    """A session bound to receive."""

    def room(self) -> int:
        """Return how many more receipts it may have unacknowledged."""

    def deliver(self, pending: Owed) -> None:
        """Send one; hand it back through `Mailbox.leave` if the session ends unacknowledged."""


class Mailbox:
    """The receipts due to one system_id; they wait while nobody is bound to take them."""

    def __init__(self) -> None:
        self._due: deque[Owed] = deque()
        self._receivers: deque[Receiver] = deque()

    def __len__(self) -> int:
        return len(self._due)

    def join(self, receiver: Receiver) -> None:
        """Deliver to `receiver` too, from now on."""
        self._receivers.append(receiver)
        self.pump()

    def leave(self, receiver: Receiver, unacknowledged: Iterable[Owed]) -> None:
        """Deliver to `receiver` no more; what it did not acknowledge goes out again first, in order."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)
        self._due.extendleft(reversed(list(unacknowledged)))
        self.pump()

    def post(self, pending: Owed) -> None:
        """Take a receipt that is due and send it if a session has room."""
        self._due.append(pending)
        self.pump()

    def pump(self) -> None:
        """Send what is due as far as the sessions have room, taking turns."""
        turns = len(self._receivers) if self._due else 0
        while turns and self._due:
            turns -= 1
            receiver = self._receivers[0]
            self._receivers.rotate(-1)
            for _ in range(min(receiver.room(), len(self._due))):
                receiver.deliver(self._due.popleft())
