"""TLS contexts: strict unless told otherwise. Handshakes are tested in test_transport_tls.py."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from carriers.transport import ConnectFailed, client_context, connect
from config.schema import TlsConfig
from tests.support.upstream import QUICK, channel_config


def test_chain_and_name_are_verified_by_default() -> None:
    context = client_context(TlsConfig(enabled=True))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_only_verify_false_switches_it_off() -> None:
    context = client_context(TlsConfig(enabled=True, verify=False))
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


@pytest.mark.parametrize("setting", ["ca_file", "cert_file"])
def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "rubbish.pem"
    path.write_text("not a certificate")
    with pytest.raises(ConnectFailed, match=f"{setting} .*rubbish.pem"):
        client_context(TlsConfig(enabled=True, **{setting: str(path)}))  # type: ignore[arg-type]


async def test_a_port_nobody_listens_on_is_named() -> None:
    with pytest.raises(ConnectFailed, match=r"127\.0\.0\.1:1: "):
        await connect(channel_config(1), asyncio.Protocol)


async def test_a_handshake_that_never_ends_is_given_up() -> None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    async with server:
        timers = replace(QUICK, connect=0.05)
        port = server.sockets[0].getsockname()[1]
        config = channel_config(port, timers=timers, tls=TlsConfig(enabled=True))
        with pytest.raises(ConnectFailed, match=r"no connection within 0\.05 s"):
            await connect(config, asyncio.Protocol)
