"""The writer as a process: `python -m gateway.store.process FD`, started by the gateway that it writes for.

It holds the database's lock for as long as it lives; on PostgreSQL by the very connection it commits on. So a
gateway that starts after a crash waits until the last commit of the one before is through, and two gateways
never write the same database.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any, cast

import structlog
from sqlalchemy import Connection, text

from gateway.errors import StoreUnavailable
from gateway.store.changes import Parts
from gateway.store.committer import Committer, Displaced
from gateway.store.engine import Store, open_store
from gateway.store.frames import Frames, dump_outcomes, frame, load_outcomes
from gateway.store.writer import Crashed, InOrder, Written

log = structlog.get_logger(__name__)

LOCK_WAIT = 15.0  # seconds the gateway before may take to finish its last commit
LOCK_WAIT_VARIABLE = "GATEWAY_LOCK_WAIT"  # in the environment: another number of seconds
_READ = 1 << 20
_ADVISORY = 0x5C10_0D  # PostgreSQL's name for the same lock


class WriterDied(Exception):
    """The writer process ended by itself; nothing more can be committed."""


class ProcessWriter(asyncio.Protocol):
    """The gateway's end."""

    def __init__(self, url: str) -> None:
        """`url` reaches the process through its socket: arguments can be read by everybody."""
        self._url = url
        self._frames = Frames()
        self._process: Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._ready: asyncio.Future[None] | None = None
        self._gone = asyncio.Event()
        self._stopping = False
        self._written: Written | None = None
        self._crashed: Crashed | None = None

    async def start(self, written: Written, crashed: Crashed) -> None:
        """Start the process and wait until it has the database; raises `StoreUnavailable`."""
        self._written, self._crashed = written, crashed
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "gateway.store.process", str(theirs.fileno())]
            # its own session: Ctrl-C is for the gateway, which drains and then lets it go
            self._process = await asyncio.to_thread(
                Popen, command, stdin=DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
            )
        self._ready = loop.create_future()
        await loop.create_connection(lambda: self, sock=ours)
        self._send(self._url)
        await self._ready

    @property
    def pid(self) -> int:
        """Return the process id, once started."""
        assert self._process is not None
        return self._process.pid

    def write(self, units: Sequence[Parts], number: int, known: int) -> None:
        """Send `units`."""
        try:
            self._send((units, number, known))
        except ValueError as error:  # something that is no plain value: a bug, and not to be passed over
            assert self._crashed is not None
            self._crashed(error)

    async def stop(self) -> None:
        """Let the process end, and wait for it."""
        self._stopping = True
        if self._transport is not None:
            self._transport.close()
            await self._gone.wait()
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand on what became of the batches."""
        for message in self._frames.receive(data):
            if self._ready is not None and not self._ready.done():
                self._begin(message)
            elif message is None:
                log.warning("another gateway may be writing this database; waiting for it to end")
            elif isinstance(message, str):
                self._end(StoreUnavailable(message))
            else:
                assert self._written is not None
                outcomes, seconds = message
                self._written(load_outcomes(outcomes), seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so, unless it was our wish."""
        self._gone.set()
        died = WriterDied("the writer process is gone")
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(died)
        else:
            self._end(died)

    def _end(self, error: Exception) -> None:
        """Say once that nothing more can be committed, unless that was our wish."""
        if not self._stopping and self._crashed is not None:
            self._crashed(error)
        self._crashed = None

    def _begin(self, message: str | None) -> None:
        assert self._ready is not None
        if message is None:
            log.warning("another gateway is writing this database; waiting for it to end")
        elif message:
            self._ready.set_exception(StoreUnavailable(message))
        else:
            self._ready.set_result(None)

    def _send(self, message: Any) -> None:
        assert self._transport is not None
        self._transport.write(frame(message))


def main() -> None:
    """Write what comes through the socket until it closes."""
    # whoever stops the gateway may signal all its processes (systemd does): it ends when the gateway lets go
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as gateway:
        frames = Frames()
        messages = _messages(gateway, frames)
        store = open_store(next(messages))
        try:
            with _sole_writer(store, lambda: gateway.sendall(frame(None))) as committer:
                gateway.sendall(frame(""))
                _serve(gateway, messages, InOrder(committer))
        except StoreUnavailable as error:
            gateway.sendall(frame(str(error)))
        finally:
            store.close()


def _serve(gateway: socket.socket, messages: Iterator[Any], committer: InOrder) -> None:
    for message in messages:
        started = time.monotonic()
        outcomes = committer.commit(*message)
        try:
            gateway.sendall(frame((dump_outcomes(outcomes), time.monotonic() - started)))
        except BrokenPipeError:  # killed meanwhile; the rows are stored all the same
            break
    committer.close()


def _messages(gateway: socket.socket, frames: Frames) -> Iterator[Any]:
    with contextlib.suppress(ConnectionResetError):
        while data := gateway.recv(_READ):
            yield from frames.receive(data)


@contextlib.contextmanager
def _sole_writer(store: Store, waits: Callable[[], None]) -> Iterator[Committer]:
    """Hold the database's lock; `waits` is called if another gateway has it, which must end it soon.

    Raises `Displaced` if it does not.
    """
    if store.dialect == "postgresql":
        # The server frees the lock when the connection that has it ends, and it may end without us. So it is
        # the committing one, and every connection after it takes the lock again before it commits.
        committer = Committer(store, partial(_take_over, waits))
        committer.connect()
        yield committer
        return
    path = Path(store.writer.url.database or "").with_suffix(".lock")
    with path.open("a") as file:
        _patiently(lambda: _locked(file.fileno()), waits)
        yield Committer(store)


def _take_over(waits: Callable[[], None], connection: Connection) -> None:
    _patiently(partial(_lock_advisory, connection), waits)


def _lock_advisory(connection: Connection) -> bool:
    with connection.begin():
        return bool(connection.scalar(text(f"SELECT pg_try_advisory_lock({_ADVISORY})")))


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _patiently(attempt: Callable[[], bool], waits: Callable[[], None]) -> None:
    if attempt():
        return
    waits()
    deadline = time.monotonic() + float(os.environ.get(LOCK_WAIT_VARIABLE, LOCK_WAIT))
    while not attempt():
        if time.monotonic() > deadline:
            raise Displaced("another gateway is writing this database")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
