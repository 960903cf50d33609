"""Private keys at rest: sealed, bound to their public key, useless without the master key."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.keys import (
    KeyPair,
    Keyring,
    KeyUnreadable,
    create_master_key,
    new_key_pair,
    read_master_key,
)

RING = Keyring(bytes(range(32)))


@given(st.text(min_size=1, max_size=80), st.text(max_size=80))
def test_what_is_sealed_opens_again(public: str, private: str) -> None:
    try:
        (public + private).encode()
    except UnicodeEncodeError:
        return
    sealed = RING.seal(KeyPair(public, private))
    assert RING.open(public, sealed) == private
    assert len(private) < 8 or private.encode() not in sealed


def test_the_same_key_never_seals_to_the_same_bytes() -> None:
    pair = new_key_pair()
    assert RING.seal(pair) != RING.seal(pair)


def test_a_sealed_key_cannot_move_to_another_public_key() -> None:
    pair = new_key_pair()
    with pytest.raises(KeyUnreadable):
        RING.open(new_key_pair().public_key, RING.seal(pair))


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, flip: int) -> None:
    pair = KeyPair("public", "p" * 40)
    sealed = bytearray(RING.seal(pair))
    sealed[place % len(sealed)] ^= flip
    with pytest.raises(KeyUnreadable):
        RING.open(pair.public_key, bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(12), b"\x02" + bytes(60)])
def test_rubbish_does_not_open(sealed: bytes) -> None:
    with pytest.raises(KeyUnreadable):
        RING.open("public", sealed)


def test_another_master_key_opens_nothing() -> None:
    pair = new_key_pair()
    with pytest.raises(KeyUnreadable):
        Keyring(bytes(32)).open(pair.public_key, RING.seal(pair))


def test_pairs_are_fresh_and_need_no_escaping() -> None:
    first, second = new_key_pair(), new_key_pair()
    assert len({*first, *second}) == 4
    assert all(word.isalnum() and len(word) == 40 for word in first)


def test_nothing_secret_in_words() -> None:
    assert "0102" not in repr(RING)
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(b"short")


def test_a_master_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    create_master_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = read_master_key(path)
    assert len(key) == 32
    with pytest.raises(FileExistsError):
        create_master_key(path)
    assert read_master_key(path) == key


def test_a_master_key_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    create_master_key(path)
    os.chmod(path, 0o644)
    with pytest.raises(KeyUnreadable, match="0600"):
        read_master_key(path)


@pytest.mark.parametrize("text", [b"", b"not base64!", b"c2hvcnQ="])
def test_a_file_that_is_no_master_key_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "master.key"
    path.touch(0o600)
    path.write_bytes(text)
    with pytest.raises(KeyUnreadable):
        read_master_key(path)
    with pytest.raises(KeyUnreadable):
        read_master_key(tmp_path / "absent")


def test_a_key_for_a_purpose_is_always_the_same_and_no_other_purposes() -> None:
    ring = Keyring(b"k" * 32)
    assert ring.derived("links") == Keyring(b"k" * 32).derived("links")
    assert len(ring.derived("links")) == 32
    assert (
        len({ring.derived("links"), ring.derived("other"), Keyring(b"x" * 32).derived("links"), b"k" * 32})
        == 4
    )
