"""What messages are found by: whom they went to, and whose they are."""

import sqlalchemy as sa
from alembic import op

revision = "0_1_0_09"
down_revision = "0_1_0_08"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two indexes; blanked numbers are in neither."""
    there = sa.text("phone IS NOT NULL")
    op.create_index(
        "ix_messages_phone", "messages", ["phone", "id"], sqlite_where=there, postgresql_where=there
    )
    op.create_index("ix_submissions_account", "submissions", ["account_id", "id"])
