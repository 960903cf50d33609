"""One customer's endpoint as a machine: what waits for it, what may leave now, when to try again.

No I/O and no clock of its own: `now` (monotonic seconds) is an argument. Memory holds a bounded part of what
waits; the rest stays in the store's outbox and is read back page by page. An endpoint that stays away longer
than the quick re-pushes holds nothing in memory at all.
"""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from config.schema import CallbackSettings
from gateway.flow.batch import (
    ATTEMPTS,
    CREATED_AT,
    ID,
    MESSAGE_ID,
    Batch,
    Failed,
    Row,
    is_reply,
    retry_delay,
)

MEMORY = 4_000  # reports one endpoint keeps in memory
PAGE = 1_000  # reports read back from the store at a time
LINGER = 0.05  # seconds a report waits for others to share its POST
UNRECORDED = 50  # batches that may wait for their commit; delivered ones that a crash would send again
AGAIN = 1.0  # seconds until the store is read again after a pass over it that brought nothing new
REFUSALS = 4  # batches refused in a row: it is the endpoint, not the batch


@dataclass(slots=True, eq=False)
class Endpoint:
    """The reports of one account on their way to its URL, in order."""

    account_id: str
    settings: CallbackSettings
    spilled: bool = False  # the store may hold reports that memory does not
    url: str | None = None
    queue: deque[Row] = field(default_factory=deque)
    deferred: list[Batch] = field(default_factory=list)  # tried before
    in_flight: dict[int, Batch] = field(default_factory=dict)
    unrecorded: dict[int, list[Row]] = field(default_factory=dict)  # settled, that commit still to come
    failures: int = 0  # rounds in a row that found nobody
    refusals: int = 0  # batches in a row that were answered with a no
    resume_at: float = 0.0
    loading: bool = False
    cursor: int = 0
    look_again_at: float = 0.0
    gathered_at: float = 0.0
    serial: int = 0
    _pass_brought: bool = False  # whether the pages since the last beginning held anything new
    _overlap: list[Row] | None = None  # offered while the page that may be the last is being read
    _known: frozenset[int] = frozenset()  # not to be taken from the page being read
    _read_back: frozenset[int] = frozenset()  # came with the last page; an offer of them comes too late

    def __repr__(self) -> str:
        more = " and more in the store" if self.spilled else ""
        state = f"failing, {self.failures} in a row" if self.failures else "up"
        return f"<Endpoint {self.account_id} {state}, {self.held()} held{more}>"

    def held(self) -> int:
        """Return how many undelivered reports memory holds."""
        return len(self.queue) + sum(
            len(batch.rows) for group in (self.deferred, self.in_flight.values()) for batch in group
        )

    @property
    def idle(self) -> bool:
        """Whether there is nothing to remember about this endpoint."""
        return not (
            self.queue or self.deferred or self.in_flight or self.unrecorded or self.spilled or self.loading
        )

    # what comes in

    def offer(self, rows: Sequence[Row], now: float) -> None:
        """Queue newly stored reports; past the memory bound they are left to the store."""
        if self._read_back:
            rows = [row for row in rows if row[ID] not in self._read_back]
        if self.spilled:
            if self._overlap is not None and len(self._overlap) + len(rows) <= MEMORY:
                self._overlap.extend(rows)
            else:
                self._overlap = None
            return
        if not self.queue:
            self.gathered_at = now
        room = MEMORY - len(self.queue)
        if len(rows) > room:
            self.spilled = True
            self.cursor = 0
            rows = rows[:room]
        self.queue.extend(rows)

    def wants_page(self, now: float) -> bool:
        """Whether the store should be asked for more now."""
        return (
            self.spilled
            and not self.loading
            and now >= max(self.resume_at, self.look_again_at)
            and self._queue_is_low()
        )

    def _queue_is_low(self) -> bool:
        return len(self.queue) < min(MEMORY // 2, self.settings.batch * self.settings.connections)

    def begin_page(self) -> int:
        """Start reading a page; return the id that it is to start after."""
        self.loading = True
        self._overlap = [] if self.cursor == 0 else None
        known = {row[ID] for row in self.queue}
        for batch in (*self.deferred, *self.in_flight.values()):
            known.update(batch.ids())
        for rows in self.unrecorded.values():
            known.update(row[ID] for row in rows)
        self._known = frozenset(known)
        return self.cursor

    def end_page(self, rows: Sequence[Row], now: float) -> None:
        """Take a page of at most `PAGE` reports, in order of id.

        A short page that starts at the beginning is everything there is: with what was offered meanwhile,
        memory has caught up with the store. A short page further on only ends a pass; the next one begins
        at the beginning, for what was stored behind the cursor. A whole pass of nothing but what memory holds
        (put off, say) is not repeated at once.
        """
        self.loading = False
        self._read_back = frozenset(row[ID] for row in rows)
        if not self.queue:
            self.gathered_at = now - LINGER  # what was kept waiting in the store waits no longer
        new = [row for row in rows if row[ID] not in self._known]
        self.queue.extend(new)
        first_page, overlap = self.cursor == 0, self._overlap
        self._pass_brought = bool(new) or (self._pass_brought and not first_page)
        if len(rows) < PAGE and not self._pass_brought:
            self.look_again_at = now + AGAIN
        self._overlap = None
        self.cursor = rows[-1][ID] if len(rows) >= PAGE else 0
        if len(rows) < PAGE and first_page and overlap is not None:
            self.spilled = False
            self.queue.extend(
                row for row in overlap if row[ID] not in self._read_back and row[ID] not in self._known
            )

    # what goes out

    def take(self, now: float, *, linger: float = LINGER) -> Batch | None:
        """Return the batch that may leave now. While the endpoint fails, one at a time is tried."""
        if self._busy() or now < self.resume_at:
            return None
        batch = self._retry(now) or self._gather(now, linger)
        if batch is not None:
            batch.started = now
            self.in_flight[batch.serial] = batch
        return batch

    def _busy(self) -> bool:
        limit = 1 if self.failures else self.settings.connections
        return len(self.in_flight) >= limit or len(self.unrecorded) >= UNRECORDED

    def _retry(self, now: float) -> Batch | None:
        ready = [batch for batch in self.deferred if batch.due <= now and not self._behind(batch)]
        if not ready or self._fresh_first():
            return None
        batch = min(ready, key=lambda batch: batch.serial)
        self.deferred.remove(batch)
        return batch

    def _behind(self, batch: Batch) -> bool:
        """Whether an earlier reply of one of its handsets is still being told."""
        if not batch.replies:
            return False
        mine = {row[MESSAGE_ID] for row in batch.rows}
        earlier = [one for one in self.deferred if one.serial < batch.serial]
        return any(
            row[MESSAGE_ID] in mine for one in (*earlier, *self.in_flight.values()) for row in one.rows
        )

    def _fresh_first(self) -> bool:
        """Whether what was refused must not hold up what has not been tried."""
        return bool(self.refusals and self.queue) and not self._stuffed()

    def _stuffed(self) -> bool:
        """Whether so much is put off that nothing more may be: then only retries leave."""
        return len(self.deferred) > 1 and sum(len(batch.rows) for batch in self.deferred) >= MEMORY

    def _gather(self, now: float, linger: float) -> Batch | None:
        queue, size = self.queue, self.settings.batch
        if not queue or (len(queue) < size and now < self.gathered_at + linger) or self._stuffed():
            return None
        rows = [queue.popleft() for _ in range(min(size, len(queue)))]
        self._put_back_other_kind(rows)
        self.gathered_at = now
        held = self._held_back(rows) if any(row[ID] != row[MESSAGE_ID] for row in rows) else []
        if held:
            queue.extendleft(reversed(held))
            del rows[-len(held) :]
        if not rows:
            return None
        self.serial += 1
        return Batch(rows, self.serial)

    def _put_back_other_kind(self, rows: list[Row]) -> None:
        """Leave in `rows` what may share a POST: status reports or replies, never both."""
        kind = is_reply(rows[0])
        for index, row in enumerate(rows):
            if is_reply(row) is not kind:
                self.queue.extendleft(reversed(rows[index:]))
                del rows[index:]
                return

    def _held_back(self, rows: list[Row]) -> list[Row]:
        """Return the tail of `rows` that must wait: a message's second report never overtakes its first, and
        no reply an earlier one of the same handset.

        If the first is being put off, the second joins it; if it is on its way, everything behind waits.
        """
        joined = set()
        for row in rows:
            first = self._batch_of(row[MESSAGE_ID], self.deferred) if row[ID] != row[MESSAGE_ID] else None
            if first is not None:
                first.rows.append(row)
                joined.add(row[ID])
        if joined:
            rows[:] = [row for row in rows if row[ID] not in joined]
        for index, row in enumerate(rows):
            if row[ID] != row[MESSAGE_ID] and self._batch_of(row[MESSAGE_ID], self.in_flight.values()):
                return rows[index:]
        return []

    @staticmethod
    def _batch_of(message_id: int, batches: Collection[Batch]) -> Batch | None:
        having = (b for b in batches if any(row[MESSAGE_ID] == message_id for row in b.rows))
        return max(having, key=lambda batch: batch.serial, default=None)

    def next_due(self, now: float) -> float | None:
        """Return when `take` or `wants_page` next has something to do; None: not before something happens."""
        if self._busy():
            return None
        if self.resume_at > now:
            return self.resume_at
        times = [] if self._fresh_first() else [b.due for b in self.deferred if not self._behind(b)]
        if self.queue and not self._stuffed():
            times.append(self.gathered_at + LINGER)
        if self.spilled and not self.loading and self.look_again_at > now and self._queue_is_low():
            times.append(self.look_again_at)
        return min(times) if times else None

    # how it ended

    def taken(self, batch: Batch) -> None:
        """Note that the endpoint took `batch`: it is up, and its rows wait only for their commit."""
        del self.in_flight[batch.serial]
        self.failures = self.refusals = 0
        self.resume_at = 0.0

    def unreachable(self, batch: Batch, now: float, now_ms: int) -> Failed:
        """Note that nobody answered: the whole endpoint waits, and `batch` goes first when it is back."""
        del self.in_flight[batch.serial]
        return self._wait(batch, now, now_ms)

    def refused(self, batch: Batch, now: float, now_ms: int) -> Failed:
        """Note that the endpoint answered no: `batch` alone is put off, unless it says no to everything."""
        del self.in_flight[batch.serial]
        if batch.tries == 0:
            self.refusals += 1
        if self.refusals >= REFUSALS:
            return self._wait(batch, now, now_ms)
        self.failures = 0
        self.resume_at = 0.0
        batch.tries += 1
        failed = self._failed(batch, now_ms, retry_delay(self.settings, batch.tries))
        batch.due = now + failed.delay
        self._defer(batch, split=batch.tries > self.settings.burst_retries)
        return failed

    def _wait(self, batch: Batch, now: float, now_ms: int) -> Failed:
        if self.failures == 0 or batch.started >= self.resume_at:  # not one of several that failed together
            self.failures += 1
            self.resume_at = now + retry_delay(self.settings, self.failures)
        failed = self._failed(batch, now_ms, max(0.0, self.resume_at - now))
        batch.due = self.resume_at
        if self.failures > self.settings.burst_retries:
            self.release(after=batch.rows[-1][ID] if batch.rows and self.refusals else 0)
        else:
            self._defer(batch, split=False)
        return failed

    def _failed(self, batch: Batch, now_ms: int, delay: float) -> Failed:
        oldest = now_ms - int(self.settings.give_up_after * 1000)
        given_up = [row for row in batch.rows if row[CREATED_AT] < oldest]
        batch.rows = [
            (*row[:ATTEMPTS], row[ATTEMPTS] + 1, *row[ATTEMPTS + 1 :])
            for row in batch.rows
            if row[CREATED_AT] >= oldest
        ]
        return Failed(batch.rows, given_up, delay)

    def _defer(self, batch: Batch, *, split: bool) -> None:
        if not batch.rows:
            return
        if split and len(batch.rows) > 1:  # find the one that is refused: halves, then halves of halves
            middle = len(batch.rows) // 2
            self.serial += 1
            self.deferred.append(Batch(batch.rows[middle:], self.serial, batch.tries, batch.due))
            batch.rows = batch.rows[:middle]
        self.deferred.append(batch)

    def release(self, *, after: int = 0) -> None:
        """Leave everything that waits to the store; read it back from the id `after` on."""
        self.queue.clear()
        self.deferred.clear()
        self.spilled = True
        self.cursor = after
        self._overlap = None

    def outdated(self, now_ms: int) -> list[Row]:
        """Remove and return queued reports too old for another try; only while the endpoint fails."""
        if not self.failures or not self.queue:
            return []
        oldest = now_ms - int(self.settings.give_up_after * 1000)
        old = [row for row in self.queue if row[CREATED_AT] < oldest]
        if old:
            self.queue = deque(row for row in self.queue if row[CREATED_AT] >= oldest)
        return old

    def moved(self, url: str | None) -> list[Row]:
        """Take a new URL: failures of the old one count no more. Without one, return all that waited."""
        self.url = url
        self.failures = self.refusals = 0
        self.resume_at = 0.0
        for batch in self.deferred:
            batch.due = 0.0
        if url is not None:
            return []
        dropped = [row for batch in self.deferred for row in batch.rows] + list(self.queue)
        self.deferred.clear()
        self.queue.clear()
        return dropped
