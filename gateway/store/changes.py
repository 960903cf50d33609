"""What can be written on the hot path: rows as tuples in the column order given here.

A `Changes` is one caller's unit: all of it is committed, or none. The journal merges many units into one
transaction and applies the kinds in the order of the fields below, so within one unit an insert precedes
the update of the same row. `moves` and `receipts` for the same row: the last one wins.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

Row = tuple[Any, ...]
Part = tuple[int, Sequence[Row]]  # rows of one kind, named by its number
Parts = Iterable[Part]  # one unit, as it travels: a `Changes` or what is left of it

SUBMISSION = (
    "id", "session_no", "account_id", "project_id", "purpose", "template_id", "user_id", "text", "messages",
    "price", "request_key", "answer", "created_at",
)  # fmt: skip
MESSAGE = (
    "id", "submission_id", "account_id", "purpose", "phone", "phone_given", "user_id", "template_id", "text",
    "country", "segments", "price", "accepted_at", "expires_at", "state", "reason", "lane", "channel",
    "due_at", "attempts", "status", "sent_at", "submitted_at", "final_at", "charged", "sent_segments",
    "receipt_code",
)  # fmt: skip
# every column that moves, written together: idempotent, so order between units only matters per message
MOVE = (
    "id", "state", "reason", "lane", "channel", "due_at", "attempts", "status", "sent_at", "submitted_at",
    "final_at", "charged", "sent_segments", "receipt_code",
)  # fmt: skip
FINAL = ("id", "state", "reason", "final_at", "receipt_code")  # SUBMITTED → final; applied after MOVE
SEGMENT = ("message_id", "part", "channel", "carrier_id", "match_id", "submitted_at", "concat_ref")
RECEIPT = ("message_id", "part", "match_id", "receipt_state", "receipt_code", "receipt_error", "receipt_at")
EARLY = ("id", "channel", "match_id", "receipt", "received_at", "matched")
EARLY_MATCHED = ("id",)  # early_receipts.matched := true
INBOUND = (
    "id", "channel", "source", "destination", "data_coding", "esm_class", "payload_hex", "tlvs",
    "received_at", "source_ton",
)  # fmt: skip
CONTACT = ("phone", "channel", "account_id", "message_id", "sent_at")
EVENT = ("message_id", "at", "state", "reason", "detail")
LEDGER = ("account_id", "kind", "amount", "reserved", "submission_id", "message_id", "at", "note")
OUTBOX = (
    "id", "account_id", "message_id", "payload", "created_at", "next_at", "attempts", "done_at", "outcome",
)  # fmt: skip
OUTBOX_MOVE = ("id", "next_at", "attempts", "done_at", "outcome")
PULL = ("account_id", "message_id", "payload", "created_at")
CONVERSION = ("message_id", "used", "used_at", "told_at")
RISK_COUNT = ("day", "account_id", "rule", "mode", "count")  # adds to what is there
RISK_SAMPLE = ("day", "account_id", "rule", "mode", "at", "phone", "detail")
MARK = ("name", "value")  # how far a sweep has come; survives a restart


@dataclass(slots=True)
class Changes:
    """One unit. Build it, hand it to `Journal.append`, do not touch it again.

    Balances follow the ledger: the journal adds each ledger row's `amount` and `reserved` to the account's
    balance row in the same transaction (capture rows also add to `captured`).
    """

    submissions: Sequence[Row] = ()
    messages: Sequence[Row] = ()
    moves: Sequence[Row] = ()
    segments: Sequence[Row] = ()
    finals: Sequence[Row] = ()
    receipts: Sequence[Row] = ()
    early: Sequence[Row] = ()
    early_matched: Sequence[Row] = ()
    inbound: Sequence[Row] = ()
    contacts: Sequence[Row] = ()
    events: Sequence[Row] = ()
    ledger: Sequence[Row] = ()
    outbox: Sequence[Row] = ()
    outbox_moves: Sequence[Row] = ()
    marks: Sequence[Row] = ()
    pulls: Sequence[Row] = ()
    conversions: Sequence[Row] = ()
    risk_counts: Sequence[Row] = ()
    risk_samples: Sequence[Row] = ()

    def __iter__(self) -> Iterator[Part]:
        """Give what is there, kind by kind: its number in `KINDS` and its rows."""
        for number, name in enumerate(KINDS):
            rows = getattr(self, name)
            if rows:
                yield number, rows


KINDS = tuple(field.name for field in fields(Changes))
