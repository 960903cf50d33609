"""API key pairs, and the master key under which their private halves are stored.

A private key must be recoverable (the customer API signs with a shared secret), so it is sealed, not hashed:
AES-256-GCM with a fresh nonce, bound to its public key so that sealed values cannot be swapped between rows.
"""

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import GatewayError

_MASTER_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"  # first byte of every sealed value: says how the rest is to be read


class KeyUnreadable(GatewayError):
    """A master key file or a sealed key cannot be used; the text says why and holds nothing secret."""


class KeyPair(NamedTuple):
    """What a customer signs with."""

    public_key: str
    private_key: str


def new_key_pair() -> KeyPair:
    """Return a fresh pair: plain hexadecimal, so that no client can forget to escape it."""
    return KeyPair(secrets.token_hex(20), secrets.token_hex(20))


def create_master_key(path: Path) -> None:
    """Write a fresh master key, durably and for its owner alone; raises FileExistsError if there is one.

    It appears under its name only when it is whole: who finds it there can use it.
    """
    text = base64.b64encode(secrets.token_bytes(_MASTER_KEY_BYTES)) + b"\n"
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, text)
        os.fsync(descriptor)
        os.link(draft, path)
    finally:
        os.close(descriptor)
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)  # the name must survive a power cut too
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_master_key(path: Path) -> bytes:
    """Return the key in `path`; raises `KeyUnreadable`, also when others than the owner may read the file."""
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except OSError as error:
        raise KeyUnreadable(f"master key {path}: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyUnreadable(f"master key {path}: others may read it; set its mode to 0600")
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise KeyUnreadable(f"master key {path}: not base64") from error
    if len(key) != _MASTER_KEY_BYTES:
        raise KeyUnreadable(f"master key {path}: {len(key)} bytes instead of {_MASTER_KEY_BYTES}")
    return key


class Keyring:
    """Seals and opens private keys under one master key."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != _MASTER_KEY_BYTES:
            raise ValueError(f"a master key has {_MASTER_KEY_BYTES} bytes")
        self._cipher = AESGCM(master_key)
        self._master_key = master_key

    def __repr__(self) -> str:
        return "<Keyring>"

    def derived(self, purpose: str) -> bytes:
        """Return a key of its own for `purpose`, the same one every time under this master key."""
        return HKDF(SHA256(), _MASTER_KEY_BYTES, salt=None, info=purpose.encode()).derive(self._master_key)

    def seal(self, pair: KeyPair) -> bytes:
        """Return what to store for `pair`; it opens only together with its public key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, pair.private_key.encode(), pair.public_key.encode())
        return _VERSION + nonce + sealed

    def open(self, public_key: str, sealed: bytes) -> str:
        """Return the private key in `sealed`.

        Raises `KeyUnreadable` if it was changed, belongs to another public key or to another master key.
        """
        if not sealed.startswith(_VERSION):
            raise KeyUnreadable("sealed key of an unknown form")
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, public_key.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise KeyUnreadable(
                "sealed key does not open: changed, or sealed under another master key"
            ) from error
