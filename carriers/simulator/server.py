"""The simulated carrier over real TCP: listener, timer, counters on disk."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Iterable
from typing import Self

import orjson

from carriers.simulator.carrier import Carrier
from carriers.simulator.connection import Connection
from carriers.simulator.handsets import MoScript, parse_mos
from carriers.simulator.options import SimulatorOptions
from carriers.simulator.stats import Stats
from carriers.transport import server_context

log = logging.getLogger(__name__)

MO_POLL = 0.1  # seconds between two looks at the file of handsets' messages
_SLICE = 0.002  # seconds; actions due within it happen together, so a burst of receipts is one write


class Simulator:
    """A carrier to bind to; `async with` opens and closes it. Raises ValueError for impossible options."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        self._carrier = Carrier(options, time.monotonic(), time.time())
        self._connections: dict[int, Connection] = {}
        self._touched: dict[Connection, None] = {}
        self._numbers = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop
        self._waiters: list[tuple[Callable[[Stats], bool], asyncio.Future[None]]] = []

    async def __aenter__(self) -> Self:
        options = self._options
        context = None
        if options.tls_cert:
            context = server_context(options.tls_cert, options.tls_key or options.tls_cert)
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(
            self._connection, options.host, options.port, ssl=context, backlog=1024
        )
        self._schedule_flush()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and close every connection, without unbinding: carriers do not say goodbye."""
        if self._server is not None:
            self._server.close()
        if self._timer is not None:
            self._timer.cancel()
        self.drop_connections()
        await self._empty.wait()
        self._carrier.recorder.close()
        self._write_stats()

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def stats(self) -> Stats:
        """Return the counters; they live on."""
        return self._carrier.stats

    async def until(self, condition: Callable[[Stats], bool], limit: float = 10.0) -> None:
        """Wait until `condition` of the counters holds; looked at after every batch of work.

        Raises TimeoutError after `limit` seconds.
        """
        if not condition(self._carrier.stats):
            waiter = self._loop.create_future()
            self._waiters.append((condition, waiter))
            async with asyncio.timeout(limit):
                await waiter

    def drop_connections(self) -> None:
        """Reset every connection, as a crash of the carrier would."""
        for connection in list(self._connections.values()):
            connection.abort()

    async def follow_handsets(self) -> None:
        """Send the messages that are written into the options' file, until cancelled.

        A line is read once it is ended. One that cannot be read is told of and skipped.
        """
        path, offset = self._options.mo_file, 0
        while path is not None:
            whole = path.read_bytes() if path.exists() else b""
            end = whole.rfind(b"\n") + 1
            for line in whole[offset:end].decode("utf-8", "replace").splitlines():
                try:
                    self._hand_in(parse_mos(line))
                except ValueError as error:
                    log.warning("%s", error)
            offset = max(offset, end)
            await asyncio.sleep(MO_POLL)

    def _hand_in(self, scripts: Iterable[MoScript]) -> None:
        self.tick()
        for script in scripts:
            self._carrier.hand_in(script)
        self._schedule_flush()

    # --- what connections call

    def tick(self) -> None:
        """Set the carrier's time."""
        self._carrier.tick(time.monotonic(), time.time())

    def touched(self, connection: Connection) -> None:
        """Flush `connection` at the end of this turn of the event loop."""
        self._touched[connection] = None
        self._schedule_flush()

    def came(self, connection: Connection) -> None:
        """Remember a connection that is open, its TLS handshake done."""
        self._connections[connection.number] = connection
        self._empty.clear()

    def gone(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._connections.pop(connection.number, None)
        if not self._connections:
            self._empty.set()
        self._schedule_flush()

    # --- the work between

    def _connection(self) -> Connection:
        self.tick()
        self._numbers += 1
        return Connection(self._numbers, self._carrier, self)

    def _schedule_flush(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Do what is due, write it down, and only then let the bytes go."""
        self._flushing = False
        self._carrier.agenda.run_due(self._carrier.now)
        self._carrier.recorder.flush()
        touched, self._touched = self._touched, {}
        for connection in touched:
            connection.flush()
        self._set_timer()
        for condition, waiter in self._waiters:
            if not waiter.done() and condition(self._carrier.stats):
                waiter.set_result(None)
        self._waiters = [entry for entry in self._waiters if not entry[1].done()]

    def _set_timer(self) -> None:
        due = self._carrier.agenda.next_due()
        if due is None:
            return
        wait = max(due - time.monotonic(), _SLICE)
        if self._timer is not None:
            if self._timer.when() <= self._loop.time() + wait:
                return  # it wakes up early enough, and looks again
            self._timer.cancel()
        self._timer = self._loop.call_later(wait, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.tick()
        self._flush()

    def _write_stats(self) -> None:
        """Replace the counters' file, so that a reader never sees half of it."""
        path = self._options.stats_file
        if path is not None:
            beside = path.with_name(path.name + ".new")
            beside.write_bytes(orjson.dumps(self._carrier.stats.as_json()))
            beside.replace(path)

    async def keep_stats(self) -> None:
        """Write the counters once a second, until cancelled."""
        while True:
            self._write_stats()
            await asyncio.sleep(1.0)


async def run_simulator(
    options: SimulatorOptions, started: Callable[[Simulator], None] | None = None
) -> None:
    """Run the simulated carrier until SIGINT or SIGTERM; `started` is told once it listens.

    Raises ValueError for impossible options and OSError if the port cannot be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with Simulator(options) as simulator, asyncio.TaskGroup() as tasks:
            if started is not None:
                started(simulator)
            beside = [simulator.keep_stats()] if options.stats_file else []
            if options.mo_file:
                beside.append(simulator.follow_handsets())
            running = [tasks.create_task(one) for one in beside]
            await stop.wait()
            for task in running:
                task.cancel()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)
