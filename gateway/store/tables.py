"""Every table. Times are unix milliseconds, money is integer micro-units, states are the domain's numbers.

Two ideas keep the hot path short. Ids are time-sortable and a submission's messages follow it without a
gap, so a submission's messages are a range of the primary key and need no index of their own. A message's
normal life is columns of its row; only what departs from it becomes a row of `events`.

Areas with several tables have a file of their own, imported here so that `metadata` is whole.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from gateway.domain.message import State
from gateway.store import (  # noqa: F401 — the metadata is to know all tables
    tables_inbound,
    tables_keys,
    tables_operators,
    tables_risk,
    tables_stats,
)
from gateway.store.tables_base import Id
from gateway.store.tables_base import metadata as metadata  # noqa: PLC0414 — part of this module
from gateway.store.tables_review import review_indexes, reviewed

OPEN_STATES = text(f"state <= {int(State.IN_DOUBT)}")
HELD_STATE = text(f"state = {int(State.HELD)}")

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="active"),  # active | restricted
    Column("callback_url", Text),
    Column("language", Text),  # of receipts; NULL: the setting
    Column("created_at", BigInteger, nullable=False),
    Column("state_reason", Text, nullable=False, server_default=""),  # why it is restricted
    Column("allowed", Text, nullable=False, server_default=""),  # client networks, comma separated; "": any
    Column("pull_reports", Boolean, nullable=False, server_default=false()),  # kept for PullUSMSReport
)

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("public_key", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("sealed_private_key", LargeBinary, nullable=False),  # gateway.auth.keys; bound to public_key
    Column("state", Text, nullable=False, server_default="active"),  # active | disabled
    Column("created_at", BigInteger, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("allowed", Text, nullable=False, server_default=""),  # as accounts.allowed, beside it
    Column("replaced_by", Text),  # the key that rotation made in its place
    Column("retires_at", BigInteger),  # replaced: refused from then on
)

signatures = Table(
    "signatures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),  # 0 pending 1 in review 2 approved 3 rejected 4 disabled
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("sig_type", SmallInteger),  # NULL: made by an operator
    Column("certificate_type", SmallInteger),
    Column("third_party", Boolean, nullable=False, server_default=text("false")),
    Column("international", Boolean, nullable=False, server_default=text("false")),
    Column("description", Text, nullable=False, server_default=""),
    Column("scene", Text, nullable=False, server_default=""),
    Column("qualification_id", Text),
    Column("file_id", Text),
    Column("proxy_file_id", Text),
    *reviewed(),
    *review_indexes("signatures"),
)

templates = Table(
    "templates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),  # as signatures.status
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("international", Boolean, nullable=False, server_default=text("false")),
    Column("unsubscribe", Text, nullable=False, server_default=""),  # put at the end of what is sent
    Column("remark", Text, nullable=False, server_default=""),
    Column("instruction", Text, nullable=False, server_default=""),
    *reviewed(),
    *review_indexes("templates"),
)

# bumped in the transaction of every change the running gateway must notice
revisions = Table(
    "revisions",
    metadata,
    Column("scope", Text, primary_key=True),  # directory | money | numbers | risk
    Column("version", BigInteger, nullable=False),
)

# how far a sweep over the rows has come, so that it goes on there after a restart
marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("session_no", Text, nullable=False),  # UUID version 7 that carries `id`: found by primary key
    Column("account_id", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    Column("template_id", Text, nullable=False),
    Column("user_id", Text),
    Column("text", Text),  # the text of every message that has none of its own; NULL once redacted
    Column("messages", Integer, nullable=False),  # their ids are id+1 … id+messages
    Column("price", BigInteger, nullable=False),  # reserved for all of them, micro-units
    Column("request_key", Text, nullable=False),  # hash of what makes a repeated request the same
    Column("answer", Text, nullable=False),  # what was answered, replayed inside the duplicate window
    Column("created_at", BigInteger, nullable=False),
    Index("ix_submissions_account", "account_id", "id"),  # an account's messages are found by its submissions
)

messages = Table(
    "messages",
    metadata,
    # written once, at accept
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("submission_id", BigInteger, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    Column("phone", Text),  # E.164 digits; NULL once redacted
    Column("phone_given", Text),  # as the customer wrote it
    Column("user_id", Text),  # batch items have their own
    Column("template_id", Text),  # batch items may differ from the submission
    Column("text", Text),  # NULL: the submission's
    Column("country", Text, nullable=False),
    Column("segments", SmallInteger, nullable=False),
    Column("price", BigInteger, nullable=False),  # of all its segments
    Column("accepted_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # moves; always written together (gateway.store.changes.MOVE)
    Column("state", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("lane", Text, nullable=False),  # candidate channels in order of preference, comma separated
    Column("channel", Text),  # the one it was claimed for last
    Column("due_at", BigInteger, nullable=False),  # HELD: not before
    Column("attempts", SmallInteger, nullable=False),
    Column("status", BigInteger, nullable=False),  # last command_status: 32 bits without a sign
    Column("sent_at", BigInteger),
    Column("submitted_at", BigInteger),
    Column("final_at", BigInteger),
    Column("charged", BigInteger, nullable=False),  # captured, micro-units
    Column("sent_segments", SmallInteger, nullable=False),  # answered OK
    Column("receipt_code", Text),  # the carrier's word for the outcome
    Index(
        "ix_messages_open",
        "state",
        "lane",
        "purpose",
        "id",
        sqlite_where=OPEN_STATES,
        postgresql_where=OPEN_STATES,
    ),
    Index(
        "ix_messages_phone",
        "phone",
        "id",
        sqlite_where=text("phone IS NOT NULL"),
        postgresql_where=text("phone IS NOT NULL"),
    ),
    Index("ix_messages_held", "due_at", sqlite_where=HELD_STATE, postgresql_where=HELD_STATE),
)

segments = Table(
    "segments",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=True),  # order of the answers
    Column("message_id", BigInteger, nullable=False, index=True),
    Column("part", SmallInteger, nullable=False),  # 1…n
    Column("concat_ref", Integer),  # what joins the parts of a long message; a part sent later needs the same
    Column("channel", Text, nullable=False),
    Column("carrier_id", Text, nullable=False),  # as answered
    Column("match_id", Text, nullable=False),  # canonical form (carriers.message_id.canonical_id)
    Column("submitted_at", BigInteger, nullable=False),
    Column("receipt_state", Text),  # ReceiptState value of the final receipt
    Column("receipt_code", Text),
    Column("receipt_error", Text),
    Column("receipt_at", BigInteger),
    Index("ix_segments_match", "channel", "match_id"),
    sqlite_autoincrement=True,  # sweeps remember a seq: it is not given out again once purged
)

# receipts that came before the answer that names their id
early_receipts = Table(
    "early_receipts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("channel", Text, nullable=False),
    Column("match_id", Text, nullable=False),
    Column("receipt", Text, nullable=False),  # JSON of carriers.results.Receipt
    Column("received_at", BigInteger, nullable=False),
    Column("matched", Boolean, nullable=False),
    Index(
        "ix_early_receipts_unmatched",
        "channel",
        "match_id",
        sqlite_where=text("matched = 0"),
        postgresql_where=text("NOT matched"),
    ),
)

# what handsets sent, part by part, bytes untouched
inbound_messages = Table(
    "inbound_messages",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("channel", Text, nullable=False),
    Column("source", Text),
    Column("destination", Text, nullable=False),
    Column("data_coding", SmallInteger, nullable=False),
    Column("esm_class", SmallInteger, nullable=False),
    Column("payload_hex", Text),
    Column("tlvs", Text, nullable=False),  # JSON [[tag, hex], …]
    Column("received_at", BigInteger, nullable=False),
    Column("mo_id", BigInteger),  # the message it belongs to; NULL: it waits for the other parts
    Column("fate", SmallInteger),  # gateway.domain.inbound.Fate
    Column("source_ton", SmallInteger),  # its type of number; NULL: from before it was kept
    Index(
        "ix_inbound_messages_waiting",
        "id",
        sqlite_where=text("mo_id IS NULL"),
        postgresql_where=text("mo_id IS NULL"),
    ),
    Index("ix_inbound_messages_mo", "mo_id"),
)

events = Table(
    "events",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=True),
    Column("message_id", BigInteger, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("detail", Text, nullable=False),
)

# append-only; the sum of `amount` by account is its balance, of `reserved` what is set aside
ledger = Table(
    "ledger",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=True),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # credit (below 0: a debit) | reserve | capture | release
    Column("amount", BigInteger, nullable=False),  # change of what can be spent
    Column("reserved", BigInteger, nullable=False),  # change of what is set aside
    Column("submission_id", BigInteger),
    Column("message_id", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    # a message is captured once and released once, whatever happens
    Index(
        "ux_ledger_message",
        "message_id",
        "kind",
        unique=True,
        sqlite_where=text("message_id IS NOT NULL"),
        postgresql_where=text("message_id IS NOT NULL"),
    ),
    Index(
        "ix_ledger_credits",
        "seq",
        sqlite_where=text("kind = 'credit'"),
        postgresql_where=text("kind = 'credit'"),
    ),
)

balances = Table(
    "balances",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("available", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # the message's id for its first status report
    Column("account_id", Text, nullable=False),
    # below 0: a handset (gateway.domain.inbound.order_key), whose messages to the account are told in order
    Column("message_id", BigInteger, nullable=False),
    Column("payload", Text),  # the JSON item; NULL once redacted
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("outcome", Text),  # delivered | gave_up | no_url, with detail
    Index(
        "ix_outbox_waiting",
        "account_id",
        "id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    # a second report, once a late receipt corrected the first; the first is found by its id
    Index(
        "ix_outbox_late",
        "message_id",
        sqlite_where=text("message_id <> id"),
        postgresql_where=text("message_id <> id"),
    ),
)
