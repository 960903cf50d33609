"""What an account may do: restricted and restored, from where, in which language it is told, on which terms.

Every change is audited in its transaction and takes effect with the directory's next revision.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update

from gateway.domain.report import LANGUAGES
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import audit, revisions, tables, tables_keys
from gateway.store.audit import MAX_REASON, By, Entry
from gateway.store.keys import checked_networks

MAX_VERSION = 32

_a = tables.accounts.c


def restrict(connection: Connection, account_id: str, by: By) -> None:
    """Refuse every request of an account (RetCode 173) until `restore`; `by` must say why.

    What was accepted before goes on. Raises `NotFound`, `Invalid`, `Conflict` if it is restricted already.
    """
    reason = by.reason.strip()
    if not 1 <= len(reason) <= MAX_REASON or not reason.isprintable():
        raise Invalid(f"a reason has 1 to {MAX_REASON} printable characters")
    old = _locked(connection, account_id)
    if old.state == "restricted":
        raise Conflict(f"account {account_id} is restricted already: {old.state_reason}")
    _change(connection, old, by, "account.restrict", {"state": "restricted", "state_reason": reason})


def restore(connection: Connection, account_id: str, by: By) -> None:
    """Let a restricted account work again; raises `NotFound`, `Conflict` if it is not restricted."""
    old = _locked(connection, account_id)
    if old.state != "restricted":
        raise Conflict(f"account {account_id} is not restricted")
    _change(connection, old, by, "account.restore", {"state": "active", "state_reason": ""})


def allow_account(
    connection: Connection, account_id: str, networks: Sequence[str], by: By
) -> tuple[str, ...]:
    """Let the account's keys be used from `networks` only, none: from anywhere.

    Returns them in their one form; raises `NotFound`, `Invalid`.
    """
    checked = checked_networks(networks)
    old = _locked(connection, account_id)
    _change(connection, old, by, "account.allow", {"allowed": ",".join(checked)})
    return checked


def set_language(connection: Connection, account_id: str, language: str | None, by: By) -> None:
    """Word an account's receipts in `language`, None: as the settings say. Raises `NotFound`, `Invalid`."""
    if language is not None and language not in LANGUAGES:
        raise Invalid(f"{language!r} is no language of receipts: {', '.join(LANGUAGES)}")
    old = _locked(connection, account_id)
    _change(connection, old, by, "account.language", {"language": language})


def set_pull_reports(connection: Connection, account_id: str, wanted: bool, by: By) -> None:
    """Keep an account's reports for `PullUSMSReport` from now on, or no longer; raises `NotFound`.

    What waits already may still be pulled once it is switched on again, for as long as it is kept.
    """
    old = _locked(connection, account_id)
    _change(connection, old, by, "account.pull_reports", {"pull_reports": wanted})


def accept_terms(connection: Connection, account_id: str, version: str, accepted_at: int, by: By) -> None:
    """Note that an account accepted a version of the terms of service, and when (unix ms).

    Raises `NotFound`, `Invalid`, `Conflict` if that is noted already: it is never changed.
    """
    version = version.strip()
    if not 1 <= len(version) <= MAX_VERSION or not version.isprintable():
        raise Invalid(f"a version of the terms has 1 to {MAX_VERSION} printable characters")
    if not 0 < accepted_at <= by.now_ms:
        raise Invalid("terms are accepted now or in the past")
    _locked(connection, account_id)
    terms = tables_keys.terms_acceptances
    same = (terms.c.account_id == account_id) & (terms.c.version == version)
    if connection.scalar(select(exists().where(same))):
        raise Conflict(f"account {account_id} has accepted the terms {version} already")
    values = {"version": version, "accepted_at": accepted_at}
    connection.execute(insert(terms).values(account_id=account_id, **values))
    entry = Entry("account.terms", "account", account_id, None, values, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)


def _locked(connection: Connection, account_id: str) -> Row[Any]:
    """Return an account's row; two changes of the same account come one after the other."""
    query = select(tables.accounts).where(_a.id == account_id).with_for_update()
    found = connection.execute(query).first()
    if found is None:
        raise NotFound(f"there is no account {account_id}")
    return found


def _change(connection: Connection, old: Row[Any], by: By, action: str, values: Mapping[str, object]) -> None:
    connection.execute(update(tables.accounts).where(_a.id == old.id).values(values))
    before = {name: old._mapping[name] for name in values}
    audit.record(connection, by.actor, Entry(action, "account", old.id, before, values, by.reason), by.now_ms)
    revisions.bump(connection, revisions.DIRECTORY)
