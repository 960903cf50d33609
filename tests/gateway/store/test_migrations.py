"""The schema: the migrations lead to exactly the tables the code works with."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from gateway.store import tables
from gateway.store.engine import NEWEST_MIGRATION, Store, open_store
from gateway.store.migrations import config
from tests.support.postgres import PrivatePostgres

_SQLITE = """
SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, m.sql LIKE '%AUTOINCREMENT%'
FROM sqlite_master m, pragma_table_xinfo(m.name) x WHERE m.type = 'table' ORDER BY 1, x.cid
""", """
SELECT m.name, f."from", f."table", f."to"
FROM sqlite_master m, pragma_foreign_key_list(m.name) f ORDER BY 1, 2
""", """
SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1
"""  # fmt: skip
_POSTGRESQL = """
SELECT table_name, column_name, data_type, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
""", """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
""", """
SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2
"""  # fmt: skip

MIGRATE = """
import sys
from gateway.store.engine import open_store
store = open_store(sys.argv[1])
store.migrate()
store.close()
"""


def catalog(connection: Connection) -> list[list[tuple[Any, ...]]]:
    """Return what the database itself says its schema is, the migrations' own table aside."""
    queries = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    return [
        [tuple(row) for row in connection.execute(text(query)) if "alembic_version" not in row[0]]
        for query in queries
    ]


@pytest.fixture
def unmigrated(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> str:
    """Return the URL of an empty database beside `url`, of the same kind."""
    if url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/empty.db"
    server: PrivatePostgres = request.getfixturevalue("postgres")
    return server.url(server.new_database())


def test_the_migrations_make_the_tables_the_code_has(store: Store, unmigrated: str) -> None:
    made = open_store(unmigrated)
    made.transaction(tables.metadata.create_all)
    wanted = made.read_now(catalog)
    made.close()
    assert store.read_now(catalog) == wanted
    assert all(wanted)


def test_migrating_again_changes_nothing(store: Store) -> None:
    before = store.read_now(catalog)
    store.migrate()
    assert store.read_now(catalog) == before


def test_a_store_is_told_to_be_up_to_date_by_the_newest_migration(store: Store) -> None:
    with store.writer.begin() as connection:
        assert ScriptDirectory.from_config(config(connection)).get_heads() == [NEWEST_MIGRATION]
    assert (
        store.read_now(lambda c: c.scalar(text("SELECT version_num FROM alembic_version")))
        == NEWEST_MIGRATION
    )


def test_a_store_that_is_up_to_date_needs_no_migrations(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.migrations.upgrade", None)
    store.migrate()


def test_what_is_older_is_brought_up_to_date(unmigrated: str, store: Store) -> None:
    older = open_store(unmigrated)
    with older.writer.begin() as connection:
        script = ScriptDirectory.from_config(config(connection))
        before = script.get_revision(NEWEST_MIGRATION).down_revision
        assert isinstance(before, str)
        command.upgrade(config(connection), before)
    assert older.read_now(catalog) != store.read_now(catalog)
    older.migrate()
    assert older.read_now(catalog) == store.read_now(catalog)
    older.close()


def test_several_processes_may_start_at_once(unmigrated: str) -> None:
    command = [sys.executable, "-W", "error", "-c", MIGRATE, unmigrated]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 3
    store = open_store(unmigrated)
    assert store.read_now(lambda c: c.scalar(text("SELECT count(*) FROM alembic_version"))) == 1
    store.close()


def test_every_step_says_when_it_runs() -> None:
    files = [path.name for path in (Path(tables.__file__).parent / "migrations/versions").glob("*.py")]
    assert files
    for name in files:
        *release, serial, when, what = name.removesuffix(".py").split("_", 5)
        assert [part.isdigit() for part in (*release, serial)] == [True] * 4, name
        assert when in ("pre", "post"), name
        assert what, name
