"""The files directory: whole or not there, swept when nobody names them, never from under an upload."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from gateway.store.vault import CHUNK, Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "files")


def put(vault: Vault, data: bytes) -> str:
    with vault.held():
        return vault.put(data)


def test_bytes_stand_under_their_hash_for_the_owner_alone(vault: Vault) -> None:
    digest = put(vault, b"licence")
    assert digest == hashlib.sha256(b"licence").hexdigest()
    path = vault.path(digest)
    assert path.read_bytes() == b"licence"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.parent.stat().st_mode & 0o077 == 0


def test_the_same_bytes_are_stored_once(vault: Vault) -> None:
    first = vault.path(put(vault, b"licence"))
    written = first.stat().st_mtime_ns
    assert vault.path(put(vault, b"licence")) == first
    assert first.stat().st_mtime_ns == written
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_what_is_named_is_durable_whoever_wrote_it(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file from two accounts: the second must not rely on what the first has not synced yet."""
    names: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        names.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr("gateway.store.vault.os.fsync", fsync)
    path = vault.path(put(vault, b"licence"))
    directories = [str(one) for one in (path.parent, path.parent.parent, path.parent.parent.parent)]
    assert names[1:] == directories, "every name on the way to the file, its own directory's too"
    names.clear()
    put(vault, b"licence")
    assert names == directories


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "g" * 64, "A" * 64, "a" * 63])
def test_only_a_hash_is_a_name(vault: Vault, digest: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        vault.path(digest)


def test_a_disk_that_is_full_leaves_nothing_behind(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.store.vault.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        put(vault, b"licence")
    assert [path for path in vault.path("a" * 64).parent.parent.rglob("*") if path.is_file()] == [
        vault.path("a" * 64).parent.parent / ".lock"
    ]


def test_a_sweep_keeps_what_is_named_and_takes_what_a_crash_left(vault: Vault) -> None:
    kept, gone = put(vault, b"kept"), put(vault, b"gone")
    draft = vault.path(kept).with_name(f".{kept}.0123abcd")
    draft.write_bytes(b"half")
    foreign = vault.path(kept).with_name("notes.txt")
    foreign.write_text("somebody else's")
    assert vault.sweep(lambda hashes: {kept} & set(hashes)) == 2
    assert vault.path(kept).read_bytes() == b"kept"
    assert not vault.path(gone).exists()
    assert not draft.exists()
    assert foreign.exists()


def test_a_sweep_asks_in_portions(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.vault.CHUNK", 2)
    asked: list[int] = []
    directory = vault.path("ab" + "0" * 62).parent
    put(vault, b"x")
    directory.mkdir(exist_ok=True)
    for number in range(5):
        (directory / f"ab{number:062d}").write_bytes(b"")

    def known(hashes) -> set[str]:
        asked.append(len(hashes))
        return set(hashes)

    assert vault.sweep(known) == 0
    assert max(asked) == 2
    assert CHUNK > 2


def test_an_empty_or_missing_directory_is_swept_too(vault: Vault) -> None:
    assert vault.sweep(lambda hashes: set()) == 0


def test_a_sweep_waits_for_an_upload_to_be_named(vault: Vault) -> None:
    named: set[str] = set()
    stored, swept = threading.Event(), threading.Event()

    def sweep() -> None:
        stored.wait(10)
        vault.sweep(lambda hashes: named & set(hashes))
        swept.set()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    with vault.held():
        digest = vault.put(b"just uploaded")
        stored.set()
        assert not swept.is_set()
        named.add(digest)  # the row is committed before the vault is let go
    sweeper.join(10)
    assert swept.is_set()
    assert vault.path(digest).exists()
