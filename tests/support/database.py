"""A store with its tables, made once by the migrations and copied for every test that needs one."""

import tempfile
from functools import cache
from pathlib import Path

from gateway.store.engine import Store, open_store


@cache
def _prepared() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "gateway.db")
        store = open_store(f"sqlite:///{file}")
        store.migrate()
        store.close()
        assert not file.with_name("gateway.db-wal").exists(), "the file is not the whole database"
        return file.read_bytes()


def prepare(file: Path) -> str:
    """Make `file` an empty SQLite store as `migrate` leaves one; return its URL."""
    file.write_bytes(_prepared())
    return f"sqlite:///{file}"


def prepared_store(directory: Path) -> Store:
    """Return an empty store on SQLite in `directory`, migrated."""
    return open_store(prepare(directory / "gateway.db"))
