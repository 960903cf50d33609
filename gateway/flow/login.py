"""Log-ins: a name and a password become a session, or the same refusal whatever was wrong.

Hashing takes a tenth of a second and 64 MiB, so it has one thread of its own and a short queue: a flood of
log-ins waits behind itself, never before the messages.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from config.schema import AdminSettings
from gateway.auth.passwords import hash_password, needs_rehash, verify_password
from gateway.auth.tokens import digest, new_session
from gateway.clock import Clock
from gateway.domain.operator import Actor, ActorKind, BadOperator, check_password
from gateway.errors import GatewayError, Invalid, Overloaded
from gateway.flow import operators as changes
from gateway.metrics import AdminMetrics
from gateway.store import audit, login_attempts, operators, sessions
from gateway.store.audit import By, Entry
from gateway.store.engine import Store
from gateway.store.login_attempts import Attempt, Lockout
from gateway.store.operators import Operator
from gateway.store.sessions import Limits

log = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_WAITING = 16  # log-ins in the queue for the hashing thread


class LoginRefused(GatewayError):
    """Name or password is wrong, or the operator may not log in: which of them is not told."""

    def __init__(self) -> None:
        super().__init__("name or password is wrong")


class LockedOut(GatewayError):
    """Too many failures of this name here, or from this address, or so many of the name that it is slowed."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__("too many failed log-ins; try again later")
        self.seconds = -(-wait_ms // 1000)


class Hashing:
    """One thread that hashes, and a bounded queue before it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashing")
        self._inside = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place in the queue for the time of the block; raises `Overloaded` when there is none."""
        if self._inside >= MAX_WAITING:
            raise Overloaded("too many log-ins at once; try again shortly")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` on the thread; call it inside `place`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Let what runs come to its end."""
        self._thread.shutdown()


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just begun; its secret goes into the cookie and nowhere else."""

    secret: str = field(repr=False)
    operator: Operator


class Logins:
    """The one place where passwords are looked at."""

    def __init__(self, store: Store, settings: AdminSettings, clock: Clock, metrics: AdminMetrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self.hashing = Hashing()
        self._lockout = Lockout(
            per_operator=settings.lockout_failures,
            per_address=settings.lockout_address_failures,
            per_name=settings.lockout_name_failures,
            period=int(settings.lockout_period * 1000),
            pause=int(settings.lockout_name_pause * 1000),
        )
        self.limits = Limits(int(settings.session_idle * 1000), int(settings.session_max * 1000))

    async def login(self, name: str, password: str, address: str, old_session: str = "") -> Opened:
        """Begin a session; one that the client had before ends, so that none can be foisted on it.

        Raises `LoginRefused`, `LockedOut`, `Overloaded`, `StoreUnavailable`.
        """
        attempt = Attempt(name.strip().lower(), address)
        async with self._counted(), self.hashing.place():
            stored = await self._checked(attempt, password)
            secret = new_session()
            fresh = await self._rehashed(stored, password)
            work = self._opening(attempt, stored, fresh, digest(secret), old_session)
            operator = await self._store.write(work)
        self._metrics.logins.add(1, "ok")
        return Opened(secret, operator)

    async def change_password(self, actor: Actor, current: str, new: str) -> Opened:
        """Replace the actor's own password; ends all their sessions and begins a new one.

        Raises `Invalid` for a new password that cannot be used, and whatever `login` does.
        """
        try:
            check_password(new, actor.name)
        except BadOperator as error:
            raise Invalid(str(error)) from error
        if new == current:
            raise Invalid("the new password must differ from the current one")
        attempt = Attempt(actor.name, actor.address)
        async with self._counted(), self.hashing.place():
            stored = await self._checked(attempt, current)
            hashed = await self.hashing.run(lambda: hash_password(new))
        secret, now_ms = new_session(), self._clock.now_ms()

        def change(connection: Connection) -> Operator:
            self._recheck(connection, actor.name, stored)
            login_attempts.succeeded(connection, attempt, self._lockout, now_ms)
            changes.change_own_password(connection, actor.name, hashed, By(actor, now_ms))
            sessions.open_session(connection, digest(secret), actor.name, actor.address, now_ms)
            return operators.find(connection, actor.name)

        return Opened(secret, await self._store.write(change))

    async def logout(self, actor: Actor, id_hash: str) -> None:
        """End the actor's session."""
        now_ms = self._clock.now_ms()

        def end(connection: Connection) -> None:
            sessions.end_session(connection, id_hash)
            audit.record(connection, actor, Entry("session.logout", "operator", actor.name), now_ms)

        await self._store.write(end)

    async def one_time(self) -> changes.OneTime:
        """Return a fresh one-time password; raises `Overloaded`."""
        async with self.hashing.place():
            return await self.hashing.run(lambda: changes.OneTime.make(self._clock.now_ms()))

    def close(self) -> None:
        """Let what is being hashed come to its end."""
        self.hashing.close()

    async def _checked(self, attempt: Attempt, password: str) -> str:
        """Return the stored hash that `password` opens; counts the attempt as failed until `succeeded`."""
        now_ms = self._clock.now_ms()
        look = self._store.read(lambda c: login_attempts.locked_for(c, attempt, self._lockout, now_ms))
        # whoever is locked out already costs no commit
        wait = await look or await self._store.write(
            lambda c: login_attempts.begin(c, attempt, self._lockout, now_ms)
        )
        if wait:
            raise LockedOut(wait)
        stored = await self._store.read(lambda c: operators.password_hash(c, attempt.name))
        if not await self.hashing.run(lambda: verify_password(stored, password)) or stored is None:
            raise LoginRefused
        return stored

    async def _rehashed(self, stored: str, password: str) -> str | None:
        """Return a hash at today's costs if `stored` was made at others."""
        if not needs_rehash(stored):
            return None
        return await self.hashing.run(lambda: hash_password(password))

    def _opening(
        self, attempt: Attempt, stored: str, fresh: str | None, id_hash: str, old_session: str
    ) -> Callable[[Connection], Operator]:
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> Operator:
            operator = self._recheck(connection, attempt.name, stored)
            login_attempts.succeeded(connection, attempt, self._lockout, now_ms)
            if fresh is not None:
                operators.rehash(connection, attempt.name, stored, fresh)
            operators.logged_in(connection, attempt.name, now_ms)
            sessions.drop_ended(connection, self.limits, now_ms)
            if old_session:
                sessions.end_session(connection, digest(old_session))
            sessions.open_session(connection, id_hash, attempt.name, attempt.address, now_ms)
            actor = Actor(attempt.name, ActorKind.OPERATOR, operator.role, attempt.address)
            audit.record(connection, actor, Entry("session.login", "operator", attempt.name), now_ms)
            return operator

        return work

    def _recheck(self, connection: Connection, name: str, stored: str) -> Operator:
        """Refuse if, while the password was looked at, it was changed or the operator disabled."""
        if operators.password_hash(connection, name, lock=True) != stored:
            raise LoginRefused
        operator = operators.find(connection, name)
        if operator.one_time_until is not None and operator.one_time_until <= self._clock.now_ms():
            raise LoginRefused
        return operator

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        try:
            yield
        except LoginRefused:
            self._metrics.logins.add(1, "refused")
            log.warning("log-in refused")
            raise
        except LockedOut:
            self._metrics.logins.add(1, "locked")
            raise
        except Overloaded:
            self._metrics.logins.add(1, "busy")
            raise
