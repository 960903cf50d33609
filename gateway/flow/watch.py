"""Notices what command line tools changed in the store beside the running gateway."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy import Connection

from gateway.auth.keys import Keyring
from gateway.domain.account import Directory
from gateway.errors import GatewayError
from gateway.flow.context import Context
from gateway.live import Live
from gateway.store import ledger, revisions
from gateway.store.accounts import load_directory

log = structlog.get_logger(__name__)

Follow = Callable[[], Awaitable[None] | None]  # takes over what is new in one scope

INTERVAL = 0.2  # seconds; a change takes effect well within one


class Watch:
    """Swaps the directory, adds credits and has others follow as their revisions move."""

    def __init__(
        self, context: Context, keyring: Keyring, directory: Live[Directory], followers: Mapping[str, Follow]
    ) -> None:
        """`followers`: by scope of revisions, whom to call when it has moved."""
        self._followers = followers
        self._store = context.store
        self._funds = context.funds
        self._keyring = keyring
        self._directory = directory
        self._seen: dict[str, int] = {}
        self._turn = asyncio.Lock()  # a credit must not be added by two looks at once

    @property
    def revisions(self) -> Mapping[str, int]:
        """The revision of every scope as it was taken over last."""
        return self._seen

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.take_over()
            await asyncio.sleep(INTERVAL)

    async def take_over(self) -> None:
        """Let what this process has just committed take effect before anybody is told that it is done.

        If that cannot be now, the next look does it: what is committed has not failed.
        """
        try:
            await self.look()
        except GatewayError as error:
            log.warning("could not look for changes", error=str(error))

    async def look(self) -> None:
        """Take over what changed since the last look; raises `StoreUnavailable`."""
        async with self._turn:
            await self._look()

    async def _look(self) -> None:
        now = await self._store.read(revisions.current)
        if now == self._seen:
            return
        if now.get(revisions.DIRECTORY) != self._seen.get(revisions.DIRECTORY):
            self._directory.value = await self._store.read(self._load)
        if now.get(revisions.MONEY) != self._seen.get(revisions.MONEY):
            after = self._funds.last_seq
            for credit in await self._store.read(lambda connection: ledger.credits_after(connection, after)):
                self._funds.add(credit.account_id, credit.amount)
                self._funds.last_seq = credit.seq
        for scope, follow in self._followers.items():
            if now.get(scope) != self._seen.get(scope) and (following := follow()) is not None:
                await following
        self._seen = now

    def _load(self, connection: Connection) -> Directory:
        return load_directory(connection, self._keyring)
