"""Where an operator's command works: beside the running gateway, on the same store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.load import load_settings
from config.schema import LogSettings, Settings
from gateway.auth.keys import Keyring
from gateway.cli import acting
from gateway.cli.common import now_ms
from gateway.domain.operator import Permission
from gateway.logs import configure
from gateway.store import accounts
from gateway.store.audit import By
from gateway.store.engine import Store, open_store
from gateway.store.keyring import open_keyring


@dataclass(frozen=True, slots=True)
class Office:
    """The store of the settings, and who acts on it."""

    settings: Settings
    store: Store

    def keyring(self) -> Keyring:
        """Return the keyring; makes the master key if nothing is sealed yet."""
        return open_keyring(self.store, Path(self.settings.security.master_key_file))


@contextmanager
def office(config: Path) -> Iterator[Office]:
    """Open the store of `config`, making it or bringing it up to date first.

    Raises `NotFound` or `Forbidden` if the command is to act as an operator who cannot.
    """
    settings = load_settings(config)
    configure(LogSettings(level="warning", format="console"))
    store = open_store(settings.store.url)
    try:
        store.migrate()
        with acting.resolved(store):
            yield Office(settings, store)
    finally:
        store.close()


def by(reason: str = "", permission: Permission = Permission.ACCOUNTS_WRITE) -> By:
    """Return who decides this, when and why, as the audit keeps it; call it inside `office`.

    Raises `Forbidden` if the operator's role has not this permission.
    """
    return By(acting.actor(permission), now_ms(), reason)


def known_account(here: Office, account: str | None) -> None:
    """Raise `NotFound` unless there is this account; none named is all of them."""
    if account:
        here.store.read_now(lambda c: accounts.list_accounts(c, account))
