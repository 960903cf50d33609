"""When and where from each key was used last, as the running gateway tells now and then."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

# a later use may have been written by another run already: the clock was set, or two flushes crossed
_KEEP = text(
    "INSERT INTO key_uses (public_key, used_at, address) VALUES (:public_key, :used_at, :address) "
    "ON CONFLICT (public_key) DO UPDATE SET used_at = excluded.used_at, address = excluded.address "
    "WHERE key_uses.used_at <= excluded.used_at"
)

Use = tuple[str, int, str]  # public key, unix ms, address


def keep_uses(connection: Connection, uses: Sequence[Use]) -> None:
    """Note each key's use unless a later one is noted."""
    rows = [{"public_key": key, "used_at": at, "address": address} for key, at, address in sorted(uses)]
    if rows:
        connection.execute(_KEEP, rows)
