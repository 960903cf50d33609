"""Real processes for whole-gateway stories: started, watched, killed and ended, each by its own pid."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
PORTS = (10_000, 32_000)  # below what Linux gives to outgoing connections
POLL = 0.02  # seconds between two looks at a condition
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

T = TypeVar("T")


class Gone(Exception):
    """A process ended that should not have; carries the end of its log."""


_ports = random.Random()  # of the system's entropy: another process of the same run draws others


def free_port() -> int:
    """Return a port nobody listens on now, and that no connection gets by chance.

    Those the system gives out itself may be taken again before our server binds: by any client's connection.
    """
    while True:
        port = _ports.randrange(*PORTS)
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            return port


def wait_for(what: str, look: Callable[[], T], limit: float = 30.0, *, alive: "Process | None" = None) -> T:
    """Return the first true value of `look`; raises TimeoutError that names what was waited for.

    Raises `Gone` as soon as the process that is to bring it about has ended.
    """
    deadline = time.monotonic() + limit
    while True:
        found = look()
        if found:
            return found
        if alive is not None:
            alive.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {limit:g} s; last seen: {found!r}")
        time.sleep(POLL)


def get_json(url: str, limit: float = 5.0) -> tuple[int, Any]:
    """Return status and document of a GET; status 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=limit) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")
    except OSError:
        return 0, None


class Process:
    """One child process; everything it prints goes to its log."""

    def __init__(self, name: str, command: Sequence[str], directory: Path) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=directory,
                env=self.environment(),
            )
        self.pid = self._child.pid

    def __repr__(self) -> str:
        code = self._child.poll()
        return f"<{self.name} {self.pid} {'running' if code is None else f'ended with {code}'}>"

    @staticmethod
    def environment() -> dict[str, str]:
        """Return what a child of the tests is started with."""
        inherited = dict(os.environ)
        # hundreds of them start, and each would compile all it loads anew
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        return {**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._child.poll() is None

    def check(self) -> None:
        """Raise `Gone` if it ended."""
        if not self.running:
            raise Gone(f"{self!r}\n{self.tail()}")

    def tail(self, size: int = 4000) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    def kill(self) -> None:
        """SIGKILL, and wait for the corpse."""
        if self.running:
            self._child.kill()
        self._child.wait()

    def terminate(self, limit: float = 60.0) -> int:
        """SIGTERM; return the exit code, or raise TimeoutError (and kill it) if it does not end in time."""
        if self.running:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(
                f"{self.name} did not end within {limit:g} s of SIGTERM\n{self.tail()}"
            ) from None

    def cpu_seconds(self) -> float:
        """Return the CPU time it has used, user and system, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss(self) -> int:
        """Return its resident set in bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE

    def open_files(self) -> int:
        """Return how many descriptors it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def python(*arguments: str) -> list[str]:
    """Return the command line of a Python child that does not look for modules in its working directory."""
    return [sys.executable, "-P", *arguments]


def toml(document: dict[str, Any]) -> str:
    """Write tables of plain values, and lists of such tables, as TOML."""
    plain = {key: value for key, value in document.items() if not _is_table(value)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in document.items():
        if isinstance(value, dict):
            lines += [f"\n[{key}]", toml(value)]
        elif _is_table(value):
            for item in value:
                lines += [f"\n[[{key}]]", toml(item)]
    return "\n".join(lines) + "\n"


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
