"""What is known of an account's keys and consent beside the account itself."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from gateway.store.tables_base import metadata

# when and where from each key was used last; written about once a minute, never with a request
key_uses = Table(
    "key_uses",
    metadata,
    Column("public_key", Text, primary_key=True),
    Column("used_at", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
)

# which terms of service an account accepted, and when; never changed
terms_acceptances = Table(
    "terms_acceptances",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("version", Text, primary_key=True),
    Column("accepted_at", BigInteger, nullable=False),
)
