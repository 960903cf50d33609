"""Forgetting: numbers and texts are blanked after some days, finished rows deleted after more.

Age is counted from accept, which the ids carry. Only finished messages are touched: final, and their last
status report told or given up. The ledger stays; it names no number and no text.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    true,
    update,
)

from config.schema import StoreSettings
from gateway.clock import Clock
from gateway.domain.inbound import Forwarding
from gateway.domain.message import State
from gateway.errors import StoreUnavailable
from gateway.ids import id_at
from gateway.metrics import StoreMetrics
from gateway.store import pulls, recount, risk, tables, tables_stats
from gateway.store.engine import Store
from gateway.store.numbers import purge_removed
from gateway.store.tables_inbound import contacts, mo_messages

log = structlog.get_logger(__name__)

CHUNK = 500  # messages in one transaction: the journal waits for it, milliseconds
PAUSE = 0.02  # seconds between two, so that the journal is never crowded out
MARK = "redacted"  # every finished message up to this id has been blanked

_DAY_MS = 86_400_000
_m = tables.messages.c
_s = tables.submissions.c
_o = tables.outbox.c
_r = mo_messages.c
_c = contacts.c

Step = Callable[[Connection], int | None]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many messages one run has blanked and deleted."""

    redacted: int
    purged: int


class Retention:
    """Runs now and then beside everything else, in transactions of its own; goes on where it was stopped."""

    def __init__(
        self,
        store: Store,
        settings: StoreSettings,
        clock: Clock,
        metrics: StoreMetrics,
        recall_days: int,
    ) -> None:
        self._recall_ms = min(recall_days, settings.redact_after_days) * _DAY_MS
        self._store = store
        self._settings = settings
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Forget what is due, again every `retention_interval`, until cancelled."""
        while True:
            try:
                forgotten = await self.look()
                log.info("retention", redacted=forgotten.redacted, purged=forgotten.purged)
            except StoreUnavailable as error:
                log.warning("retention put off", error=str(error))
            await asyncio.sleep(self._settings.retention_interval)

    async def look(self) -> Forgotten:
        """Forget everything that is due now; raises `StoreUnavailable`, and what was done stays done."""
        now_ms = self._clock.now_ms()
        redact_below = id_at(now_ms - self._settings.redact_after_days * _DAY_MS)
        purge_below = id_at(now_ms - self._settings.purge_after_days * _DAY_MS)
        purged = await self._repeat("purged", partial(purge_messages, below=purge_below))
        for table, below, done in (
            (tables.outbox, purge_below, _o.done_at.is_not(None)),
            (tables.inbound_messages, purge_below, tables.inbound_messages.c.mo_id.is_not(None)),
            (mo_messages, purge_below, _told()),
            (tables.early_receipts, redact_below, true()),  # a number and nothing else worth keeping
        ):
            await self._repeat("purged_other", partial(purge_rows, table=table, below=below, done=done))
        purge_before = now_ms - self._settings.purge_after_days * _DAY_MS
        await self._repeat("purged_other", partial(purge_removed, before_ms=purge_before))
        day = datetime.fromtimestamp(purge_before / 1000, UTC).date().isoformat()
        await self._repeat("purged_other", partial(risk.purge, before_day=day))
        await self._repeat("purged_other", partial(purge_contacts, before_ms=now_ms - self._recall_ms))
        days_ms = self._settings.redact_after_days * _DAY_MS
        await self._repeat("purged_other", partial(pulls.forget, now_ms=now_ms, keep_ms=days_ms, limit=CHUNK))
        redacted = await self._repeat("redacted", Redaction(redact_below))
        for redaction in (PartRedaction(redact_below), ReplyRedaction(redact_below)):
            await self._repeat("redacted_other", redaction)
        return Forgotten(redacted, purged)

    async def _repeat(self, action: str, step: Step) -> int:
        """Do `step` until it returns None; count what it did."""
        total = 0
        while (count := await self._store.write(step)) is not None:
            total += count
            self._metrics.retention.add(count, action)
            await asyncio.sleep(PAUSE)
        return total


class Redaction:
    """Blanks numbers and texts chunk by chunk, in order of id.

    The stored mark lets the next run go on there. It stays below the oldest message that was not finished
    when its chunk was blanked, so that one is looked at again.
    """

    def __init__(self, below: int) -> None:
        self._below = below
        self._position: int | None = None
        self._unfinished: int | None = None

    def __call__(self, connection: Connection) -> int | None:
        """Blank the next chunk; None: there are no more."""
        after = self._position if self._position is not None else _mark(connection)
        last = _chunk_end(connection, tables.messages, after, self._below)
        if last is None:
            return None
        blanked = _blank(connection, after, last)
        if self._unfinished is None:
            self._unfinished = _oldest_unfinished(connection, after, last)
        _set_mark(connection, last if self._unfinished is None else min(last, self._unfinished - 1))
        self._position = last
        return blanked


class PartRedaction:
    """Blanks the parts handsets sent, chunk by chunk; those that wait for others are left alone."""

    def __init__(self, below: int) -> None:
        self._below = below
        self._position = 0

    def __call__(self, connection: Connection) -> int | None:
        """Blank the next chunk; None: there are no more."""
        table = tables.inbound_messages
        last = _chunk_end(connection, table, self._position, self._below)
        if last is None:
            return None
        here = and_(
            table.c.id > self._position,
            table.c.id <= last,
            table.c.payload_hex.is_not(None),
            table.c.mo_id.is_not(None),
        )
        blanked = connection.execute(
            update(table).where(here).values(source=None, payload_hex=None, tlvs="[]")
        )
        self._position = last
        return blanked.rowcount


class ReplyRedaction:
    """Blanks handsets' messages and their callbacks, chunk by chunk; what is to be told is left alone."""

    def __init__(self, below: int) -> None:
        self._below = below
        self._position = 0

    def __call__(self, connection: Connection) -> int | None:
        """Blank the next chunk; None: there are no more."""
        last = _chunk_end(connection, mo_messages, self._position, self._below)
        if last is None:
            return None
        here = and_(_r.id > self._position, _r.id <= last, _told())
        blank = {"source": None, "phone_given": None, "text": None, "data_hex": None}
        blanked = connection.execute(update(mo_messages).where(here, _r.source.is_not(None)).values(blank))
        callbacks = update(tables.outbox).where(_o.id.in_(select(_r.id).where(here)))
        connection.execute(callbacks.where(_o.payload.is_not(None)).values(payload=None))
        self._position = last
        return blanked.rowcount


