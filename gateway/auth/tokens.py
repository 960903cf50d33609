"""Random secrets that prove who asks: session ids, API tokens. Only their digests are stored."""

import hashlib
import hmac
import secrets

_BYTES = 32
TOKEN_PREFIX = "scst_"  # what leak scanners look for


def new_session() -> str:
    """Return a fresh session id."""
    return secrets.token_urlsafe(_BYTES)


def new_token() -> str:
    """Return a fresh API token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)


def digest(secret: str) -> str:
    """Return what is stored of `secret`. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(session: str) -> str:
    """Return the session's CSRF token: known to who may read our answers, not to who merely sends cookies."""
    return hmac.new(session.encode("utf-8", "surrogatepass"), b"csrf", hashlib.sha256).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
