"""A message: its states, the legal moves between them, and the closed list of reasons."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Purpose(IntEnum):
    """What a text is for; the number is the API's and the queue's priority (1 first)."""

    VERIFICATION = 1
    NOTIFICATION = 2
    PROMOTION = 3


class State(IntEnum):
    """Where a message is. Values are stored; up to IN_DOUBT it is open, from DELIVERED on it is final."""

    ACCEPTED = 1
    QUEUED = 2
    HELD = 3
    SENDING = 4
    IN_DOUBT = 5
    SUBMITTED = 10
    DELIVERED = 20
    UNDELIVERED = 21
    EXPIRED = 22
    REJECTED = 23
    UNKNOWN = 24
    FAILED = 25
    CANCELLED = 26

    @property
    def final(self) -> bool:
        """Whether the customer has been, or is being, told an outcome."""
        return self >= State.DELIVERED


class Reason(IntEnum):
    """Why a message is where it is. Values are stored: add, never renumber."""

    NONE = 0
    # queue
    ACCEPTED = 1
    CLAIMED_AT_ACCEPT = 2
    WINDOW_FULL = 3
    CHANNEL_DOWN = 4
    BEHIND_OTHERS = 5
    CLAIMED_FROM_QUEUE = 6
    RETRY_BACKOFF = 7
    RETRY_DUE = 8
    THROTTLED = 9
    NEXT_CHANNEL = 10
    NOT_SENT = 11
    REROUTED = 12
    # in doubt
    NO_ANSWER = 20
    SESSION_LOST = 21
    RESTARTED = 22
    RESENT_IN_DOUBT = 23
    WAITING_FOR_RECEIPT = 24
    LATE_ANSWER = 25
    DUPLICATE = 26
    # submitted
    SUBMITTED = 30
    PARTLY_SUBMITTED = 31
    # final
    RECEIPT = 40
    NO_RECEIPTS_ASKED = 41
    RECEIPT_DEADLINE = 42
    VALIDITY_OVER = 43
    REFUSED_BY_CARRIER = 44
    ATTEMPTS_USED_UP = 45
    NO_ROUTE = 46
    IN_DOUBT_GIVEN_UP = 47
    LATE_RECEIPT = 48
    EMPTY_CARRIER_ID = 49
    UNENCODABLE = 50
    NO_PRICE = 52
    CANCELLED_BY_OPERATOR = 51
    # risk control
    RATE_LIMITED = 60
    BLACKLISTED = 61
    OPTED_OUT = 62
    OUTSIDE_HOURS = 63
    HOURS_BEGAN = 64


_TOLD_BY_RECEIPT = frozenset(
    {State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED, State.UNKNOWN}
)

TRANSITIONS: dict[State, frozenset[State]] = {
    State.ACCEPTED: frozenset({State.QUEUED, State.HELD, State.SENDING, State.FAILED, State.CANCELLED}),
    # a late answer to an earlier attempt may find the message waiting to be sent again: → SUBMITTED
    State.QUEUED: frozenset({State.HELD, State.SENDING, State.SUBMITTED, State.FAILED, State.CANCELLED})
    | _TOLD_BY_RECEIPT,
    State.HELD: frozenset({State.QUEUED, State.SUBMITTED, State.FAILED, State.CANCELLED}) | _TOLD_BY_RECEIPT,
    State.SENDING: frozenset({State.QUEUED, State.HELD, State.IN_DOUBT, State.SUBMITTED, State.FAILED})
    | _TOLD_BY_RECEIPT,
    State.IN_DOUBT: frozenset({State.QUEUED, State.HELD, State.SUBMITTED, State.FAILED}) | _TOLD_BY_RECEIPT,
    State.SUBMITTED: _TOLD_BY_RECEIPT,
    # the first final receipt wins; only our own `unknown` gives way to one that comes late
    State.UNKNOWN: frozenset({State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED}),
    State.DELIVERED: frozenset(),
    State.UNDELIVERED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REJECTED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}


class IllegalMove(Exception):
    """A bug: somebody tried to move a message against the table."""


@dataclass(slots=True)
class Submission:
    """One accepted API request, shared by its messages."""

    id: int
    session_no: str
    account_id: str
    project_id: str
    purpose: Purpose
    template_id: str
    user_id: str | None
    text: str | None  # None: every message has its own
    created_at: int  # unix ms


@dataclass(slots=True)
class Message:
    """One text to one recipient. Fields from `state` on are what moves (`gateway.store.changes.MOVE`)."""

    id: int
    submission: Submission
    purpose: Purpose  # items of one batch may differ
    phone: str  # E.164 digits
    phone_given: str
    user_id: str | None
    template_id: str | None
    text: str | None  # None: the submission's
    country: str
    segments: int
    price: int  # of all segments, micro-units
    accepted_at: int
    expires_at: int
    state: State = State.ACCEPTED
    reason: Reason = Reason.ACCEPTED
    lane: str = ""
    channel: str | None = None
    due_at: int = 0
    attempts: int = 0
    status: int = 0
    sent_at: int | None = None
    submitted_at: int | None = None
    final_at: int | None = None
    charged: int = 0
    sent_segments: int = 0
    receipt_code: str | None = None
    parts_done: tuple[int, ...] = ()  # parts of a long message the carrier has already taken
    concat_ref: int | None = None  # what joins its parts, the same in every attempt

    def body(self) -> str:
        """Return the text to send; empty once redacted."""
        return self.text if self.text is not None else self.submission.text or ""

    def row(self) -> tuple[Any, ...]:
        """Return the `MESSAGE` row."""
        submission = self.submission
        return (
            self.id, submission.id, submission.account_id, int(self.purpose), self.phone, self.phone_given,
            self.user_id, self.template_id, self.text, self.country, self.segments, self.price,
            self.accepted_at, self.expires_at, int(self.state), int(self.reason), self.lane, self.channel,
            self.due_at, self.attempts, self.status, self.sent_at, self.submitted_at, self.final_at,
            self.charged, self.sent_segments, self.receipt_code,
        )  # fmt: skip

    def move_row(self) -> tuple[Any, ...]:
        """Return the `MOVE` row."""
        return (
            self.id, int(self.state), int(self.reason), self.lane, self.channel, self.due_at, self.attempts,
            self.status, self.sent_at, self.submitted_at, self.final_at, self.charged, self.sent_segments,
            self.receipt_code,
        )  # fmt: skip

    def move(self, state: State, reason: Reason) -> None:
        """Change state along `TRANSITIONS`; raises `IllegalMove`."""
        if state is not self.state and state not in TRANSITIONS[self.state]:
            raise IllegalMove(f"{self.state.name} → {state.name}")
        self.state = state
        self.reason = reason
