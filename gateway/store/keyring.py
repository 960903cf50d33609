"""The master key beside the store: made with the first account, never made anew over sealed keys."""

import contextlib
from pathlib import Path

from sqlalchemy import select

from gateway.auth.keys import Keyring, KeyUnreadable, create_master_key, read_master_key
from gateway.store import tables
from gateway.store.engine import Store


def open_keyring(store: Store, path: Path) -> Keyring:
    """Return the keyring of `store`; makes the master key if the store holds nothing sealed yet.

    Raises `KeyUnreadable` if the key is missing or not the one the store's keys were sealed under.
    """
    keys = tables.api_keys
    sample = select(keys.c.public_key, keys.c.sealed_private_key).limit(1)
    sealed = store.read_now(lambda connection: connection.execute(sample).first())
    if sealed is not None and not path.exists():
        raise KeyUnreadable(
            f"master key {path} is missing and the store holds keys sealed under it: restore it"
        )
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # somebody else was faster; theirs is as good
            create_master_key(path)
    keyring = Keyring(read_master_key(path))
    if sealed is not None:
        keyring.open(sealed.public_key, sealed.sealed_private_key)
    return keyring
