"""Revision numbers: how a change made beside the running gateway is noticed by it."""

from sqlalchemy import Connection, select, text

from gateway.store import tables

DIRECTORY = "directory"  # accounts, projects, keys, signatures, templates
MONEY = "money"  # credits and debits
INBOUND = "inbound"  # owned numbers, handsets' messages assigned to somebody
NUMBERS = "numbers"  # blacklist, opt-outs, allow-list
RISK = "risk"  # accounts' own rules

_BUMP = text(
    "INSERT INTO revisions (scope, version) VALUES (:scope, 1) "
    "ON CONFLICT (scope) DO UPDATE SET version = revisions.version + 1"
)


def bump(connection: Connection, scope: str) -> None:
    """Say, in the transaction of the change itself, that something of `scope` is new."""
    connection.execute(_BUMP, {"scope": scope})


def current(connection: Connection) -> dict[str, int]:
    """Return the revision of every scope ever changed."""
    rows = connection.execute(select(tables.revisions.c.scope, tables.revisions.c.version))
    return {scope: version for scope, version in rows}
