"""One unit of work on its way into the journal: rows to write, and what to do once they are durable."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter

import structlog

from gateway.domain.message import Message, Reason, State
from gateway.store.changes import (
    CONTACT,
    EVENT,
    FINAL,
    KINDS,
    LEDGER,
    MESSAGE,
    MOVE,
    OUTBOX,
    PULL,
    RECEIPT,
    SEGMENT,
    Part,
    Row,
)

log = structlog.get_logger(__name__)

Then = Callable[[], None]

# where the rows of a kind name their message
_MESSAGE_ID = {
    KINDS.index(kind): columns.index(name)
    for kind, columns, name in (
        ("messages", MESSAGE, "id"),
        ("moves", MOVE, "id"),
        ("segments", SEGMENT, "message_id"),
        ("finals", FINAL, "id"),
        ("receipts", RECEIPT, "message_id"),
        ("events", EVENT, "message_id"),
        ("ledger", LEDGER, "message_id"),
        ("outbox", OUTBOX, "message_id"),
        ("contacts", CONTACT, "message_id"),
        ("pulls", PULL, "message_id"),
    )
}
_MESSAGES, _MOVES = KINDS.index("messages"), KINDS.index("moves")
# kinds that are not rows of their own here, and those that others than a decision about messages write
_OTHERS = ("messages", "moves", "outbox_moves", "conversions", "risk_counts", "risk_samples")
_PLAIN = tuple((number, attrgetter(name)) for number, name in enumerate(KINDS) if name not in _OTHERS)


class Unit:
    """Gathers the rows of one decision; iterating hands them over."""

    __slots__ = (
        "contacts", "early", "early_matched", "events", "finals", "inbound", "ledger", "marks", "moved",
        "new_messages", "outbox", "pulls", "receipts", "segments", "submissions", "then", "undo",
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
        self.contacts: list[Row] = []
        self.events: list[Row] = []
        self.ledger: list[Row] = []
        self.outbox: list[Row] = []
        self.marks: list[Row] = []
        self.pulls: list[Row] = []
        self.then: list[Then] = []  # called after the commit, in order
        self.undo: list[Then] = []  # called instead, last first, when the unit was not committed

    def event(self, message_id: int, now_ms: int, state: State, reason: Reason, detail: str = "") -> None:
        """Note something that the columns of the message's row cannot tell."""
        self.events.append((message_id, now_ms, int(state), int(reason), detail))

    def restores(self, message: Message) -> None:
        """See to it that `message` is again what it is now if the unit is not committed."""
        before = message.state, message.reason, message.final_at, message.receipt_code
        self.undo.append(partial(_restore, message, *before))

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
            or self.early or self.early_matched or self.inbound or self.contacts or self.outbox or self.ledger
            or self.marks
        )  # fmt: skip

    def __iter__(self) -> Iterator[Part]:
        """Give the rows that are there, kind by kind, as the messages stand now."""
        for number, rows_of in _PLAIN:
            rows = rows_of(self)
            if rows:
                yield number, rows
        if self.new_messages:
            yield _MESSAGES, [message.row() for message in self.new_messages]
        if self.moved:
            yield _MOVES, [message.move_row() for message in self.moved.values()]

    def apart(self) -> list[list[Part]]:
        """Return the rows message by message, to be written one by one when one of them is refused."""
        whole: dict[int, list[Part]] = {}
        for number, rows in self:
            column = _MESSAGE_ID.get(number)
            for n, row in enumerate(rows):
                message_id = -(number << 32) - n if column is None else row[column] or 0
                whole.setdefault(message_id, []).append((number, [row]))
        return list(whole.values())

    def committed(self) -> None:
        """Run what waited for the commit."""
        _run_all(self.then)

    def failed(self) -> None:
        """Take back what was done in memory on the strength of this unit."""
        _run_all(reversed(self.undo))


def _run_all(actions: Iterable[Then]) -> None:
    """Run every action; one that fails must not keep the others from running."""
    for action in actions:
        try:
            action()
        except Exception:
            log.exception("after a commit")


def _restore(
    message: Message, state: State, reason: Reason, final_at: int | None, receipt_code: str | None
) -> None:
    message.state, message.reason = state, reason
    message.final_at, message.receipt_code = final_at, receipt_code
