"""The one place where a review status changes: a row of the table of moves, its audit, one transaction.

Every function works inside the caller's transaction and locks the row it moves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection, Row, Table, exists, select, update

from config.rules import Severity
from gateway.domain import review
from gateway.domain.check import (
    Checks,
    Finding,
    Item,
    QualificationItem,
    SignatureItem,
    TemplateItem,
    rejection,
)
from gateway.domain.message import Purpose
from gateway.domain.operator import SYSTEM
from gateway.domain.review import IllegalMove, Kind, Move, Mover, Review
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import audit, revisions, tables
from gateway.store.audit import By
from gateway.store.qualification_fields import REQUIRED, TEXTS
from gateway.store.tables_review import qualifications

log = structlog.get_logger(__name__)

MAX_REASON = 500
FIRST = 1  # version
CHECKS_AT_ONCE = 20  # in one transaction: the journal waits for it, milliseconds

TABLES: Mapping[Kind, Table] = {
    Kind.SIGNATURE: tables.signatures,
    Kind.TEMPLATE: tables.templates,
    Kind.QUALIFICATION: qualifications,
}
_PREFIXES = {"SIG": Kind.SIGNATURE, "UT": Kind.TEMPLATE, "QUA": Kind.QUALIFICATION}
# what the audit keeps of the content: enough to see what was decided upon, no persons
_TOLD = {
    Kind.SIGNATURE: ("text", "international"),
    Kind.TEMPLATE: ("name", "text", "unsubscribe", "purpose", "international"),
    Kind.QUALIFICATION: ("name", "company_name"),
}


@dataclass(frozen=True, slots=True)
class Decided:
    """A move that was made."""

    item_id: str
    kind: Kind
    before: Review
    after: Review


def kind_of(item_id: str) -> Kind:
    """Return what `item_id` names by its form; raises `NotFound`."""
    for prefix, kind in _PREFIXES.items():
        if item_id.startswith(prefix):
            return kind
    raise NotFound(f"{item_id!r} is no id of a signature (SIG…), a template (UT…) or a qualification (QUA…)")


def locked(
    connection: Connection, kind: Kind, item_id: str, account_id: str = "", project_id: str = ""
) -> Row[Any]:
    """Return the row, nobody else's to change until the end of the transaction; raises `NotFound`.

    With an account, or a project too, it must be theirs.
    """
    table = TABLES[kind]
    query = select(table).where(table.c.id == item_id, table.c.deleted_at.is_(None)).with_for_update()
    if account_id:
        query = query.where(table.c.account_id == account_id)
    if project_id:
        query = query.where(table.c.project_id == project_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no {kind} {item_id}")
    return row


def step(
    connection: Connection, kind: Kind, row: Row[Any], mover: Mover, move: Move, by: By, **content: Any
) -> Decided:
    """Make `move`, `content` being what else changes; raises `Conflict` if the table has no such move."""
    before, after = Review(row.status), _after(kind, row, mover, move)
    values: dict[str, Any] = {"status": int(after), "updated_at": by.now_ms, "to_check": False, **content}
    match mover, move:
        case Mover.CUSTOMER, Move.DELETE:
            values |= {"deleted_at": by.now_ms}
        case Mover.CUSTOMER, _:
            waits = move is Move.SUBMIT or kind is not Kind.QUALIFICATION
            values |= {"version": row.version + 1, "to_check": waits, "findings": "[]", "reason": ""}
            values |= {"decided_at": None}
        case _ if move is not Move.PASS:
            # what the customer reads; why something was approved is the audit's
            told = "" if move is Move.APPROVE else by.reason
            values |= {"reason": told, "decided_at": by.now_ms}
    table = TABLES[kind]
    connection.execute(update(table).where(table.c.id == row.id).values(values))
    _record(connection, kind, row, f"{kind}.{move}", values, by)
    # what cannot be sent before nor after concerns nobody who sends
    if Review.APPROVED in (before, after) and kind is not Kind.QUALIFICATION:
        revisions.bump(connection, revisions.DIRECTORY)
    return Decided(row.id, kind, before, after)


def created(connection: Connection, kind: Kind, item_id: str, values: Mapping[str, Any], by: By) -> None:
    """Note in the audit that something new was handed in."""
    after = _state(kind, values)
    audit.record(connection, by.actor, audit.Entry(f"{kind}.create", kind, item_id, None, after), by.now_ms)


def to_check(connection: Connection) -> list[tuple[Kind, str]]:
    """Return some of what waits for the automatic checks, of each kind in the order rows are locked in."""
    found: list[tuple[Kind, str]] = []
    for kind, table in TABLES.items():
        query = select(table.c.id).where(table.c.to_check).limit(CHECKS_AT_ONCE)
        found += ((kind, item_id) for item_id in sorted(connection.execute(query).scalars()))
    return found[:CHECKS_AT_ONCE]


def check(connection: Connection, checks: Checks, kind: Kind, item_id: str, now_ms: int) -> Decided | None:
    """Let the automatic checks move on what waits for them; None if it does not, or is gone, by now."""
    try:
        row = locked(connection, kind, item_id)
    except NotFound:
        return None
    if not row.to_check:
        return None
    findings = _findings(checks, _item(connection, kind, row))
    told = rejection(findings)[:MAX_REASON]
    return step(
        connection,
        kind,
        row,
        Mover.CHECK,
        Move.REJECT if told else Move.PASS,
        By(SYSTEM, now_ms, told),
        findings=orjson.dumps([asdict(finding) for finding in findings]).decode(),
    )


def decide(
    connection: Connection, checks: Checks, item_id: str, move: Move, by: By, *, version: int | None = None
) -> Decided:
    """Make a reviewer's `move`; what the automatic checks have not seen yet they see first.

    Raises `NotFound`, `Invalid` for a missing reason, and `Conflict` if the table has no such move or the
    content is not `version` any more: what was decided upon is what the reviewer saw. Who names no version
    may disable anything, but approve or reject only what has never been changed.
    """
    kind = kind_of(item_id)
    check(connection, checks, kind, item_id, by.now_ms)
    row = locked(connection, kind, item_id)
    if version is not None and row.version != version:
        raise Conflict(f"{item_id} has changed since: its version is {row.version}, not {version}")
    if version is None and move is not Move.DISABLE and row.version != FIRST:
        raise Conflict(f"{item_id} was changed after it was first handed in: name the version you looked at")
    if len(by.reason) > MAX_REASON or not by.reason.isprintable():
        raise Invalid(f"a reason has at most {MAX_REASON} printable characters")
    before = Review(row.status)
    _after(kind, row, Mover.REVIEWER, move)  # nobody is asked the reason of what cannot be
    if review.needs_reason(move, before) and not by.reason.strip():
        raise Invalid(f"to {move} what is {review.word(kind, before)} needs a reason")
    return step(connection, kind, row, Mover.REVIEWER, move, by)


def _after(kind: Kind, row: Row[Any], mover: Mover, move: Move) -> Review:
    try:
        return review.after(kind, mover, move, Review(row.status))
    except IllegalMove as error:
        raise Conflict(f"{row.id}: {error}") from error


def _findings(checks: Checks, item: Item) -> list[Finding]:
    try:
        return checks(item)
    except Exception:
        # a fault of ours neither lets anything pass unseen nor holds up what waits behind it
        log.exception("an automatic check failed")
        return [Finding("check-failed", Severity.FLAG, "the automatic checks broke down: see the log", "")]


def _item(connection: Connection, kind: Kind, row: Row[Any]) -> Item:
    """Return what the checks are to look at."""
    if kind is Kind.SIGNATURE:
        return SignatureItem(
            text=row.text,
            type=row.sig_type,
            certificate=row.certificate_type,
            international=row.international,
            has_paper=row.file_id is not None,
            qualification=_qualification_status(connection, row.qualification_id),
        )
    if kind is Kind.TEMPLATE:
        return TemplateItem(
            purpose=Purpose(row.purpose),
            name=row.name if row.name != row.id else "",
            text=row.text,
            unsubscribe=row.unsubscribe,
            instruction=row.instruction,
            signed=row.international or _signed(connection, row.project_id),
        )
    texts = {name: getattr(row, column) for name, column in TEXTS.items()}
    missing = tuple(name for name, column in REQUIRED.items() if not getattr(row, column))
    return QualificationItem(texts=texts, missing=missing)


def _qualification_status(connection: Connection, qualification_id: str | None) -> Review | None:
    if qualification_id is None:
        return None
    query = select(qualifications.c.status).where(qualifications.c.id == qualification_id)
    return Review(connection.execute(query).scalar_one())


def _signed(connection: Connection, project_id: str) -> bool:
    c = tables.signatures.c
    approved = (c.project_id == project_id) & (c.status == int(Review.APPROVED))
    query = select(exists().where(approved, c.deleted_at.is_(None), ~c.international))
    return bool(connection.execute(query).scalar_one())


def _record(
    connection: Connection, kind: Kind, row: Row[Any], action: str, values: Mapping[str, Any], by: By
) -> None:
    before = dict(row._mapping)
    gone = values.get("deleted_at") is not None
    after = None if gone else _state(kind, {**before, **values})
    entry = audit.Entry(action, kind, row.id, _state(kind, before), after, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)


def _state(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    told: Sequence[str] = _TOLD[kind]
    state = {name: values[name] for name in told}
    status = Review(values["status"])
    state |= {"status": review.word(kind, status), "version": values.get("version", 1)}
    findings = orjson.loads(values.get("findings") or "[]")
    return state | ({"findings": [finding["rule"] for finding in findings]} if findings else {})
