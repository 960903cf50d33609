"""What operators change of customers: each function is the change and its audit, in one transaction.

The command line and the admin API call the same ones, inside the transaction they hold.
"""

from dataclasses import asdict

from sqlalchemy import Connection

from gateway.auth.keys import Keyring
from gateway.domain.money import format_amount
from gateway.errors import Invalid
from gateway.store import accounts, audit, ledger
from gateway.store.accounts import AccountSummary, NewAccount
from gateway.store.audit import By, Entry


def create_account(connection: Connection, keyring: Keyring, name: str, by: By) -> NewAccount:
    """Make an account with a project and a key pair; raises `Invalid`."""
    made = accounts.create_account(connection, keyring, name, by.now_ms)
    after = asdict(made) | {"name": name.strip()}
    del after["private_key"]
    _record(connection, by, "account.create", made.account_id, after=after)
    return made


def credit(connection: Connection, account_id: str, micro: int, by: By) -> AccountSummary:
    """Add `micro` to what the account can spend, the reason as the ledger's note; return it as it is now.

    Raises `Invalid`, `NotFound`.
    """
    if micro <= 0:
        raise Invalid("the amount must be more than 0")
    ledger.credit(connection, account_id, micro, by.now_ms, by.reason)
    (after,) = accounts.list_accounts(connection, account_id)
    _record(
        connection,
        by,
        "account.credit",
        account_id,
        before={"available": format_amount(after.available - micro)},
        after={"available": format_amount(after.available), "credited": format_amount(micro)},
    )
    return after


def debit(connection: Connection, account_id: str, micro: int, by: By) -> AccountSummary:
    """Take `micro` back of what the account can spend, for a reason; return it as it is now.

    Raises `Invalid`, `NotFound`, and `Conflict` if the account has less to spend: what is reserved stays.
    """
    if micro <= 0:
        raise Invalid("the amount must be more than 0")
    reason = by.reason.strip()
    if not 1 <= len(reason) <= audit.MAX_REASON or not reason.isprintable():
        raise Invalid(f"a reason has 1 to {audit.MAX_REASON} printable characters")
    ledger.debit(connection, account_id, micro, by.now_ms, reason)
    (after,) = accounts.list_accounts(connection, account_id)
    _record(
        connection,
        by,
        "account.debit",
        account_id,
        before={"available": format_amount(after.available + micro)},
        after={"available": format_amount(after.available), "debited": format_amount(micro)},
    )
    return after


def set_callback(connection: Connection, account_id: str, url: str | None, by: By) -> AccountSummary:
    """Send the account's reports to `url` from now on, None: nowhere; return it as it is now.

    Raises `Invalid`, `NotFound`.
    """
    (before,) = accounts.list_accounts(connection, account_id)
    accounts.set_callback(connection, account_id, url)
    (after,) = accounts.list_accounts(connection, account_id)
    _record(
        connection,
        by,
        "account.callback",
        account_id,
        before={"callback_url": before.callback_url},
        after={"callback_url": after.callback_url},
    )
    return after


def _record(
    connection: Connection,
    by: By,
    action: str,
    account_id: str,
    before: audit.State | None = None,
    after: audit.State | None = None,
) -> None:
    entry = Entry(action, "account", account_id, before, after, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)
