"""Who is at the other end, also behind proxies."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_network

from gateway.domain.allowlist import parse_address


class ClientAddress:
    """Finds a request's client; `X-Forwarded-For` is believed only as far as trusted proxies wrote it."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """`trusted`: addresses or networks; raises ValueError naming a bad one."""
        self._trusted = tuple(ip_network(one, strict=False) for one in trusted)

    def of(self, remote: str, forwarded: Iterable[str]) -> str:
        """Return the address of the last hop that is not a trusted proxy.

        `remote` is the other end of the socket, "" if it is gone; `forwarded` what X-Forwarded-For says.
        """
        address = remote
        if not self._trusted:
            return address
        hops = ",".join(forwarded).split(",")
        while hops and self._is_trusted(address):
            hop = hops.pop().strip()
            if _parsed(hop) is None:
                break
            address = hop
        return address

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


_parsed = lru_cache(4_096)(parse_address)  # the same few proxies and customers again and again
