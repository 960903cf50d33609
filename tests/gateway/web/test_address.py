"""The client's address: believed as far as trusted proxies wrote it."""

import pytest

from gateway.web.address import ClientAddress


@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "expected"),
    [
        ((), "10.0.0.1", ("203.0.113.9",), "10.0.0.1"),
        (("10.0.0.0/8",), "198.51.100.1", ("203.0.113.9",), "198.51.100.1"),
        (("10.0.0.0/8",), "10.0.0.1", ("203.0.113.9",), "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.1", ("1.2.3.4, 203.0.113.9, 10.0.0.2",), "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.1", ("1.2.3.4", "203.0.113.9"), "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.1", (), "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", ("rubbish",), "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", ("203.0.113.9, rubbish",), "10.0.0.1"),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", ("::ffff:203.0.113.9",), "::ffff:203.0.113.9"),
        (("::1",), "::1", ("2001:db8::7",), "2001:db8::7"),
    ],
)
def test_the_last_hop_that_is_not_trusted(
    trusted: tuple[str, ...], remote: str, forwarded: tuple[str, ...], expected: str
) -> None:
    assert ClientAddress(trusted).of(remote, forwarded) == expected


def test_a_bad_network_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="proxy"):
        ClientAddress(("proxy.example",))


def test_memory_does_not_grow_with_the_clients() -> None:
    known = ClientAddress(("10.0.0.0/8",))
    for number in range(10_000):
        client = f"203.0.{number // 256}.{number % 256}"
        assert known.of("10.0.0.1", (client,)) == client
    assert len(known._known) <= 1_024


@pytest.mark.parametrize(
    ("trusted", "forwarded", "scheme", "expected"),
    [
        ((), "https", "http", False),
        ((), "", "https", True),
        (("10.0.0.0/8",), "https", "http", True),
        (("10.0.0.0/8",), " HTTPS ", "http", True),
        (("10.0.0.0/8",), "http", "http", False),
        (("10.0.0.0/8",), "", "http", False),
        (("192.0.2.0/24",), "https", "http", False),
    ],
)
def test_only_a_trusted_proxy_says_that_the_client_speaks_tls(
    trusted: tuple[str, ...], forwarded: str, scheme: str, expected: bool
) -> None:
    assert ClientAddress(trusted).is_https("10.0.0.1", forwarded, scheme) is expected