def purge_contacts(connection: Connection, before_ms: int) -> int | None:
    """Delete a chunk of what nobody's reply is to be told by any more; None: there is no more."""
    key = (_c.phone, _c.channel, _c.account_id)
    chosen = connection.execute(select(*key).where(_c.sent_at < before_ms).limit(CHUNK)).all()
    for phone, channel, account_id in chosen:
        one = (_c.phone == phone, _c.channel == channel, _c.account_id == account_id)
        connection.execute(delete(contacts).where(*one, _c.sent_at < before_ms))
    return len(chosen) or None


def purge_messages(connection: Connection, below: int) -> int | None:
    """Delete a chunk of finished messages with ids under `below` and all that is theirs; None: no more."""
    chosen = select(_m.id, _m.submission_id, _m.accepted_at).where(_m.id < below, *_finished())
    rows = connection.execute(chosen.order_by(_m.id).limit(CHUNK)).all()
    if not rows:
        return None
    ids = [row.id for row in rows]
    for table in (tables.segments, tables.events, tables_stats.conversions):
        connection.execute(delete(table).where(table.c.message_id.in_(ids)))
    connection.execute(delete(tables.outbox).where(_o.id.in_(ids)))
    connection.execute(delete(tables.messages).where(_m.id.in_(ids)))
    empty = ~exists().where(_m.id.between(_s.id + 1, _s.id + _s.messages))
    submissions = {row.submission_id for row in rows}
    connection.execute(delete(tables.submissions).where(_s.id.in_(submissions), empty))
    recount.purged(connection, (row.accepted_at for row in rows))
    return len(ids)


def purge_rows(connection: Connection, table: Table, below: int, done: ColumnElement[bool]) -> int | None:
    """Delete a chunk of `table`'s rows that are `done` with ids under `below`; None: there are no more."""
    chosen = select(table.c.id).where(table.c.id < below, done).order_by(table.c.id).limit(CHUNK)
    deleted = connection.execute(delete(table).where(table.c.id.in_(chosen))).rowcount
    return deleted or None


def _told() -> ColumnElement[bool]:
    """Say that nobody is to be told of a handset's message any more."""
    waiting = exists().where(_o.id == _r.id, _o.done_at.is_(None))
    return and_(_r.forwarding != int(Forwarding.DUE), ~waiting)


def _finished() -> tuple[ColumnElement[bool], ...]:
    """Say that a message is final and its report is told."""
    return _m.state >= int(State.DELIVERED), ~exists().where(_o.id == _m.id, _o.done_at.is_(None))


def _chunk_end(connection: Connection, table: Table, after: int, below: int) -> int | None:
    """Return the last id of the next `CHUNK` rows, None if there are none."""
    ids = select(table.c.id).where(table.c.id > after, table.c.id < below).order_by(table.c.id).limit(CHUNK)
    last: int | None = connection.scalar(select(func.max(ids.subquery().c.id)))
    return last


def _blank(connection: Connection, after: int, last: int) -> int:
    """Blank finished messages, their texts and reports with ids above `after` up to `last`."""
    here = (_m.id > after, _m.id <= last, *_finished(), _m.phone.is_not(None))
    blanked = connection.execute(
        update(tables.messages).where(*here).values(phone=None, phone_given=None, text=None)
    )
    # a submission's text goes with the last of its messages, which may be in a chunk after its own
    mine = select(_m.submission_id).where(_m.id > after, _m.id <= last)
    siblings = _m.id.between(_s.id + 1, _s.id + _s.messages)
    named = exists().where(siblings, _m.phone.is_not(None))
    text = update(tables.submissions).where(_s.id.in_(mine), _s.text.is_not(None), ~named)
    connection.execute(text.values(text=None))
    reports = update(tables.outbox).where(_o.id > after, _o.id <= last, _o.done_at.is_not(None))
    connection.execute(reports.where(_o.payload.is_not(None)).values(payload=None))
    return blanked.rowcount


def _oldest_unfinished(connection: Connection, after: int, last: int) -> int | None:
    named = select(func.min(_m.id)).where(_m.id > after, _m.id <= last, _m.phone.is_not(None))
    untold = select(func.min(_o.id)).where(_o.id > after, _o.id <= last, _o.done_at.is_(None))
    found = [id_ for id_ in (connection.scalar(named), connection.scalar(untold)) if id_ is not None]
    return min(found, default=None)


def _mark(connection: Connection) -> int:
    marks = tables.marks.c
    return connection.scalar(select(marks.value).where(marks.name == MARK)) or 0


def _set_mark(connection: Connection, value: int) -> None:
    marks = tables.marks
    moved = connection.execute(update(marks).where(marks.c.name == MARK).values(value=value))
    if moved.rowcount == 0:
        connection.execute(insert(marks).values(name=MARK, value=value))
