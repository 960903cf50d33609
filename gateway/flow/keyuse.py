"""Remembers each key's last use in memory and writes it down about once a minute: no request waits for it."""

import asyncio
from functools import partial
from itertools import islice

import structlog

from gateway.domain.allowlist import parse_address
from gateway.errors import GatewayError
from gateway.store.engine import Store
from gateway.store.key_uses import keep_uses

log = structlog.get_logger(__name__)

INTERVAL = 60.0  # seconds between two looks
CHUNK = 500  # keys in one transaction: the journal waits for it, milliseconds


class KeyUse:
    """The last time and address of every key used since it was last written down."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fresh: dict[str, tuple[int, str]] = {}  # by public key

    def note(self, public_key: str, now_ms: int, address: str) -> None:
        """Remember that `public_key` was used from `address`."""
        self._fresh[public_key] = (now_ms, address)

    async def run(self) -> None:
        """Write down what is new, again every minute, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.flush()

    async def flush(self) -> None:
        """Write down what is new; what the store does not take now stays for the next time."""
        pending, self._fresh = self._fresh, {}
        try:
            while pending:
                chunk = list(islice(pending.items(), CHUNK))
                uses = [(key, at, _plain(address)) for key, (at, address) in chunk]
                await self._store.write(partial(keep_uses, uses=uses))
                for key, _ in chunk:
                    del pending[key]
        except GatewayError as error:
            log.warning("last use of keys not written", error=str(error))
        finally:
            self._fresh = pending | self._fresh


def _plain(address: str) -> str:
    parsed = parse_address(address)
    return str(parsed) if parsed is not None else address
