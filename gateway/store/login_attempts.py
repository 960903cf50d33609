"""Lock-out: failed log-ins by operator's name and client address; guessing stays slow after a restart.

An attempt is counted as failed before its password is looked at, and taken back when it was right: however
many come at once, no more than the limit are looked at.

Nobody can lock out somebody at another address. A name waits only where it failed, and an address for its own
failures. What a name failed everywhere together only slows strangers down: whoever logged in from an address
before is not among them.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, or_, select, text, update

from gateway.auth.tokens import digest
from gateway.domain.allowlist import parse_address
from gateway.store import tables_operators as tables

KNOWN = -1  # in place of a count: the name has logged in from there
KNOWN_FOR = 30 * 86_400_000  # ms since the last time
NEVER = 2**31 - 1  # failures
_SITE = 64  # bits of an IPv6 address: the rest its owner chooses freely, anew for each guess if he likes

_c = tables.login_attempts.c

_KNOW = text(
    "INSERT INTO login_attempts (key, failures, last_at) VALUES (:key, 0, :now) ON CONFLICT DO NOTHING"
)
_WELCOME = text(
    "INSERT INTO login_attempts (key, failures, last_at) VALUES (:key, :known, :now) "
    "ON CONFLICT (key) DO UPDATE SET last_at = excluded.last_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout:
    """After so many failures nothing is looked at for so long; nobody knows whether the name exists."""

    per_operator: int  # of a name from one address
    per_address: int  # whatever the names
    per_name: int  # wherever they came from
    period: int  # ms
    pause: int  # ms between two looks at a name that has failed `per_name` times


class Count(NamedTuple):
    """Failures that are counted together."""

    key: str
    limit: int
    wait: int  # ms from the last one, once there are `limit`


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is counted: a name as it was typed, and where from."""

    name: str
    address: str

    @property
    def pair(self) -> str:
        """The key of the name at this address."""
        return f"{_name_key(self.name)}@{digest(site(self.address))}"

    @property
    def known(self) -> str:
        """The key of a good log-in of the name from this address."""
        return f"{_name_key(self.name)}!{digest(site(self.address))}"

    def counts(self, lockout: Lockout, *, known: bool = False) -> list[Count]:
        """Return all it counts in, in the order in which rows are locked; `known`: it is no stranger's."""
        # a limit nobody reaches, rather than no row: what it costs to ask tells nobody who is known
        anywhere = NEVER if known else lockout.per_name
        return sorted(
            (
                Count(self.pair, lockout.per_operator, lockout.period),
                Count(digest(f"address:{site(self.address)}"), lockout.per_address, lockout.period),
                Count(_name_key(self.name), anywhere, lockout.pause),
            )
        )


def site(address: str) -> str:
    """Return what counts as one address: of IPv6 the network that one customer of a provider gets."""
    parsed = parse_address(address)
    if parsed is None:
        return address
    return str(ip_network((parsed, _SITE), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)


def begin(connection: Connection, attempt: Attempt, lockout: Lockout, now_ms: int) -> int:
    """Count the attempt and return 0; or return for how many more milliseconds none is allowed.

    Must be committed before the password is looked at. The rows are locked in one order, so that of attempts
    that come at once each sees those before it.
    """
    counts = attempt.counts(lockout, known=_is_known(connection, attempt, now_ms))
    for count in counts:
        connection.execute(_KNOW, {"key": count.key, "now": now_ms})
    found = [(count, *_failures(connection, count.key, lockout, now_ms)) for count in counts]
    wait = max(
        last_at + count.wait - now_ms if failures >= count.limit else 0 for count, failures, last_at in found
    )
    if wait > 0:
        return wait
    for count, failures, _ in found:
        changed = {"failures": failures + 1, "last_at": now_ms}
        connection.execute(update(tables.login_attempts).where(_c.key == count.key).values(changed))
    return 0


def locked_for(connection: Connection, attempt: Attempt, lockout: Lockout, now_ms: int) -> int:
    """Return for how many milliseconds this name has to wait at this address; changes nothing."""
    waits = [0]
    for count in attempt.counts(lockout, known=_is_known(connection, attempt, now_ms)):
        locked = select(_c.last_at).where(_c.key == count.key, _c.failures >= count.limit)
        last_at = connection.scalar(locked.where(_c.last_at > now_ms - count.wait, _c.last_at <= now_ms))
        if last_at is not None:
            waits.append(last_at + count.wait - now_ms)
    return max(waits)


def succeeded(connection: Connection, attempt: Attempt, lockout: Lockout, now_ms: int) -> None:
    """Forget the name's failures at this address, which is known now, and take back this one elsewhere.

    What counts no more is dropped.
    """
    over = or_(
        and_(_c.failures != KNOWN, _c.last_at <= now_ms - lockout.period),
        _c.last_at <= now_ms - KNOWN_FOR,
    )
    connection.execute(delete(tables.login_attempts).where(over))
    connection.execute(delete(tables.login_attempts).where(_c.key == attempt.pair))
    for key in sorted(count.key for count in attempt.counts(lockout) if count.key != attempt.pair):
        connection.execute(
            update(tables.login_attempts)
            .where(_c.key == key, _c.failures > 0)
            .values(failures=_c.failures - 1)
        )
    connection.execute(_WELCOME, {"key": attempt.known, "known": KNOWN, "now": now_ms})


def forget(connection: Connection, name: str) -> None:
    """Let the operator try again at once, from everywhere: somebody with the right to gave a new password.

    No address is known any more either: the old password may have been somebody else's too.
    """
    connection.execute(delete(tables.login_attempts).where(_c.key.startswith(_name_key(name))))


def _name_key(name: str) -> str:
    return digest(f"operator:{name}")


def _is_known(connection: Connection, attempt: Attempt, now_ms: int) -> bool:
    seen = select(_c.last_at).where(_c.key == attempt.known, _c.last_at > now_ms - KNOWN_FOR)
    return connection.scalar(seen) is not None


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
