"""What customers hand in for review beside the texts themselves: company papers and files."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)

from gateway.store.tables_base import metadata


def reviewed() -> tuple[Column[Any], ...]:
    """Return the columns of everything that is reviewed; `status` and `reason` stand in the table itself."""
    return (
        Column("findings", Text, nullable=False, server_default="[]"),  # JSON: of the automatic checks
        Column("to_check", Boolean, nullable=False, server_default=text("false")),
        Column("version", Integer, nullable=False, server_default="1"),  # of the content; each edit makes one
        Column("updated_at", BigInteger, nullable=False, server_default="0"),
        Column("decided_at", BigInteger),
        Column("deleted_at", BigInteger),  # the row stays: messages name it
    )


def review_indexes(name: str) -> tuple[Index, ...]:
    """Return the indexes of the two queues: what waits for the checks, what waits for a reviewer."""
    waiting = text("to_check")
    in_review = text("status = 1 AND deleted_at IS NULL")
    return (
        Index(f"ix_{name}_to_check", "id", sqlite_where=waiting, postgresql_where=waiting),
        Index(f"ix_{name}_in_review", "updated_at", "id", sqlite_where=in_review, postgresql_where=in_review),
        Index(f"ix_{name}_project", "project_id", "created_at"),
    )


qualifications = Table(
    "qualifications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("attr", SmallInteger, nullable=False),  # 0 own, 1 another's
    Column("company_name", Text, nullable=False),
    Column("credit_code", Text, nullable=False),
    Column("handler_name", Text, nullable=False),
    Column("handler_phone", Text, nullable=False),
    Column("handler_id_number", Text, nullable=False),
    Column("manager_name", Text, nullable=False),
    Column("manager_phone", Text, nullable=False),
    Column("manager_id_number", Text, nullable=False),
    # ids of files; "" for none
    Column("certificate_file", Text, nullable=False),
    Column("work_scene_file", Text, nullable=False),
    Column("id_front_file", Text, nullable=False),
    Column("id_back_file", Text, nullable=False),
    Column("hand_held_file", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),  # 0 draft 1 in review 2 approved 3 rejected 4 disabled
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("submitted_at", BigInteger),
    *reviewed(),
    *review_indexes("qualifications"),
)

# the bytes stand in the files directory under their hash
files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),  # 128 random bits: not to be guessed
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("sha256", Text, nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("type", Text, nullable=False),  # image/jpeg | image/png | application/pdf, as its bytes say
    Column("name", Text, nullable=False),
    Column("touched_at", BigInteger, nullable=False),  # uploaded, or named by something last
)
