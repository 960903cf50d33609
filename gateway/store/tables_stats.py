"""Counters of what was sent, what customers tell of its use, and reports that wait to be pulled."""

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table, Text, text

from gateway.store.tables_base import Id, metadata

# written by the commits that write the messages they count (gateway.store.tally)
statistics = Table(
    "statistics",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # YYYY-MM-DD of the accept, in the zone of that time
    Column("project_id", Text, primary_key=True),
    Column("country", Text, primary_key=True),
    Column("purpose", SmallInteger, primary_key=True, autoincrement=False),
    Column("template_id", Text, primary_key=True),
    Column("messages", BigInteger, nullable=False),  # accepted, whatever became of them
    Column("segments", BigInteger, nullable=False),
    Column("success", BigInteger, nullable=False),
    Column("success_segments", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("failed_segments", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("unknown_segments", BigInteger, nullable=False),
    Column("submit_failed", BigInteger, nullable=False),
    Column("submit_failed_segments", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),  # messages of which the customer told that they were used
    Column("unused", BigInteger, nullable=False),
    Index("ix_statistics_day", "day"),
)

# which time zone a day is a day of; rows are only ever added, so what is counted stays where it was counted
statistics_zones = Table(
    "statistics_zones",
    metadata,
    Column("since", BigInteger, primary_key=True, autoincrement=False),  # unix ms, a whole quarter of an hour
    Column("zone", Text, nullable=False),
)

# what the customer told last of a message's use: that of a code, as a rule
conversions = Table(
    "conversions",
    metadata,
    Column("message_id", Id, primary_key=True, autoincrement=False),
    Column("used", SmallInteger, nullable=False),  # 1 | 0
    Column("used_at", BigInteger),  # as told
    Column("told_at", BigInteger, nullable=False),
)

# final reports of accounts that pull them; gone once pulled, or after three days
pull_reports = Table(
    "pull_reports",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=True),
    Column("account_id", Text, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),  # the JSON item
    Column("created_at", BigInteger, nullable=False),
    Column("pulled_at", BigInteger),
    Column("request_key", Text),  # of the request that pulled it, if that may be repeated
    Index(
        "ix_pull_reports_waiting",
        "account_id",
        "seq",
        sqlite_where=text("pulled_at IS NULL"),
        postgresql_where=text("pulled_at IS NULL"),
    ),
    Index(
        "ix_pull_reports_repeated",
        "request_key",
        sqlite_where=text("request_key IS NOT NULL"),
        postgresql_where=text("request_key IS NOT NULL"),
    ),
    Index(
        "ix_pull_reports_pulled",
        "pulled_at",
        sqlite_where=text("pulled_at IS NOT NULL"),
        postgresql_where=text("pulled_at IS NOT NULL"),
    ),
    Index("ix_pull_reports_created", "created_at"),
)
