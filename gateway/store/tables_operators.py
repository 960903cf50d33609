"""Operators, how they prove who they are, and what they changed."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

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
