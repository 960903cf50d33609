"""Lock-out: failed log-ins by operator's name and client address; guessing stays slow after a restart.

An attempt is counted as failed before its password is looked at, and taken back when it was right: however
many come at once, no more than the limit are looked at.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text, update

from gateway.auth.tokens import digest
from gateway.store import tables_operators as tables

_c = tables.login_attempts.c

_KNOW = text(
    "INSERT INTO login_attempts (key, failures, last_at) VALUES (:key, 0, :now) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Lockout:
    """After so many failures nothing is looked at for so long; nobody knows whether the name exists."""

    per_operator: int
    per_address: int
    period: int  # ms


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is counted: a name as it was typed, and where from."""

    name: str
    address: str

    def keys(self, lockout: Lockout) -> list[tuple[str, int]]:
        """Return each key with its limit: the name's, then the address's."""
        return [
            (digest(f"operator:{self.name}"), lockout.per_operator),
            (digest(f"address:{self.address}"), lockout.per_address),
        ]


def begin(connection: Connection, attempt: Attempt, lockout: Lockout, now_ms: int) -> int:
    """Count the attempt and return 0; or return for how many more milliseconds none is allowed.

    Must be committed before the password is looked at. The rows are locked in one order, so that of attempts
    that come at once each sees those before it.
    """
    keys = sorted(attempt.keys(lockout))
    for key, _ in keys:
        connection.execute(_KNOW, {"key": key, "now": now_ms})
    counted = [(key, limit, _failures(connection, key, lockout, now_ms)) for key, limit in keys]
    waits = [last_at + lockout.period - now_ms for _, limit, (count, last_at) in counted if count >= limit]
    if waits:
        return max(waits)
    for key, _, (count, _) in counted:
        connection.execute(
            update(tables.login_attempts).where(_c.key == key).values(failures=count + 1, last_at=now_ms)
        )
    return 0


def locked_for(connection: Connection, attempt: Attempt, lockout: Lockout, now_ms: int) -> int:
    """Return for how many milliseconds this name or address has to wait; changes nothing."""
    waits = [0]
    for key, limit in attempt.keys(lockout):
        locked = select(_c.last_at).where(_c.key == key, _c.failures >= limit)
        last_at = connection.scalar(locked.where(_c.last_at > now_ms - lockout.period, _c.last_at <= now_ms))
        if last_at is not None:
            waits.append(last_at + lockout.period - now_ms)
    return max(waits)


def succeeded(connection: Connection, attempt: Attempt, lockout: Lockout, now_ms: int) -> None:
    """Forget the name's failures and take back this one of the address; drop what counts no more."""
    connection.execute(delete(tables.login_attempts).where(_c.last_at <= now_ms - lockout.period))
    (name, _), (address, _) = attempt.keys(lockout)
    connection.execute(delete(tables.login_attempts).where(_c.key == name))
    connection.execute(
        update(tables.login_attempts)
        .where(_c.key == address, _c.failures > 0)
        .values(failures=_c.failures - 1)
    )


def forget(connection: Connection, name: str) -> None:
    """Let the operator try again at once: somebody with the right to do so gave them a new password."""
    connection.execute(delete(tables.login_attempts).where(_c.key == digest(f"operator:{name}")))


def _failures(connection: Connection, key: str, lockout: Lockout, now_ms: int) -> tuple[int, int]:
    """Return how many failures count now, and when the last was."""
    row = connection.execute(select(_c.failures, _c.last_at).where(_c.key == key).with_for_update()).one()
    if row.last_at <= now_ms - lockout.period:
        return 0, now_ms
    if row.last_at > now_ms:
        # the clock was set back: the wait begins anew, rather than last until the old time comes round again
        connection.execute(update(tables.login_attempts).where(_c.key == key).values(last_at=now_ms))
        return row.failures, now_ms
    return row.failures, row.last_at
