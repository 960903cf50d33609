"""Several keys an account, their last use, allow-lists, why an account is restricted, accepted terms."""

import sqlalchemy as sa
from alembic import op

revision = "0_1_0_03"
down_revision = "0_1_0_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns with defaults, and two tables: the previous release writes its rows as before."""
    op.add_column("accounts", sa.Column("state_reason", sa.Text(), server_default="", nullable=False))
    op.add_column("accounts", sa.Column("allowed", sa.Text(), server_default="", nullable=False))
    op.add_column("api_keys", sa.Column("name", sa.Text(), server_default="", nullable=False))
    op.add_column("api_keys", sa.Column("allowed", sa.Text(), server_default="", nullable=False))
    op.add_column("api_keys", sa.Column("replaced_by", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("retires_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "key_uses",
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("public_key"),
    )
    op.create_table(
        "terms_acceptances",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("account_id", "version"),
    )
