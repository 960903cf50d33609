"""The review: what customers hand in beside the texts, the queues, qualifications and files."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0_1_0_04"
down_revision = "0_1_0_07"
branch_labels = None
depends_on = None


def _reviewed() -> list[sa.Column[Any]]:
    return [
        sa.Column("findings", sa.Text(), server_default="[]", nullable=False),
        sa.Column("to_check", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("updated_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
    ]


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


SIGNATURES = [
    sa.Column("sig_type", sa.SmallInteger(), nullable=True),
    sa.Column("certificate_type", sa.SmallInteger(), nullable=True),
    _flag("third_party"),
    _flag("international"),
    _text("description"),
    _text("scene"),
    sa.Column("qualification_id", sa.Text(), nullable=True),
    sa.Column("file_id", sa.Text(), nullable=True),
    sa.Column("proxy_file_id", sa.Text(), nullable=True),
]
TEMPLATES = [_flag("international"), _text("unsubscribe"), _text("remark"), _text("instruction")]
PAPERS = (
    "company_name", "credit_code", "handler_name", "handler_phone", "handler_id_number", "manager_name",
    "manager_phone", "manager_id_number", "certificate_file", "work_scene_file", "id_front_file", "id_back_file",
    "hand_held_file",
)  # fmt: skip


def _indexes(table: str) -> None:
    waiting, in_review = sa.text("to_check"), sa.text("status = 1 AND deleted_at IS NULL")
    op.create_index(
        f"ix_{table}_to_check", table, ["id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index(
        f"ix_{table}_in_review", table, ["updated_at", "id"], sqlite_where=in_review, postgresql_where=in_review
    )
    op.create_index(f"ix_{table}_project", table, ["project_id", "created_at"])


def upgrade() -> None:
    """Add columns that the previous release leaves at their defaults, and two tables it does not know."""
    for table, columns in (("signatures", SIGNATURES), ("templates", TEMPLATES)):
        for column in (*columns, *_reviewed()):
            op.add_column(table, column)
        op.execute(f"UPDATE {table} SET updated_at = created_at, to_check = (status = 0)")
        _indexes(table)
    op.create_table(
        "qualifications",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("attr", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in PAPERS),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        *_reviewed(),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_qualifications_account_id", "qualifications", ["account_id"])
    _indexes("qualifications")
    op.create_table(
        "files",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_files_account_id", "files", ["account_id"])
    op.create_index("ix_files_sha256", "files", ["sha256"])
