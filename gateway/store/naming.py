"""Names and ids of what operators make."""

import secrets

from gateway.errors import Invalid

_ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else


def check_name(name: str, what: str, longest: int) -> str:
    """Return `name` without surrounding blanks; raises `Invalid` unless it has 1 to `longest` characters."""
    name = name.strip()
    if not 1 <= len(name) <= longest or not name.isprintable():
        raise Invalid(f"{what} has 1 to {longest} printable characters")
    return name


def random_id(length: int) -> str:
    """Return `length` random letters and digits that people can read out."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(length))
