"""Statistics, conversion reports and reports that wait to be pulled."""

import sqlalchemy as sa
from alembic import op

revision = "0_1_0_07"
down_revision = "0_1_0_06"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTERS = (
    "messages", "segments", "success", "success_segments", "failed", "failed_segments", "unknown",
    "unknown_segments", "submit_failed", "submit_failed_segments", "used", "unused",
)  # fmt: skip


def upgrade() -> None:
    """Add them, empty; the counters of what is stored already are made at the gateway's start."""
    op.add_column(
        "accounts", sa.Column("pull_reports", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_table(
        "statistics",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("purpose", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTERS),
        sa.PrimaryKeyConstraint("account_id", "day", "project_id", "country", "purpose", "template_id"),
    )
    op.create_index("ix_statistics_day", "statistics", ["day"])
    op.create_table(
        "statistics_zones",
        sa.Column("since", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("since"),
    )
    op.create_table(
        "conversions",
        sa.Column("message_id", ID, autoincrement=False, nullable=False),
        sa.Column("used", sa.SmallInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_table(
        "pull_reports",
        sa.Column("seq", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("pulled_at", sa.BigInteger(), nullable=True),
        sa.Column("request_key", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    for name, columns, where in (
        ("ix_pull_reports_waiting", ["account_id", "seq"], sa.text("pulled_at IS NULL")),
        ("ix_pull_reports_repeated", ["request_key"], sa.text("request_key IS NOT NULL")),
        ("ix_pull_reports_pulled", ["pulled_at"], sa.text("pulled_at IS NOT NULL")),
    ):
        op.create_index(name, "pull_reports", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_pull_reports_created", "pull_reports", ["created_at"])
