"""A PostgreSQL server of the tests' own: in a temporary directory, on a Unix socket, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString

import psycopg
from psycopg import sql

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


class PostgresMissing(Exception):
    """There is no PostgreSQL server on this machine: `apt-get install postgresql`."""


class PrivatePostgres:
    """A server that lives as long as the `with` block; durable like a real one (fsync on)."""

    def __init__(self) -> None:
        self._binaries = _find_binaries()
        self._names = count(1)
        self.directory = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short: a socket's path is bounded
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            account = _unprivileged()
            os.chown(self.directory, account.pw_uid, account.pw_gid)
            self._as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def __enter__(self) -> "PrivatePostgres":
        self._run(
            "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = f"-k {self.directory} -c listen_addresses='' -c max_connections=60"
        log = str(self.directory / "log")
        self._run("pg_ctl", "-D", self._data, "-l", log, "-o", options, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is a crash: what was committed must survive it."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def url(self, database: str) -> str:
        """Return the URL of `database` as users write it."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def new_database(self, template: str = "template0") -> str:
        """Make a database and return its name."""
        name = f"test_{next(self._names)}"
        statement = "CREATE DATABASE {} TEMPLATE {}"
        self.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def kept(self, database: str) -> "Kept":
        """Return what `database` holds now, to go back to."""
        return Kept(str(self.directory), database)

    def execute(self, statement: sql.Composable) -> None:
        """Run one statement as the superuser, outside a transaction."""
        with psycopg.connect(
            host=str(self.directory), user="postgres", dbname="postgres", autocommit=True
        ) as c:
            c.execute(statement)

    @property
    def _data(self) -> str:
        return str(self.directory / "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(
            command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, **self._as_user,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout}")


class Kept:
    """A database as it was at a moment: to go back is ten times faster than to make another."""

    def __init__(self, host: str, database: str) -> None:
        self._place = f"host={host} user=postgres dbname={database}"
        with psycopg.connect(self._place, autocommit=True) as c:
            self._tables = [name for (name,) in c.execute(_TABLES)]
            rows = {name: c.execute(_on("SELECT * FROM {}", name)).fetchall() for name in self._tables}
            self._rows = {name: found for name, found in rows.items() if found}
            self._counts = c.execute(_COUNTS).fetchall()

    def restore(self) -> None:
        """End every connection to it and put rows and counts back; the tables must be as they were."""
        with psycopg.connect(self._place, autocommit=True) as c:
            c.execute(_END_OTHERS)
            c.execute("SET session_replication_role = replica")  # in any order, whatever refers to what
            c.execute(sql.SQL("; ").join(_on("DELETE FROM {}", name) for name in self._tables))
            for name, rows in self._rows.items():
                values = sql.SQL("({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(rows[0])))
                c.cursor().executemany(_on("INSERT INTO {} VALUES ", name) + values, rows)
            for name, last in self._counts:
                c.execute("SELECT setval(%s::regclass, coalesce(%s, 1), %s)", (name, last, last is not None))


def _on(statement: LiteralString, table: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(table))


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_COUNTS = "SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE schemaname = 'public'"
_END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def _find_binaries() -> Path:
    for place in _PLACES:
        if (place / "initdb").exists():
            return place
    found = shutil.which("initdb")
    if found is None:
        raise PostgresMissing(PostgresMissing.__doc__)
    return Path(found).resolve().parent


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
