"""Operators' passwords: argon2id, the costs in one place, and hashes that are made anew when those change."""

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# RFC 9106's second choice but for one lane: a log-in must not take both cores from the messages
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else
_GROUPS, _GROUP = 5, 4


def hash_password(password: str) -> str:
    """Return what to store for `password`; takes some 100 ms and 64 MiB, so never on the event loop."""
    return _HASHER.hash(_encoded(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Say whether `password` is the one `stored` was made from; takes as long when there is none stored."""
    try:
        return _HASHER.verify(stored or _nobodys(), _encoded(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether `stored` was made with other costs than those of today."""
    return _HASHER.check_needs_rehash(stored)


def one_time_password() -> str:
    """Return 99 random bits that can be read aloud and typed."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_bytes(16))


def _encoded(password: str) -> bytes:
    """Return one form of what keyboards write in several; a lone surrogate is a wrong password, no error."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
