"""Numbers on lists, accounts' own risk settings, and what the rules did."""

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table, Text

from gateway.store.tables_base import Id, metadata

# blacklist, opt-outs and allow-list. A number taken off keeps its row for a while, so that the running
# gateway learns of it, and people can see who took it off
listed_numbers = Table(
    "listed_numbers",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("account_id", Text, nullable=False),
    Column("project_id", Text, nullable=False),  # "": every project of the account
    Column("kind", SmallInteger, nullable=False),  # gateway.domain.lists.ListKind
    Column("phone", BigInteger, nullable=False),  # E.164 digits: 15 at most
    Column("purpose", SmallInteger, nullable=False),  # 0: every one
    Column("source", SmallInteger, nullable=False),  # gateway.domain.lists.Source
    Column("remark", Text, nullable=False),
    Column("by", Text, nullable=False),  # whoever changed it last
    Column("at", BigInteger, nullable=False),  # when it was listed
    Column("removed_at", BigInteger),
    Column("version", BigInteger, nullable=False),  # revision of the scope `numbers` that changed it last
    Index("ux_listed_numbers", "account_id", "project_id", "phone", "kind", "purpose", unique=True),
    Index("ix_listed_numbers_version", "version"),
)

# an account's own setting of a rule; NULL: as everybody's
risk_rules = Table(
    "risk_rules",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("mode", Text),  # on | monitor | off
    Column("value", Text),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# how often a rule stopped something (mode on), or would have (mode monitor)
risk_counts = Table(
    "risk_counts",
    metadata,
    Column("day", Text, primary_key=True),  # YYYY-MM-DD, UTC
    Column("account_id", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# a few of them, numbers masked
risk_samples = Table(
    "risk_samples",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("day", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("phone", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_risk_samples_day", "day", "account_id"),
)
