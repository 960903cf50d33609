"""Which client addresses may use a key. An IPv4 address is the same however IPv6 writes it."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

MAX_NETWORKS = 100
_REMEMBERED = 1_024  # addresses whose answer is kept: a customer's servers are few

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_MAPPED = IPv6Network("::ffff:0:0/96")


class BadNetwork(ValueError):
    """A network that cannot be on a list; says why."""


def parse_address(text: str) -> Address | None:
    """Return the address in `text`, IPv4 inside IPv6 (`::ffff:192.0.2.1`) as IPv4; None if it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def check_networks(given: Iterable[str]) -> tuple[str, ...]:
    """Return addresses and networks in their one form, each once, in order; raises `BadNetwork`."""
    networks = sorted({_network(text) for text in given}, key=lambda one: (one.version, one))
    if len(networks) > MAX_NETWORKS:
        raise BadNetwork(f"{len(networks)} networks, at most {MAX_NETWORKS}")
    return tuple(str(network) for network in networks)


def _network(text: str) -> Network:
    text = text.strip()
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise BadNetwork(
            f"{text!r} is no address or network: 192.0.2.1, 192.0.2.0/24, 2001:db8::/32"
        ) from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        inner = IPv4Address(int(network.network_address) & 0xFFFF_FFFF)
        network = IPv4Network((inner, network.prefixlen - 96))
    elif "/" in text and str(network.network_address) != str(ip_address(text.partition("/")[0])):
        raise BadNetwork(f"{text} has bits beyond its prefix: did you mean {network}?")
    return network


class AllowList:
    """Networks whose addresses are let in."""

    def __init__(self, networks: Sequence[str]) -> None:
        """`networks`: as `check_networks` returned them."""
        self._networks = tuple(ip_network(one) for one in networks)
        self._known: dict[str, bool] = {}

    def allows(self, address: str) -> bool:
        """Whether `address` is in one of the networks; what is no address is not."""
        known = self._known.get(address)
        if known is None:
            parsed = parse_address(address)
            known = parsed is not None and any(parsed in network for network in self._networks)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[address] = known
        return known
