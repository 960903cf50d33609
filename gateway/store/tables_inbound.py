"""What handsets sent: whole messages, whose numbers they came to, and who wrote to which handset last.

The parts, as carriers brought them, are `tables.inbound_messages`.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table, Text, text

from gateway.domain.inbound import Forwarding
from gateway.store.tables_base import Id, metadata

ASSIGNED = text(f"forwarding = {int(Forwarding.DUE)}")
UNOWNED = text("account_id IS NULL")

# one message of a handset, its parts put together
mo_messages = Table(
    "mo_messages",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # also its callback's in `outbox`
    Column("channel", Text, nullable=False),
    Column("source", Text),  # the handset, E.164 digits as far as they can be told; NULL once redacted
    Column("destination", Text, nullable=False),
    Column("text", Text),  # NULL: data, or redacted
    Column("data_hex", Text),  # of what is no text
    Column("data_coding", SmallInteger, nullable=False),
    Column("total", SmallInteger, nullable=False),  # parts it has, 1: it came whole
    Column("missing", Text, nullable=False),  # numbers of the parts that never came, comma separated
    Column("completion", SmallInteger, nullable=False),  # gateway.domain.inbound.Completion
    Column("flags", SmallInteger, nullable=False),  # gateway.domain.inbound.Flag
    Column("remainder_of", BigInteger),  # the message it belongs to, which was given up before it came
    Column("received_at", BigInteger, nullable=False),  # its first part
    Column("completed_at", BigInteger, nullable=False),
    Column("account_id", Text),  # NULL: nobody's yet
    Column("project_id", Text),
    Column("ownership", SmallInteger, nullable=False),  # gateway.domain.inbound.Ownership
    Column("extend_code", Text, nullable=False),
    Column("message_id", BigInteger),  # the owner's last message to that handset
    Column("wish", SmallInteger, nullable=False),  # gateway.domain.inbound.Wish
    Column("phone_given", Text),  # the handset as the owner writes it; NULL once redacted
    Column("user_id", Text),
    Column("forwarding", SmallInteger, nullable=False),  # gateway.domain.inbound.Forwarding
    Index("ix_mo_messages_account", "account_id", "id"),
    Index("ix_mo_messages_assigned", "id", sqlite_where=ASSIGNED, postgresql_where=ASSIGNED),
    Index("ix_mo_messages_unowned", "id", sqlite_where=UNOWNED, postgresql_where=UNOWNED),
)

# whose the numbers are that handsets write to
owned_numbers = Table(
    "owned_numbers",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("channel", Text, nullable=False),  # "": any
    Column("number", Text, nullable=False),  # as carriers write it, digits; "": whatever nobody else owns
    Column("extend", Text, nullable=False),  # what the extend code begins with
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ux_owned_numbers", "channel", "number", "extend", unique=True),
)

# the last message to each handset, by channel and account: whom a reply is for
contacts = Table(
    "contacts",
    metadata,
    Column("phone", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("message_id", BigInteger, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
