"""A PostgreSQL server of the tests' own: in a temporary directory, on a Unix socket, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

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
