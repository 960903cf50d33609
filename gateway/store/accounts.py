"""Accounts and what is theirs: made and changed here, loaded whole for the running gateway.

Every function works inside the caller's transaction. A change bumps the directory's revision in it, so the
running gateway sees either all of a change or nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, Select, Table, func, insert, select, tuple_, update

from gateway.auth.keys import Keyring, new_key_pair
from gateway.domain.account import Account, ApiKey, Directory, Project
from gateway.domain.allowlist import AllowList
from gateway.domain.message import Purpose
from gateway.domain.review import Review
from gateway.domain.template import SmsSignature, Template, with_opt_out
from gateway.errors import Invalid, NotFound
from gateway.store import revisions, tables, tables_keys
from gateway.store.keys import insert_key, unpacked
from gateway.store.naming import check_name, random_id

T = TypeVar("T")

MAX_NAME = 64
MAX_URL = 2_000


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What a new customer is told; the private key is shown here and never again."""

    account_id: str
    project_id: str
    public_key: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """One account as operators list it; money in micro-units."""

    account_id: str
    name: str
    state: str
    callback_url: str | None
    pull_reports: bool
    project_id: str
    available: int
    reserved: int
    captured: int
    created_at: int
    state_reason: str
    language: str | None
    allowed: str  # networks its keys may be used from, comma separated; "" any
    terms: str | None  # the version accepted last


def create_account(connection: Connection, keyring: Keyring, name: str, now_ms: int) -> NewAccount:
    """Add an account with a default project and its first key pair; raises `Invalid` for an unusable name."""
    name = check_name(name, "an account's name", MAX_NAME)
    pair = new_key_pair()
    made = NewAccount(f"acc-{random_id(10)}", f"org-{random_id(8)}", pair.public_key, pair.private_key)
    connection.execute(insert(tables.accounts).values(id=made.account_id, name=name, created_at=now_ms))
    connection.execute(
        insert(tables.projects).values(
            id=made.project_id, account_id=made.account_id, name="Default", is_default=True, created_at=now_ms
        )
    )
    connection.execute(
        insert(tables.balances).values(account_id=made.account_id, available=0, reserved=0, captured=0)
    )
    insert_key(connection, keyring, pair, made.account_id, now_ms)
    revisions.bump(connection, revisions.DIRECTORY)
    return made


def set_callback(connection: Connection, account_id: str, url: str | None) -> None:
    """Send an account's reports to `url` from now on; None: send none. Raises `NotFound`, `Invalid`."""
    if url is not None:
        check_callback_url(url)
    changed = connection.execute(
        update(tables.accounts).where(tables.accounts.c.id == account_id).values(callback_url=url)
    )
    if not changed.rowcount:
        raise NotFound(f"there is no account {account_id}")
    revisions.bump(connection, revisions.DIRECTORY)


def list_accounts(connection: Connection, account_id: str | None = None) -> list[AccountSummary]:
    """Return every account, oldest first, or the one asked for; raises `NotFound` for that one."""
    query = _summaries()
    if account_id is not None:
        query = query.where(tables.accounts.c.id == account_id)
    found = [AccountSummary(*tuple(row)) for row in connection.execute(query)]
    if account_id is not None and not found:
        raise NotFound(f"there is no account {account_id}")
    return found


def page_accounts(
    connection: Connection, limit: int, after: tuple[int, str] | None = None
) -> list[AccountSummary]:
    """Return up to `limit` accounts, oldest first, that come `after` a creation time and id."""
    query = _summaries().limit(limit)
    if after is not None:
        accounts = tables.accounts.c
        query = query.where(tuple_(accounts.created_at, accounts.id) > tuple_(*after))
    return [AccountSummary(*tuple(row)) for row in connection.execute(query)]


def _summaries() -> Select[Any]:
    accounts, projects, balances = tables.accounts, tables.projects, tables.balances
    terms = tables_keys.terms_acceptances.c
    accepted = (
        select(terms.version)
        .where(terms.account_id == accounts.c.id)
        .order_by(terms.accepted_at.desc(), terms.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            accounts.c.id,
            accounts.c.name,
            accounts.c.state,
            accounts.c.callback_url,
            accounts.c.pull_reports,
            projects.c.id,
            func.coalesce(balances.c.available, 0),
            func.coalesce(balances.c.reserved, 0),
            func.coalesce(balances.c.captured, 0),
            accounts.c.created_at,
            accounts.c.state_reason,
            accounts.c.language,
            accounts.c.allowed,
            accepted,
        )
        .join(projects, (projects.c.account_id == accounts.c.id) & projects.c.is_default)
        .outerjoin(balances, balances.c.account_id == accounts.c.id)
        .order_by(accounts.c.created_at, accounts.c.id)
    )


def load_directory(connection: Connection, keyring: Keyring) -> Directory:
    """Return everything about customers that is needed to know and answer them.

    Raises `KeyUnreadable` if a private key was sealed under another master key.
    """
    signatures = _by_project(connection, tables.signatures, _signature)
    templates = _by_project(connection, tables.templates, _template)
    projects: dict[str, dict[str, Project]] = {}
    for row in connection.execute(select(tables.projects).order_by("created_at", "id")):
        projects.setdefault(row.account_id, {})[row.id] = Project(
            id=row.id,
            name=row.name,
            is_default=row.is_default,
            created_at=row.created_at,
            signatures=tuple(signatures.get(row.id, ())),
            templates=tuple(templates.get(row.id, ())),
        )
    accounts = {
        row.id: _account(row, projects.get(row.id, {})) for row in connection.execute(select(tables.accounts))
    }
    return Directory.of(accounts.values(), _keys(connection, keyring, accounts))


def check_callback_url(url: str) -> None:
    """Raise `Invalid` unless `url` is one that reports can be posted to."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise Invalid("a callback URL has the form https://host/path")
    if parts.username is not None or parts.fragment:
        raise Invalid("a callback URL has no user name, password or fragment")


def _by_project(connection: Connection, table: Table, make: Callable[[Row[Any]], T]) -> dict[str, list[T]]:
    query = select(table).where(table.c.deleted_at.is_(None))
    rows = connection.execute(query.order_by("project_id", "created_at", "id"))
    return {
        project: [make(row) for row in group] for project, group in groupby(rows, lambda row: row.project_id)
    }


def _signature(row: Row[Any]) -> SmsSignature:
    return SmsSignature(row.id, row.text, Review(row.status))


def _template(row: Row[Any]) -> Template:
    text = with_opt_out(row.text, row.unsubscribe)
    return Template(row.id, Purpose(row.purpose), row.name, text, Review(row.status))


def _keys(connection: Connection, keyring: Keyring, accounts: dict[str, Account]) -> Iterator[ApiKey]:
    keys = tables.api_keys
    of_account = tables.accounts.c.allowed.label("of_account")
    for row in connection.execute(select(keys, of_account).join_from(keys, tables.accounts)):
        lists = [unpacked(packed) for packed in (row.allowed, row.of_account)]
        yield ApiKey(
            public_key=row.public_key,
            private_key=keyring.open(row.public_key, row.sealed_private_key),
            account=accounts[row.account_id],
            active=row.state == "active",
            retires_at=row.retires_at,
            allowed=tuple(AllowList(networks) for networks in lists if networks),
        )


def _account(row: Row[Any], projects: dict[str, Project]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        active=row.state == "active",
        callback_url=row.callback_url,
        language=row.language,
        projects=projects,
        pull_reports=row.pull_reports,
    )
