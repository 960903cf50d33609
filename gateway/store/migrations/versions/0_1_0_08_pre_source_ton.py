"""The type of number of handsets that write."""

import sqlalchemy as sa
from alembic import op

revision = "0_1_0_08"
down_revision = "0_1_0_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it, unknown for what is there."""
    op.add_column("inbound_messages", sa.Column("source_ton", sa.SmallInteger(), nullable=True))
