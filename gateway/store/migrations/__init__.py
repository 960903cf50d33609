"""The schema's history, and the one way to bring a database to its end.

Files are named `release_serial_{pre|post}_what.py`: a `pre` step leaves a schema the previous release
still works on, so it may run before the new release starts; a `post` step waits until the old one is gone.
"""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

# any number will do, so long as nobody else in this database locks it
_ADVISORY_LOCK = 0x5C10_0D5D


def upgrade(engine: Engine) -> None:
    """Apply what is missing in one transaction; whoever starts at the same time waits for it."""
    with engine.begin() as connection:
        # on SQLite the transaction itself, begun as IMMEDIATE, is the lock
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        command.upgrade(config(connection), "head")


def config(connection: Connection) -> Config:
    """Return Alembic's configuration, bound to `connection`."""
    made = Config()
    made.set_main_option("script_location", "gateway.store:migrations")
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made
