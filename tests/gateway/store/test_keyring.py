"""The master key: made once, missed loudly, never replaced."""

import threading
from pathlib import Path

import pytest

from gateway.auth.keys import KeyUnreadable, create_master_key
from gateway.store.accounts import create_account
from gateway.store.engine import Store
from gateway.store.keyring import open_keyring


def test_the_first_use_makes_a_key_for_its_owner_alone(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    open_keyring(store, path)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    open_keyring(store, path)
    assert path.read_bytes() == before


def test_a_key_that_is_lost_is_not_replaced(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    keyring = open_keyring(store, path)
    store.transaction(lambda c: create_account(c, keyring, "Acme", 0))
    path.unlink()
    with pytest.raises(KeyUnreadable, match="is missing"):
        open_keyring(store, path)
    assert not path.exists()


def test_a_key_of_another_store_is_refused(store: Store, tmp_path: Path) -> None:
    keyring = open_keyring(store, tmp_path / "master.key")
    store.transaction(lambda c: create_account(c, keyring, "Acme", 0))
    create_master_key(tmp_path / "other.key")
    with pytest.raises(KeyUnreadable, match="does not open"):
        open_keyring(store, tmp_path / "other.key")


def test_several_that_start_at_once_end_up_with_one_key(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    failed: list[BaseException] = []

    def start() -> None:
        try:
            open_keyring(store, path)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [file.name for file in tmp_path.iterdir() if "master" in file.name] == ["master.key"]
