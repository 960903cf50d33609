"""`/audit`: who changed what, when, why, before and after."""

from typing import Any

from pydantic import Field

from gateway.admin.call import Call
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Paging, When, Word, cursor_of, position_in, unix_ms, when
from gateway.domain.operator import ActorKind, Permission
from gateway.store import audit
from gateway.store.audit import Filter, Record


class AuditFilter(Paging):
    """What is looked for; what is not given matches everything."""

    actor: Word = ""
    action: Word = Field("", description="account.credit; account. for all that begin so.")
    subject_kind: Word = ""
    subject_id: Word = ""
    since: When | None = None
    until: When | None = Field(None, description="Exclusive.")


class AuditRecord(Answer):
    """One change."""

    id: int
    at: When
    actor: str
    actor_kind: ActorKind
    via: str  # a token's id, or USER@HOST of a command
    address: str
    action: str
    subject_kind: str
    subject_id: str
    before: Any
    after: Any
    reason: str


class AuditPage(Answer):
    """A page of the audit, newest first."""

    items: list[AuditRecord]
    next: str | None


async def list_audit(call: Call, query: AuditFilter) -> AuditPage:
    """List what was changed, newest first."""
    (before_id,) = position_in(query.cursor, int) or (None,)
    wanted = Filter(
        actor=query.actor,
        action=query.action,
        subject_kind=query.subject_kind,
        subject_id=query.subject_id,
        since=unix_ms(query.since),
        until=unix_ms(query.until),
    )
    found = await call.read(lambda c: audit.page(c, wanted, query.limit + 1, before_id))
    shown = found[: query.limit]
    return AuditPage(
        items=[_view(one) for one in shown],
        next=cursor_of(shown[-1].id) if len(found) > query.limit else None,
    )


def _view(record: Record) -> AuditRecord:
    return AuditRecord(
        id=record.id,
        at=when(record.at),
        actor=record.actor,
        actor_kind=ActorKind(record.actor_kind),
        via=record.via,
        address=record.address,
        action=record.action,
        subject_kind=record.subject_kind,
        subject_id=record.subject_id,
        before=record.before,
        after=record.after,
        reason=record.reason,
    )


ROUTES = (Route("GET", "/audit", Permission.AUDIT_READ, list_audit),)
