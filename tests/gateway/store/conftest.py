"""Every test that takes `store` runs twice: on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.engine import Store, open_store
from tests.support.database import prepare
from tests.support.postgres import Kept, PrivatePostgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: PrivatePostgres) -> tuple[str, Kept]:
    """Name a PostgreSQL database with all tables and no rows, and keep what is in it."""
    name = postgres.new_database()
    store = open_store(postgres.url(name))
    store.migrate()
    store.close()
    return name, postgres.kept(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty, migrated database."""
    if request.param == "sqlite":
        yield prepare(tmp_path / "gateway.db")
        return
    server: PrivatePostgres = request.getfixturevalue("postgres")
    name, empty = request.getfixturevalue("migrated")
    yield server.url(name)
    empty.restore()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url)
    yield store
    store.close()
