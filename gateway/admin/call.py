"""What a handler is given: who asks, what for, and the two ways to the store."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from aiohttp import web

from gateway.admin.schema import when
from gateway.auth.keys import Keyring
from gateway.clock import Clock
from gateway.domain.operator import Actor, Permission
from gateway.flow.login import Logins
from gateway.flow.papers import Papers
from gateway.flow.review import Reviews
from gateway.metrics import AdminMetrics
from gateway.store import request_keys
from gateway.store.audit import By
from gateway.store.engine import Store, Work
from gateway.web.address import ClientAddress
from routing.number import NumberReader

T = TypeVar("T")

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the admin API works with; made once, at start."""

    store: Store
    keyring: Keyring
    clock: Clock
    logins: Logins
    metrics: AdminMetrics
    client: ClientAddress
    reviews: Reviews
    papers: Papers
    numbers: NumberReader
    currency: str
    token_max_days: int
    status: Callable[[], Facts]  # of the gateway as a whole
    channels: Callable[[], Mapping[str, Facts]]
    take_over: Callable[[], Awaitable[None]]  # brings what was committed into the memory of who sends


@dataclass(frozen=True, slots=True)
class Principal:
    """Who was found to be asking."""

    actor: Actor
    session: str = field(default="", repr=False)  # the session's own id; "": an API token, which has none
    must_change: bool = False  # came in by a one-time password and has to choose another first


@dataclass(slots=True)
class Call:
    """One request on its way through its handler."""

    services: Services
    who: Principal
    path: Mapping[str, str]  # what stands in the path's braces
    address: str
    request_key: str = ""
    old_session: str = field(default="", repr=False)  # the cookie that came with it, whatever it is worth
    new_session: str | None = None  # to be set as the cookie; "": to be taken away

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return self.who.actor

    def now(self) -> datetime:
        """Return the time of the gateway's clock."""
        return when(self.services.clock.now_ms())

    def may(self, permission: Permission) -> bool:
        """Whether who asks may do this too."""
        return self.actor.may(permission)

    def by(self, reason: str = "") -> By:
        """Return who, when and why, as every audited change takes it."""
        return By(self.actor, self.services.clock.now_ms(), reason)

    async def read(self, query: Work[T]) -> T:
        """Run `query` on a snapshot of the store; raises `StoreUnavailable`."""
        return await self.services.store.read(query)

    async def change(self, work: Work[T]) -> T:
        """Run `work` in one transaction, once for each Idempotency-Key; it is in effect when this returns.

        Raises `Conflict` if the key was used before, `StoreUnavailable`, or what `work` raises: then nothing
        was changed.
        """
        if self.request_key:
            now_ms = self.services.clock.now_ms()
            work = request_keys.once(self.actor.name, self.request_key, now_ms, work)
        done = await self.services.store.write(work)
        await self.services.take_over()
        return done


SERVICES = web.AppKey("services", Services)
