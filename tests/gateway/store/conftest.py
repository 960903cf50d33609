"""Every test that takes `store` runs twice: on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.engine import Store, open_store
from tests.support.postgres import PrivatePostgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: PrivatePostgres) -> str:
    """Name a PostgreSQL database with all tables and no rows, to copy from."""
    name = postgres.new_database()
    store = open_store(postgres.url(name))
    store.migrate()
    store.close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty, migrated database."""
    if request.param == "postgresql":
        server: PrivatePostgres = request.getfixturevalue("postgres")
        return server.url(server.new_database(request.getfixturevalue("migrated")))
    url = f"sqlite:///{tmp_path}/gateway.db"
    store = open_store(url)
    store.migrate()
    store.close()
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url)
    yield store
    store.close()
