"""The load generator: a process of its own, keep-alive connections, one request at a time on each.

It reads its plan as JSON from standard input and writes what happened as JSON to standard output. With a
rate, requests are due at fixed times and latency counts from then, so a stall cannot hide the requests
that it held up; without one, every connection sends as soon as it has its answer.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

from tests.bench.requests import Customer, Requests

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CODE = re.compile(rb'"RetCode": *"?(\d+)')
ANSWER_LIMIT = 120.0  # seconds the last answers may take
THROTTLED = b"153"
TRY_AGAIN = 0.02  # seconds a client waits after it
TICK = 0.001  # shortest sleep of the fixed-rate mode; what is due by then leaves together


@dataclass(slots=True, kw_only=True)
class Plan:
    """One run."""

    host: str
    port: int
    customer: Customer
    numbers: int = 1  # telephone numbers in a request
    connections: int = 32
    first: int = 0  # serial of the first request
    seconds: float = 0.0  # how long to send, 0: until `requests`
    requests: int = 10**9  # how many to send at most
    rate: float = 0.0  # requests a second, 0: as fast as answers come
    keep_times: bool = False  # report when each request was sent


@dataclass(slots=True)
class Result:
    """What came of it."""

    sent: int = 0
    acked: int = 0  # requests answered with RetCode 0
    throttled: int = 0  # answers 153 "try again shortly"; the request went again
    refused: dict[str, int] = field(default_factory=dict)  # by RetCode or HTTP status
    lost: int = 0  # connections that broke with a request unanswered
    started: float = 0.0  # unix time
    elapsed: float = 0.0  # from the first request to the last answer
    cpu: float = 0.0  # seconds of CPU this generator took
    latencies: list[float] = field(default_factory=list)  # seconds, ascending
    timeline: list[float] = field(default_factory=list)  # when answers came, seconds from the start
    times: dict[str, float] = field(default_factory=dict)  # phone → unix time it was sent


class Connection(asyncio.Protocol):
    """One keep-alive connection; tells the run when an answer is complete."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = b""
        self._due = 0.0
        self._request = b""
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self, request: bytes, due: float) -> None:
        """Send one request; its latency counts from `due`."""
        assert self._transport is not None
        self._due = due
        self._request = request
        self.busy = True
        self._transport.write(request)

    def send_again(self) -> None:
        """Send the same request once more."""
        self.send(self._request, self._due)

    def data_received(self, data: bytes) -> None:
        """Collect one answer; they never overlap."""
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end >= 0:
            length = _LENGTH.search(data, 0, end + 2)
            if length is not None and len(data) >= end + 4 + int(length[1]):
                self._buffer = b""
                self.busy = False
                self._run.answered(self, data, self._due)
                return
        self._buffer = data

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell the run."""
        self._run.lost(self)

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


class Run:
    """One plan being carried out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = Requests(plan.customer, f"{plan.host}:{plan.port}", plan.numbers)
        self._result = Result()
        self._codes: Counter[str] = Counter()
        self._idle: deque[Connection] = deque()
        self._overdue: deque[float] = deque()  # due times of requests that found no idle connection
        self._all: list[Connection] = []
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        self._start = 0.0
        self._end = 0.0
        self._last = 0.0

    async def carry_out(self) -> Result:
        """Connect, send, wait for the last answer."""
        plan, result = self._plan, self._result
        for _ in range(plan.connections):
            _, connection = await self._loop.create_connection(lambda: Connection(self), plan.host, plan.port)
            self._all.append(connection)
        self._idle.extend(self._all)
        cpu = time.process_time()
        result.started = time.time()
        self._start = self._last = time.perf_counter()
        self._end = self._start + plan.seconds if plan.seconds else float("inf")
        if plan.rate:
            await self._send_at_rate()
        else:
            while self._idle and self._more():
                self._send(self._idle.popleft(), time.perf_counter())
        async with asyncio.timeout(max(plan.seconds, 600.0 if plan.requests < 10**9 else 0.0) + ANSWER_LIMIT):
            self._check_done()
            await self._done.wait()
        result.cpu = time.process_time() - cpu
        result.elapsed = self._last - self._start
        result.refused = dict(self._codes)
        result.latencies.sort()
        self._closed = True
        for connection in self._all:
            connection.close()
        return result

    async def _send_at_rate(self) -> None:
        plan, number = self._plan, 0
        while self._result.sent + len(self._overdue) < plan.requests:
            now = time.perf_counter()
            due = self._start + number / plan.rate
            if due >= self._end:
                break
            if due > now:
                await asyncio.sleep(max(due - now, TICK))
                continue
            number += 1
            if self._idle:
                self._send(self._idle.popleft(), due)
            else:
                self._overdue.append(due)
        self._end = 0.0

    def _more(self) -> bool:
        return self._result.sent < self._plan.requests and time.perf_counter() < self._end

    def _send(self, connection: Connection, due: float) -> None:
        serial = self._plan.first + self._result.sent
        self._result.sent += 1
        if self._plan.keep_times:
            self._result.times[self._requests.phone(serial)] = time.time()
        connection.send(self._requests.make(serial), due)

    def answered(self, connection: Connection, answer: bytes, due: float) -> None:
        """Note an answer and give its connection the next request."""
        now = self._last = time.perf_counter()
        result = self._result
        code = _CODE.search(answer)
        if code is not None and code[1] == THROTTLED:
            result.throttled += 1
            connection.busy = True
            self._loop.call_later(TRY_AGAIN, connection.send_again)
            return
        if code is not None and code[1] == b"0":
            result.acked += 1
            result.latencies.append(now - due)
            result.timeline.append(now - self._start)
        else:
            self._codes[code[1].decode() if code else f"HTTP {answer[9:12].decode()}"] += 1
        if self._overdue:
            self._send(connection, self._overdue.popleft())
        elif not self._plan.rate and self._more():
            self._send(connection, now)
        else:
            self._idle.append(connection)
            self._check_done()

    def lost(self, connection: Connection) -> None:
        """Note a connection that broke."""
        if self._closed:
            return
        if connection.busy:
            self._result.lost += 1
        elif connection in self._idle:
            self._idle.remove(connection)
        self._all.remove(connection)
        self._check_done()

    def _check_done(self) -> None:
        if len(self._idle) == len(self._all) and not self._overdue and not (self._plan.rate and self._end):
            self._done.set()


async def _main() -> None:
    document = json.load(sys.stdin)
    plan = Plan(**{**document, "customer": Customer(**document["customer"])})
    json.dump(asdict(await Run(plan).carry_out()), sys.stdout)


if __name__ == "__main__":
    uvloop.run(_main())
