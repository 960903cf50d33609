"""Customers' files: stored before their row, handed out to those who may see them, swept when unused."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import structlog
from sqlalchemy import Connection

from config.schema import FileSettings
from gateway.auth.links import LinkSigner
from gateway.clock import Clock
from gateway.domain.paper import Paper, read_paper
from gateway.errors import GatewayError, NotFound, StoreUnavailable
from gateway.store import papers
from gateway.store.engine import Store
from gateway.store.papers import Stored
from gateway.store.vault import Vault

T = TypeVar("T")
Named = Callable[[Connection, Mapping[str, str]], T]  # given the ids of files by their names

log = structlog.get_logger(__name__)

SWEEP_INTERVAL = 3600.0
FORGOTTEN_AT_ONCE = 500  # rows in one transaction
THREADS = 2  # an upload waits for the disk, the next one is decoded meanwhile
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Handed:
    """A file that may be handed out."""

    path: Path
    type: str
    name: str


class Papers:
    """Everything that touches the files directory, on threads of its own."""

    def __init__(self, store: Store, settings: FileSettings, signer: LinkSigner, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._signer = signer
        self._clock = clock
        self._vault = Vault(Path(settings.directory))
        self._threads = ThreadPoolExecutor(THREADS, "files")

    async def take(self, account_id: str, text: str, name: str = "", claimed: str = "") -> str:
        """Store the file in `text` (base64) durably, return its id.

        Raises `NotBase64`, `BadPaper`, `Invalid` beyond the account's quota, `StoreUnavailable`.
        """

        def take() -> str:
            paper = read_paper(text, name, claimed)
            return self._store_all(account_id, {name: paper}, lambda _, ids: ids[name])

        return await self._aside(take)

    async def take_with(self, account_id: str, texts: Mapping[str, str], work: Named[T]) -> T:
        """Store files, and do `work` with their ids, named as in `texts`, in the transaction of their rows.

        Raises as `take` does and what `work` raises: then there are no rows, and a sweep takes the bytes.
        """

        def take() -> T:
            found = {name: read_paper(text) for name, text in texts.items()}
            return self._store_all(account_id, found, work)

        return await self._aside(take)

    def link(self, file_id: str) -> str:
        """Return a link to the file that works for a while without a key; "" for no file."""
        if not file_id:
            return ""
        expires = self._clock.now_ms() // 1000 + self._settings.link_seconds
        query = urlencode({"expires": expires, "signature": self._signer.sign(file_id, expires)})
        return f"{self._settings.link_base.rstrip('/')}/files/{file_id}?{query}"

    def linked(self, link: str) -> str:
        """Return the id of the file that `link` leads to, also when it is the id itself; else `link`."""
        return link.partition("?")[0].rpartition("/")[2] or link

    async def by_link(self, file_id: str, expires: str, signature: str) -> Handed:
        """Return the file of a link; raises `NotFound`, also for a link that is not ours or has expired."""
        if not self._signer.verify(file_id, expires, signature, self._clock.now_ms() // 1000):
            raise NotFound("there is no such file")
        return await self.handed(lambda connection: papers.find(connection, file_id))

    async def handed(self, find: Callable[[Connection], Stored]) -> Handed:
        """Return the file that `find` returns the row of; raises `NotFound`, `StoreUnavailable`."""
        stored = await self._store.read(find)
        path = self._vault.path(stored.sha256)
        if not await self._aside(path.exists):
            log.error("a file is missing: restored without the files directory?", file=stored.id)
            raise NotFound("there is no such file")
        return Handed(path, stored.type, stored.name)

    async def run(self) -> None:
        """Sweep now and then until cancelled."""
        while True:
            try:
                gone = await self.sweep()
                if gone:
                    log.info("files nobody names deleted", files=gone)
            except (GatewayError, OSError) as error:
                log.warning("could not sweep the files", error=str(error))
            await asyncio.sleep(SWEEP_INTERVAL)

    async def sweep(self) -> int:
        """Forget rows that nothing names and delete files that no row names; return how many files."""
        before = self._clock.now_ms() - self._settings.unused_days * _DAY_MS
        forget = partial(papers.forget_unused, before_ms=before, limit=FORGOTTEN_AT_ONCE)
        while await self._aside(partial(self._store.transaction, forget)) == FORGOTTEN_AT_ONCE:
            pass
        return await self._aside(partial(self._vault.sweep, self._known))

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown()

    def _store_all(self, account_id: str, found: Mapping[str, Paper], work: Named[T]) -> T:
        now_ms, quota = self._clock.now_ms(), self._settings.quota
        try:
            with self._vault.held():
                digests = {name: self._vault.put(paper.data) for name, paper in found.items()}

                def commit(connection: Connection) -> T:
                    ids = {
                        name: papers.add(connection, account_id, paper, digests[name], quota, now_ms)
                        for name, paper in found.items()
                    }
                    return work(connection, ids)

                return self._store.transaction(commit)
        except OSError as error:
            raise StoreUnavailable(f"the files directory: {error.strerror}") from error

    def _known(self, hashes: Sequence[str]) -> set[str]:
        return self._store.read_now(lambda connection: papers.known_hashes(connection, hashes))

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
