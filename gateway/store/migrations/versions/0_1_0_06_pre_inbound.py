"""Messages of handsets: put together, owned, forwarded."""

import sqlalchemy as sa
from alembic import op

revision = "0_1_0_06"
down_revision = "0_1_0_03"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; parts kept by the release before wait to be put together."""
    op.create_table(
        "mo_messages",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("data_hex", sa.Text(), nullable=True),
        sa.Column("data_coding", sa.SmallInteger(), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("completion", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("remainder_of", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("project_id", sa.Text(), nullable=True),
        sa.Column("ownership", sa.SmallInteger(), nullable=False),
        sa.Column("extend_code", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("wish", sa.SmallInteger(), nullable=False),
        sa.Column("phone_given", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("forwarding", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mo_messages_account", "mo_messages", ["account_id", "id"])
    _partial("ix_mo_messages_assigned", "mo_messages", "forwarding = 1")
    _partial("ix_mo_messages_unowned", "mo_messages", "account_id IS NULL")
    op.create_table(
        "owned_numbers",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("extend", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_owned_numbers_account_id", "owned_numbers", ["account_id"])
    op.create_index("ux_owned_numbers", "owned_numbers", ["channel", "number", "extend"], unique=True)
    op.create_table(
        "contacts",
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("phone", "channel", "account_id"),
        sqlite_with_rowid=False,
    )
    op.add_column("inbound_messages", sa.Column("mo_id", sa.BigInteger(), nullable=True))
    op.add_column("inbound_messages", sa.Column("fate", sa.SmallInteger(), nullable=True))
    # what is blanked already cannot be read any more
    op.execute("UPDATE inbound_messages SET mo_id = 0, fate = 1 WHERE payload_hex IS NULL")
    _partial("ix_inbound_messages_waiting", "inbound_messages", "mo_id IS NULL")
    op.create_index("ix_inbound_messages_mo", "inbound_messages", ["mo_id"])


def _partial(name: str, table: str, where: str) -> None:
    op.create_index(
        name, table, ["id"], unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
