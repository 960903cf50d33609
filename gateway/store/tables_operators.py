"""Operators, how they prove who they are, and what they changed."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from gateway.store.tables_base import Id, metadata

# append-only: triggers made by the migration refuse every UPDATE and DELETE
audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),  # operator | token | cli | system
    Column("via", Text, nullable=False),  # the token's id, or USER@HOST of a command
    Column("address", Text, nullable=False),  # of the client
    Column("action", Text, nullable=False),  # account.credit, template.approve, …
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("before", Text),  # JSON; NULL: there was nothing
    Column("after", Text),  # JSON; NULL: there is nothing now
    Column("reason", Text, nullable=False),
    Index("ix_audit_subject", "subject_kind", "subject_id", "id"),
    Index("ix_audit_actor", "actor", "id"),
    Index("ix_audit_at", "at"),
    sqlite_autoincrement=True,
)

operators = Table(
    "operators",
    metadata,
    Column("name", Text, primary_key=True),  # never given to somebody else: the audit refers to it
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),  # active | disabled
    Column("password_hash", Text),  # NULL: no log-in by password
    Column("one_time_until", BigInteger),  # good until then, and only to choose another; NULL: their own
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("password_changed_at", BigInteger, nullable=False),
    Column("last_login_at", BigInteger),
)

operator_sessions = Table(
    "operator_sessions",
    metadata,
    Column("id_hash", Text, primary_key=True),
    Column("operator", Text, ForeignKey("operators.name"), nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),  # to the minute
)

operator_tokens = Table(
    "operator_tokens",
    metadata,
    Column("id", Text, primary_key=True),  # public: tok-…
    Column("token_hash", Text, nullable=False, unique=True),
    Column("operator", Text, ForeignKey("operators.name"), nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("role", Text, nullable=False),  # never more than the operator's
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("used_at", BigInteger),  # to the minute
    Column("used_from", Text),
)

# failed log-ins since the last good one, by operator's name and by client address
login_attempts = Table(
    "login_attempts",
    metadata,
    Column("key", Text, primary_key=True),  # digest: people type passwords where names belong
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
)

# requests that named an Idempotency-Key: each changes something once
request_keys = Table(
    "request_keys",
    metadata,
    Column("actor", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
)
