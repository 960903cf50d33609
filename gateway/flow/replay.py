"""The duplicate window: the same signed request within it gets the first one's answer and changes nothing.

Clients of the SCloud API send a request again, signature and all, on time-outs, dropped connections and even
on refusals. Only answers after which something was stored are kept: who was refused may try again at once.
"""

import asyncio
import hashlib
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import orjson

from gateway.clock import Clock

BRIEF = 5.0  # seconds an answer is kept for numbers that may get the same text again at once
_STEPS = 32  # the window is forgotten in so many slices: an answer lives up to 1/32 longer than asked


@dataclass(slots=True)
class Answer:
    """What a request is answered with. `stored`: something was submitted or created by it."""

    body: bytes
    code: int
    stored: bool = False
    brief: bool = False  # every number of it is on the allow-list
    replayed: bool = False


Perform = Callable[[], Awaitable[Answer]]


def request_key(public_key: str, signature: str) -> str:
    """Return what makes a repeated request the same; fixed in length, whatever the customer sent."""
    return hashlib.blake2b(f"{public_key}\n{signature}".encode(), digest_size=16).hexdigest()


def _code(body: bytes) -> int:
    """Return the code inside an answer; only answers given once more are ever looked into."""
    code = orjson.loads(body)["RetCode"]
    assert isinstance(code, int)
    return code


class ReplayWindow:
    """Remembers answers for `seconds` and lets a repeated request wait for the first one.

    Memory: about 300 bytes for each stored answer of the last window. Restarts forget nothing that `preload`
    brings back from the store.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        """`seconds` 0 turns the window off."""
        self._seconds = seconds
        self._clock = clock
        self._answers: dict[bytes, bytes] = {}
        self._brief: dict[bytes, float] = {}  # answers that count until then only
        self._slices: deque[tuple[float, list[bytes]]] = deque()  # oldest first: when begun, keys
        self._running: dict[bytes, asyncio.Future[None] | None] = {}  # a future once somebody waits

    def __len__(self) -> int:
        return len(self._answers)

    def preload(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """Take what was stored before a restart: request key, answer, unix ms; oldest first."""
        offset = self._clock.monotonic() - self._clock.now_ms() / 1000
        for key, answer, created_ms in rows:
            self._keep(bytes.fromhex(key), answer.encode(), created_ms / 1000 + offset)
        self._forget(self._clock.monotonic())

    async def once(self, key: str, perform: Perform) -> Answer:
        """Return the kept answer for `key`, or that of `perform`; one `perform` runs for a key at a time."""
        if not self._seconds:
            return await perform()
        short = bytes.fromhex(key)
        self._forget(self._clock.monotonic())
        running = self._running
        while True:
            body = self._answers.get(short)
            if body is not None and not self._over(short):
                return Answer(body, _code(body), stored=True, replayed=True)
            if short not in running:
                break
            await self._wait(short)
        running[short] = None
        try:
            answer = await perform()
            if answer.stored:
                now = self._clock.monotonic()
                self._keep(short, answer.body, now)
                if answer.brief:
                    self._brief[short] = now + min(BRIEF, self._seconds)
        finally:
            waiting = running.pop(short)
            if waiting is not None:
                waiting.set_result(None)
        return answer

    async def _wait(self, key: bytes) -> None:
        waiting = self._running[key]
        if waiting is None:
            waiting = self._running[key] = asyncio.get_running_loop().create_future()
        # shielded: a waiter that is cancelled must not cancel what the others wait for
        await asyncio.shield(waiting)

    def _keep(self, key: bytes, body: bytes, now: float) -> None:
        slices = self._slices
        if not slices or now - slices[-1][0] >= self._seconds / _STEPS:
            slices.append((now, []))
        slices[-1][1].append(key)
        self._answers[key] = body

    def _over(self, key: bytes) -> bool:
        """Whether the answer for `key` was a brief one whose time is over."""
        return bool(self._brief) and self._brief.get(key, math.inf) <= self._clock.monotonic()

    def _forget(self, now: float) -> None:
        """Drop slices whose last possible answer is older than the window."""
        limit = now - self._seconds - self._seconds / _STEPS
        while self._slices and self._slices[0][0] <= limit:
            for key in self._slices.popleft()[1]:
                self._answers.pop(key, None)
                self._brief.pop(key, None)
