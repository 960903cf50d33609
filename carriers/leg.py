"""Keeps one bind of a channel up: connect, bind, and after every end back off and begin again."""

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Protocol

from carriers.backoff import Backoff
from carriers.errors import CarrierError
from carriers.link import Link
from carriers.smpp.states import State
from carriers.smpp.status import BindFailure, status_name
from carriers.status import LinkState, LinkStatus
from carriers.transport import ConnectFailed, connect
from config.schema import ChannelConfig

log = logging.getLogger(__name__)

_STATES = {
    None: LinkState.CONNECTING,
    State.BINDING: LinkState.BINDING,
    State.BOUND: LinkState.BOUND,
    State.UNBINDING: LinkState.UNBINDING,
    State.LEAVING: LinkState.UNBINDING,
    State.CLOSED: LinkState.UNBINDING,  # the connection still closes
}


class LegOwner(Protocol):
    """Whom a leg tells why it has no bind."""

    def bind_failed(self, leg: "Leg", why: str) -> None:
        """A connection or bind failed; `why` is one of a few words."""


class Leg:
    """One bind, never more than one connection at a time."""

    def __init__(
        self,
        name: str,
        config: ChannelConfig,
        make_link: Callable[[], Link],
        owner: LegOwner,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.link: Link | None = None
        self._config = config
        self._make_link = make_link
        self._owner = owner
        self._clock = clock
        self._backoff = Backoff(config.timers, Random())
        self._since = clock()
        self._last_error = ""
        self._stopping = False

    async def run(self) -> None:
        """Keep the bind up until `stop` or cancelled; cancelling resets the connection."""
        while not self._stopping:
            self.link = link = self._make_link()
            self._since = self._clock()
            try:
                error = await self._live(link)
            finally:
                link.abort("stopped")
                self.link = None
                self._since = self._clock()
            if not self._stopping:
                await asyncio.sleep(self._wait_after(link, error))

    def bound(self) -> None:
        """Note that the link is bound."""
        self._since = self._clock()
        self._backoff.bound(self._since)
        log.info("channel %s: link %s bound", self._config.id, self.name)

    def stop(self) -> None:
        """Unbind, and do not come back."""
        self._stopping = True
        if self.link is not None:
            self.link.unbind()

    async def gone(self) -> None:
        """Wait until there is no session; one that only tries to connect is not waited for."""
        if self.link is not None and self.link.state is not None:
            await asyncio.shield(self.link.ended)

    def status(self) -> LinkStatus:
        """Return where the bind is."""
        link = self.link
        if link is None:
            state = LinkState.STOPPED if self._stopping else LinkState.WAITING
            return LinkStatus(self.name, state, self._since, 0, 0, self._last_error)
        window = self._config.window if link.sends else 0
        return LinkStatus(
            self.name, _STATES[link.state], self._since, link.in_flight, window, self._last_error
        )

    async def _live(self, link: Link) -> str:
        """Connect and stay until the link ends; return why it did."""
        try:
            await connect(self._config, lambda: link)
        except ConnectFailed as error:
            self._owner.bind_failed(self, "connect")
            return str(error)
        except CarrierError as error:  # the bind itself cannot be written: a setting does not fit its field
            self._owner.bind_failed(self, "config")
            return str(error)
        if self._stopping:
            link.unbind()
        await asyncio.shield(link.ended)
        return link.error

    def _wait_after(self, link: Link, error: str) -> float:
        """Return how long to back off; tell the operator."""
        credentials = False
        if link.refused is not None:
            failure = link.refused.failure
            credentials = failure is BindFailure.CREDENTIALS
            error = f"bind refused: {status_name(link.refused.status)} ({failure.value})"
        self._last_error = error
        if link.refused is not None:
            self._owner.bind_failed(self, link.refused.failure.value)
        wait = self._backoff.after_end(self._clock(), credentials=credentials)
        level = logging.ERROR if credentials else logging.WARNING
        log.log(level, "channel %s: link %s: %s; again in %.1f s", self._config.id, self.name, error, wait)
        return wait
