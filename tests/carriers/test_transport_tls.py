"""T34: TLS is verified by default, and every mismatch fails with words an operator understands."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from carriers.simulator.options import SimulatorOptions
from carriers.simulator.server import Simulator
from config.schema import ChannelConfig, TlsConfig
from tests.support.upstream import channel_config, running, segments


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own and a server certificate it signed for `localhost`."""

    ca_file: str
    cert_file: str
    key_file: str


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not ca:
        names = x509.SubjectAlternativeName([x509.DNSName(subject)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _authority(folder: Path) -> Authority:
    folder.mkdir()
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    made = Authority(*(str(folder / name) for name in ("ca.pem", "server.pem", "server.key")))
    ca = _certificate("Test CA", ca_key, "Test CA", ca_key, ca=True)
    Path(made.ca_file).write_bytes(ca.public_bytes(pem))
    Path(made.cert_file).write_bytes(
        _certificate("localhost", key, "Test CA", ca_key, ca=False).public_bytes(pem)
    )
    Path(made.key_file).write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return _authority(tmp_path_factory.mktemp("tls") / "ours")


def carrier_with(authority: Authority | None) -> Simulator:
    tls = {"tls_cert": authority.cert_file, "tls_key": authority.key_file} if authority else {}
    return Simulator(SimulatorOptions(port=0, receipt_delay="0", **tls))  # type: ignore[arg-type]


def secure(port: int, **tls: object) -> ChannelConfig:
    return channel_config(port, tls=TlsConfig(enabled=True, **tls))  # type: ignore[arg-type]


async def error_of(config: ChannelConfig) -> str:
    """Return why a channel that cannot come up says it is down."""
    async with running(config, bound=False) as (channel, upstream):
        await upstream.until(lambda: bool(channel.status().links[0].last_error))
        assert not channel.up
        return channel.status().links[0].last_error


async def test_t34_a_message_travels_over_verified_tls(authority: Authority) -> None:
    async with carrier_with(authority) as carrier:
        config = secure(carrier.port, ca_file=authority.ca_file, server_name="localhost")
        async with running(config) as (channel, upstream):
            channel.submit(segments(*range(500)), time.monotonic())
            await upstream.until(lambda: len(upstream.receipts) == 500)


async def test_t34_an_unknown_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = _authority(tmp_path / "other")
    async with carrier_with(authority) as carrier:
        config = secure(carrier.port, ca_file=other.ca_file, server_name="localhost")
        assert "certificate refused" in await error_of(config)
        assert "certificate refused" in await error_of(secure(carrier.port, server_name="localhost"))


async def test_t34_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    async with carrier_with(authority) as carrier:
        config = secure(carrier.port, ca_file=authority.ca_file)  # the host is 127.0.0.1
        assert "certificate refused" in await error_of(config)


async def test_t34_verification_can_only_be_switched_off_by_name(authority: Authority) -> None:
    async with (
        carrier_with(authority) as carrier,
        running(secure(carrier.port, verify=False)) as (channel, _),
    ):
        assert channel.up


async def test_t34_tls_to_a_plain_port_fails_clearly() -> None:
    async with carrier_with(None) as carrier:
        assert "TLS" in await error_of(secure(carrier.port))


async def test_t34_plain_to_a_tls_port_fails_clearly(authority: Authority) -> None:
    async with carrier_with(authority) as carrier:
        assert "TLS" in await error_of(channel_config(carrier.port))


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    assert missing in await error_of(secure(1, ca_file=missing))


async def test_t34_a_tls_alert_instead_of_smpp_is_recognised() -> None:
    class Alerting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.write(bytes.fromhex("15030100020246"))  # type: ignore[attr-defined]

    server = await asyncio.get_running_loop().create_server(Alerting, "127.0.0.1", 0)
    async with server:
        error = await error_of(channel_config(server.sockets[0].getsockname()[1]))
        assert error == "the peer speaks TLS, the channel is set to plain TCP"
