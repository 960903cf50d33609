"""Allow-lists: one form for what is given, one answer for every way to write an address."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.allowlist import AllowList, BadNetwork, check_networks, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(text: str, address: str) -> None:
    assert str(parse_address(text)) == address


@pytest.mark.parametrize(
    "text", ["", "192.0.2", "192.0.2.01", "192.0.2.1:80", "[::1]", "host.example", "１.２.３.４"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


def test_networks_are_kept_in_one_form_and_order() -> None:
    given = [" 2001:DB8::/32 ", "192.0.2.7", "10.0.0.0/8", "::ffff:192.0.2.7", "::ffff:10.0.0.0/104", "::1"]
    assert check_networks(given) == ("10.0.0.0/8", "192.0.2.7/32", "::1/128", "2001:db8::/32")
    assert check_networks([]) == ()


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("", "no address or network"),
        ("192.0.2.0/33", "no address or network"),
        ("proxy.example", "no address or network"),
        ("192.0.2.7/24", "did you mean 192.0.2.0/24"),
        ("2001:db8::1/32", "did you mean 2001:db8::/32"),
    ],
)
def test_a_bad_network_is_refused_with_the_reason(network: str, why: str) -> None:
    with pytest.raises(BadNetwork, match=why):
        check_networks(["192.0.2.1", network])


def test_there_can_be_a_hundred() -> None:
    networks = [f"192.0.2.{number}" for number in range(101)]
    assert len(check_networks(networks[:100])) == 100
    with pytest.raises(BadNetwork, match="at most 100"):
        check_networks(networks)


@given(
    network=st.ip_addresses(v=4).flatmap(
        lambda base: st.integers(0, 32).map(lambda length: ip_network((base, length), strict=False))
    ),
    address=st.ip_addresses(v=4),
)
def test_an_address_is_let_in_if_it_is_in_the_network(network: object, address: IPv4Address) -> None:
    allowed = AllowList(check_networks([str(network)]))
    inside = address in ip_network(str(network))
    assert allowed.allows(str(address)) is inside
    assert allowed.allows(f"::ffff:{address}") is inside
    assert allowed.allows(str(address)) is inside  # remembered


@given(address=st.ip_addresses())
def test_everything_is_in_the_whole(address: object) -> None:
    assert AllowList(("0.0.0.0/0", "::/0")).allows(str(address))
    assert (
        not AllowList(("0.0.0.0/0",)).allows(str(address))
        or ip_address(str(address)).version == 4
        or (getattr(address, "ipv4_mapped", None) is not None)
    )


def test_what_is_no_address_is_never_let_in() -> None:
    allowed = AllowList(("0.0.0.0/0", "::/0"))
    assert not any(allowed.allows(text) for text in ("", "unknown", "unix:/run/x"))


def test_memory_does_not_grow_with_the_addresses_that_try() -> None:
    allowed = AllowList(("192.0.2.0/24",))
    for number in range(5_000):
        assert not allowed.allows(f"10.1.{number // 256}.{number % 256}")
    assert len(allowed._known) <= 1_024
