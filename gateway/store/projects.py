"""Projects of an account: made, renamed, one of them the default; each change audited in its transaction."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from gateway.errors import Conflict, NotFound
from gateway.store import audit, revisions, tables
from gateway.store.audit import By, Entry, State
from gateway.store.naming import check_name, random_id

MAX_PROJECTS = 100  # of an account
MAX_NAME = 64

_p = tables.projects.c


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One project as operators see it."""

    project_id: str
    account_id: str
    name: str
    is_default: bool
    created_at: int
    signatures: int
    templates: int


def create_project(connection: Connection, account_id: str, name: str, by: By) -> str:
    """Add a project to an account, return its id; its first one becomes the default.

    Raises `NotFound`, `Invalid`, `Conflict` if it has one of that name or 100 of them.
    """
    name = check_name(name, "a project's name", MAX_NAME)
    _lock_account(connection, account_id)
    names = _names(connection, account_id)
    if name in names.values():
        raise Conflict(f"account {account_id} has a project {name!r} already")
    if len(names) >= MAX_PROJECTS:
        raise Conflict(f"account {account_id} has {MAX_PROJECTS} projects already")
    made = f"org-{random_id(8)}"
    values = {"account_id": account_id, "name": name, "is_default": not names}
    connection.execute(insert(tables.projects).values(id=made, created_at=by.now_ms, **values))
    _changed(connection, by, "project.create", made, None, values)
    return made


def rename_project(connection: Connection, project_id: str, name: str, by: By) -> None:
    """Call a project differently; raises `NotFound`, `Invalid`, `Conflict` if another one is called so."""
    name = check_name(name, "a project's name", MAX_NAME)
    account_id = _owner(connection, project_id)
    _lock_account(connection, account_id)
    names = _names(connection, account_id)
    before = names.pop(project_id)
    if name in names.values():
        raise Conflict(f"account {account_id} has a project {name!r} already")
    connection.execute(update(tables.projects).where(_p.id == project_id).values(name=name))
    _changed(connection, by, "project.rename", project_id, {"name": before}, {"name": name})


def default_project(connection: Connection, project_id: str, by: By) -> None:
    """Make a project the one that requests without ProjectId belong to; raises `NotFound`."""
    account_id = _owner(connection, project_id)
    _lock_account(connection, account_id)
    query = select(_p.id).where(_p.account_id == account_id, _p.is_default)
    before = connection.scalar(query)
    connection.execute(
        update(tables.projects)
        .where(_p.account_id == account_id)
        .values(is_default=tables.projects.c.id == project_id)
    )
    _changed(connection, by, "project.default", project_id, {"default": before}, {"default": project_id})


def list_projects(connection: Connection, account_id: str) -> list[ProjectSummary]:
    """Return an account's projects, oldest first; raises `NotFound`."""
    if connection.scalar(select(tables.accounts.c.id).where(tables.accounts.c.id == account_id)) is None:
        raise NotFound(f"there is no account {account_id}")
    counts = [
        select(func.count()).where(table.c.project_id == _p.id).scalar_subquery()
        for table in (tables.signatures, tables.templates)
    ]
    columns = (_p.id, _p.account_id, _p.name, _p.is_default, _p.created_at)
    query = select(*columns, *counts).where(_p.account_id == account_id).order_by(_p.created_at, _p.id)
    return [ProjectSummary(*row) for row in connection.execute(query)]


def _owner(connection: Connection, project_id: str) -> str:
    owner = connection.scalar(select(_p.account_id).where(_p.id == project_id))
    if owner is None:
        raise NotFound(f"there is no project {project_id}")
    return str(owner)


def _lock_account(connection: Connection, account_id: str) -> None:
    """Let changes of one account's projects come one after the other; raises `NotFound`."""
    accounts = tables.accounts.c
    query = select(accounts.id).where(accounts.id == account_id).with_for_update()
    if connection.scalar(query) is None:
        raise NotFound(f"there is no account {account_id}")


def _names(connection: Connection, account_id: str) -> dict[str, str]:
    rows = connection.execute(select(_p.id, _p.name).where(_p.account_id == account_id))
    return {row.id: row.name for row in rows}


def _changed(
    connection: Connection, by: By, action: str, project_id: str, before: State | None, after: State
) -> None:
    audit.record(
        connection, by.actor, Entry(action, "project", project_id, before, after, by.reason), by.now_ms
    )
    revisions.bump(connection, revisions.DIRECTORY)
