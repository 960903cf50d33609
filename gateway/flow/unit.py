"""One unit of work on its way into the journal: rows to write, and what to do once they are durable."""

from collections.abc import Callable

from gateway.domain.message import Message, Reason, State
from gateway.store.changes import Changes, Row

Then = Callable[[], None]


class Unit:
    """Gathers the rows of one decision; `changes` hands them over once."""

    __slots__ = (
        "early", "early_matched", "events", "finals", "inbound", "ledger", "marks", "moved", "new_messages",
        "outbox", "receipts", "segments", "submissions", "then", "undo",
    )  # fmt: skip

    def __init__(self) -> None:
        self.submissions: list[Row] = []
        self.new_messages: list[Message] = []
        self.moved: dict[int, Message] = {}
        self.segments: list[Row] = []
        self.finals: list[Row] = []
        self.receipts: list[Row] = []
        self.early: list[Row] = []
        self.early_matched: list[Row] = []
        self.inbound: list[Row] = []
        self.events: list[Row] = []
        self.ledger: list[Row] = []
        self.outbox: list[Row] = []
        self.marks: list[Row] = []
        self.then: list[Then] = []  # called after the commit, in order
        self.undo: list[Then] = []  # called instead, last first, when the unit was not committed

    def event(self, message_id: int, now_ms: int, state: State, reason: Reason, detail: str = "") -> None:
        """Note something that the columns of the message's row cannot tell."""
        self.events.append((message_id, now_ms, int(state), int(reason), detail))

    def post(
        self, message: Message, kind: str, amounts: tuple[int, int], now_ms: int, note: str = ""
    ) -> None:
        """Write a ledger row for `message`; `amounts`: change of what can be spent, of what is set aside."""
        submission = message.submission
        self.ledger.append(
            (submission.account_id, kind, amounts[0], amounts[1], submission.id, message.id, now_ms, note)
        )

    def __bool__(self) -> bool:
        return bool(
            self.moved or self.finals or self.receipts or self.segments or self.events or self.submissions
            or self.early or self.early_matched or self.inbound or self.outbox or self.ledger or self.marks
        )  # fmt: skip

    def changes(self) -> Changes:
        """Return the rows, as the messages stand now."""
        return Changes(
            submissions=self.submissions,
            messages=[message.row() for message in self.new_messages],
            moves=[message.move_row() for message in self.moved.values()],
            segments=self.segments,
            finals=self.finals,
            receipts=self.receipts,
            early=self.early,
            early_matched=self.early_matched,
            inbound=self.inbound,
            events=self.events,
            ledger=self.ledger,
            outbox=self.outbox,
            marks=self.marks,
        )

    def committed(self) -> None:
        """Run what waited for the commit."""
        for action in self.then:
            action()

    def failed(self) -> None:
        """Take back what was done in memory on the strength of this unit."""
        for action in reversed(self.undo):
            action()
