"""Who is at the other end, also behind proxies."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from gateway.domain.allowlist import parse_address

_REMEMBERED = 1_024  # clients behind proxies: the same few again and again


class ClientAddress:
    """Finds a request's client; `X-Forwarded-For` is believed only as far as trusted proxies wrote it."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """`trusted`: addresses or networks; raises ValueError naming a bad one."""
        self._trusted = tuple(ip_network(one, strict=False) for one in trusted)
        self._known: dict[tuple[str, ...], str] = {}

    def of(self, remote: str, forwarded: Iterable[str]) -> str:
        """Return the address of the last hop that is not a trusted proxy.

        `remote` is the other end of the socket, "" if it is gone; `forwarded` what X-Forwarded-For says.
        """
        if not self._trusted:
            return remote
        told = (remote, *forwarded)
        known = self._known.get(told)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[told] = self._find(remote, ",".join(told[1:]).split(","))
        return known

    def _find(self, address: str, hops: list[str]) -> str:
        while hops and self._is_trusted(address):
            hop = hops.pop().strip()
            if parse_address(hop) is None:
                break
            address = hop
        return address

    def is_https(self, remote: str, forwarded: str, scheme: str) -> bool:
        """Whether the client speaks TLS: a trusted proxy's `X-Forwarded-Proto` says, else our own scheme."""
        said = forwarded.strip() if self._is_trusted(remote) else ""
        return (said or scheme).lower() == "https"

    def _is_trusted(self, address: str) -> bool:
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self._trusted)
