"""The client's address: believed as far as trusted proxies wrote it."""

from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.web.address import ClientAddress


def address(trusted: tuple[str, ...], remote: str, *forwarded: str) -> str:
    transport = Mock()
    transport.get_extra_info.side_effect = lambda key, default=None: (
        (remote, 1) if key == "peername" else default
    )
    request = make_mocked_request("GET", "/", headers=None, transport=transport)
    headers = request.headers.copy()
    for value in forwarded:
        headers.add("X-Forwarded-For", value)
    return ClientAddress(trusted).of(request.clone(headers=headers))


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
        (("::1",), "::1", ("2001:db8::7",), "2001:db8::7"),
    ],
)
def test_the_last_hop_that_is_not_trusted(
    trusted: tuple[str, ...], remote: str, forwarded: tuple[str, ...], expected: str
) -> None:
    assert address(trusted, remote, *forwarded) == expected


def test_a_bad_network_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="proxy"):
        ClientAddress(("proxy.example",))
