"""Signatures and templates as customers hand them in: made, edited, deleted, looked up.

Every function works inside the caller's transaction. What is somebody else's is not found. Statuses change in
`gateway.store.reviews` alone.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, exists, func, insert, select, update

from gateway.domain.message import Purpose
from gateway.domain.review import Kind, Move, Mover, Review
from gateway.domain.template import bare_signature, is_clean
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import audit, papers, reviews, revisions, tables
from gateway.store.audit import By
from gateway.store.tables_review import qualifications

MAX_PER_PROJECT = 5_000  # of each kind, deleted ones not counted
MAX_BRAND = 64  # characters that can be stored; the review is stricter
MAX_TEMPLATE, MAX_NAME = 600, 32
_PURPOSE_LETTER = {Purpose.VERIFICATION: "A", Purpose.NOTIFICATION: "N", Purpose.PROMOTION: "B"}

_s, _t = tables.signatures.c, tables.templates.c


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose something is, or is to be."""

    account_id: str
    project_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureForm:
    """A signature as it is handed in; the numbers are the API's."""

    text: str
    type: int | None = None  # None: an operator's, who needs no papers
    certificate: int | None = None
    third_party: bool = False
    international: bool = False
    description: str = ""
    scene: str = ""
    qualification_id: str | None = None
    file_id: str | None = None
    proxy_file_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateForm:
    """A template as it is handed in."""

    purpose: Purpose
    text: str
    name: str = ""  # without one it is called by its id
    international: bool = False
    unsubscribe: str = ""
    remark: str = ""
    instruction: str = ""


def owner_of(connection: Connection, account_id: str, project_id: str = "") -> Owner:
    """Return the owner, with the account's default project if none is named; raises `NotFound`."""
    projects = tables.projects.c
    query = select(projects.id).where(projects.account_id == account_id)
    query = query.where(projects.id == project_id if project_id else projects.is_default)
    found = connection.execute(query).scalar()
    if found is None:
        what = f"project {project_id} of account {account_id}" if project_id else f"account {account_id}"
        raise NotFound(f"there is no {what}")
    return Owner(account_id, str(found))


# -- signatures


def create_signature(connection: Connection, owner: Owner, form: SignatureForm, by: By) -> str:
    """Add a signature, return its id.

    Raises `Invalid`, also for papers that are not the account's, `Conflict` if the project has it.
    """
    make_room(connection, owner, tables.signatures)
    values = _signature_values(connection, owner, form, by.now_ms)
    _check_unused(connection, owner, values["text"], form.international)
    made = unused_id(connection, tables.signatures, f"SIG{_utc(by.now_ms):%Y%m%d}")
    row = {**_row(made, owner, by.now_ms), **values}
    connection.execute(insert(tables.signatures).values(row))
    reviews.created(connection, Kind.SIGNATURE, made, row, by)
    return made


def update_signature(
    connection: Connection, owner: Owner, signature_id: str, form: SignatureForm, by: By
) -> None:
    """Hand in `form` anew; what it leaves out (papers, scene) stays as it was.

    Raises `NotFound`, `Invalid`, `Conflict`, also for one that is approved or disabled.
    """
    _lock_project(connection, owner)
    row = reviews.locked(connection, Kind.SIGNATURE, signature_id, owner.account_id, owner.project_id)
    values = _signature_values(connection, owner, form, by.now_ms)
    values["international"] = row.international
    for name in ("certificate_type", "description", "scene", "qualification_id", "file_id", "proxy_file_id"):
        if values[name] in (None, ""):
            values[name] = getattr(row, name)
    if form.third_party and not values["proxy_file_id"]:
        raise Invalid("another's signature needs its power of attorney")
    _check_unused(connection, owner, values["text"], row.international, besides=signature_id)
    reviews.step(connection, Kind.SIGNATURE, row, Mover.CUSTOMER, Move.EDIT, by, **values)


def find_signature(connection: Connection, owner: Owner, signature_id: str = "", text: str = "") -> Row[Any]:
    """Return the signature of this id, or else of this text: an approved one first, then the newest.

    Raises `NotFound`.
    """
    wanted = _s.id == signature_id if signature_id else _s.text == bare_signature(text)
    query = select(tables.signatures).where(*_mine(owner, tables.signatures), wanted)
    approved_first = (_s.status == int(Review.APPROVED)).desc()
    found = connection.execute(query.order_by(approved_first, _s.created_at.desc(), _s.id)).first()
    if found is None:
        raise NotFound("there is no such signature")
    return found


def _signature_values(
    connection: Connection, owner: Owner, form: SignatureForm, now_ms: int
) -> dict[str, Any]:
    text = bare_signature(form.text)
    if not 1 <= len(text) <= MAX_BRAND or not text.isprintable():
        raise Invalid(f"a signature has 1 to {MAX_BRAND} printable characters")
    if form.qualification_id:
        _check_qualification(connection, owner, form.qualification_id)
    papers.check_owned(connection, owner.account_id, (form.file_id, form.proxy_file_id), now_ms)
    return {
        "text": text,
        "sig_type": form.type,
        "certificate_type": form.certificate,
        "third_party": form.third_party,
        "international": form.international,
        "description": form.description,
        "scene": form.scene,
        "qualification_id": form.qualification_id or None,
        "file_id": form.file_id or None,
        "proxy_file_id": form.proxy_file_id or None,
    }


def _check_qualification(connection: Connection, owner: Owner, qualification_id: str) -> None:
    c = qualifications.c
    mine = (c.id == qualification_id) & (c.account_id == owner.account_id) & c.deleted_at.is_(None)
    # locked: it must not be deleted before the signature that names it is there
    if connection.execute(select(c.id).where(mine).with_for_update()).first() is None:
        raise Invalid(f"there is no qualification {qualification_id[: papers.MAX_SHOWN]}")


def _check_unused(
    connection: Connection, owner: Owner, text: str, international: bool, besides: str = ""
) -> None:
    same = (_s.text == text) & (_s.international == international) & (_s.id != besides)
    query = select(_s.id).where(*_mine(owner, tables.signatures), same)
    found = connection.execute(query).scalar()
    if found is not None:
        raise Conflict(f"the project has this signature already: {found}")


# -- templates


def create_template(connection: Connection, owner: Owner, form: TemplateForm, by: By) -> str:
    """Add a template, return its id; raises `Invalid`."""
    make_room(connection, owner, tables.templates)
    prefix = f"UT{_PURPOSE_LETTER[form.purpose]}{_utc(by.now_ms):%y%m%d}"
    made = unused_id(connection, tables.templates, prefix)
    row = {
        **_row(made, owner, by.now_ms),
        "purpose": int(form.purpose),
        "name": _template_name(form.name) if form.name else made,
        "text": _template_text(form.text),
        "international": form.international,
        "unsubscribe": form.unsubscribe,
        "remark": form.remark,
        "instruction": form.instruction,
    }
    connection.execute(insert(tables.templates).values(row))
    reviews.created(connection, Kind.TEMPLATE, made, row, by)
    return made


def update_template(
    connection: Connection, owner: Owner, template_id: str, changes: dict[str, str], by: By
) -> bool:
    """Change `text`, `name`, `remark` or `instruction`; return whether it has to be reviewed anew.

    It has if its text or what is said of the variables is another one. Raises `NotFound`, `Invalid`,
    `Conflict` for one that is disabled.
    """
    row = reviews.locked(connection, Kind.TEMPLATE, template_id, owner.account_id, owner.project_id)
    values = {name: value for name, value in changes.items() if value and value != getattr(row, name)}
    if "text" in values:
        _template_text(values["text"])
    if "name" in values:
        values["name"] = _template_name(values["name"])
    if {"text", "instruction"} & set(values):
        reviews.step(connection, Kind.TEMPLATE, row, Mover.CUSTOMER, Move.EDIT, by, **values)
        return True
    if row.status == int(Review.DISABLED):
        raise Conflict(f"{template_id}: this template is disabled: it cannot be changed")
    if values:
        connection.execute(update(tables.templates).where(_t.id == template_id).values(values))
        before = {name: getattr(row, name) for name in values}
        entry = audit.Entry("template.rename", "template", template_id, before, values)
        audit.record(connection, by.actor, entry, by.now_ms)
        revisions.bump(connection, revisions.DIRECTORY)
    return False


def find_template(connection: Connection, owner: Owner, template_id: str) -> Row[Any]:
    """Return the template; raises `NotFound`."""
    query = select(tables.templates).where(*_mine(owner, tables.templates), _t.id == template_id)
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("there is no such template")
    return found


def _template_text(text: str) -> str:
    if not text.strip() or len(text) > MAX_TEMPLATE or not is_clean(text):
        raise Invalid(f"a template has 1 to {MAX_TEMPLATE} characters, no control characters but line breaks")
    return text


def _template_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise Invalid(f"a template's name has 1 to {MAX_NAME} printable characters")
    return name


# -- both


def delete(connection: Connection, owner: Owner, kind: Kind, ids: Sequence[str], by: By) -> None:
    """Delete signatures or templates, all or none.

    Raises `NotFound`, and `Conflict` for one under review. The rows stay, for messages name them.
    """
    # all of them in one order, and before the first step raises the revision, which everybody waits for:
    # so nobody who holds one of them and wants the revision waits for us while we wait for him
    rows = [
        reviews.locked(connection, kind, item_id, owner.account_id, owner.project_id)
        for item_id in sorted(set(ids))
    ]
    for row in rows:
        reviews.step(connection, kind, row, Mover.CUSTOMER, Move.DELETE, by)


def unused_id(connection: Connection, table: Table, prefix: str) -> str:
    """Return an id in the API's published form: 24 random bits a day want a look at what is taken."""
    while True:
        made = f"{prefix}{secrets.token_hex(3).upper()}"
        if not connection.execute(select(exists().where(table.c.id == made))).scalar_one():
            return made


def make_room(connection: Connection, owner: Owner, table: Table) -> None:
    """Hold the project, so that nobody adds to it meanwhile; raises `Invalid` if it is full."""
    _lock_project(connection, owner)
    query = select(func.count()).select_from(table).where(*_mine(owner, table))
    if connection.execute(query).scalar_one() >= MAX_PER_PROJECT:
        raise Invalid(f"the project has {MAX_PER_PROJECT} of them: delete some first")


def _lock_project(connection: Connection, owner: Owner) -> None:
    projects = tables.projects.c
    mine = (projects.id == owner.project_id) & (projects.account_id == owner.account_id)
    if connection.execute(select(projects.id).where(mine).with_for_update()).first() is None:
        raise NotFound(f"there is no project {owner.project_id}")


def _mine(owner: Owner, table: Table) -> tuple[ColumnElement[bool], ...]:
    c = table.c
    return c.project_id == owner.project_id, c.account_id == owner.account_id, c.deleted_at.is_(None)


def _row(item_id: str, owner: Owner, now_ms: int) -> dict[str, Any]:
    return {
        "id": item_id,
        "account_id": owner.account_id,
        "project_id": owner.project_id,
        "status": int(Review.PENDING),
        "created_at": now_ms,
        "updated_at": now_ms,
        "to_check": True,
    }


def _utc(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC)
