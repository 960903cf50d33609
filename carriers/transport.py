"""Opens TCP or TLS connections to a carrier: the only code that knows sockets and certificates."""

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

from carriers.errors import CarrierError
from config.schema import ChannelConfig, TlsConfig

P = TypeVar("P", bound=asyncio.Protocol)


class ConnectFailed(CarrierError):
    """There is no connection; the text says why in an operator's words."""


async def connect(config: ChannelConfig, make_protocol: Callable[[], P]) -> P:
    """Return a protocol connected to the channel's host, its TLS handshake done if it has one.

    Raises ConnectFailed on any failure and after `timers.connect` seconds. Certificates are read anew each
    time, so a renewed one needs no restart.
    """
    target = f"{config.host}:{config.port}"
    try:
        async with asyncio.timeout(config.timers.connect):
            context = await asyncio.to_thread(client_context, config.tls) if config.tls.enabled else None
            name = (config.tls.server_name or config.host) if context else None
            _, protocol = await asyncio.get_running_loop().create_connection(
                make_protocol, config.host, config.port, ssl=context, server_hostname=name
            )
    except TimeoutError:
        raise ConnectFailed(f"{target}: no connection within {config.timers.connect:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise ConnectFailed(f"{target}: certificate refused: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise ConnectFailed(f"{target}: TLS failed ({error.reason}); is it a TLS port?") from error
    except OSError as error:
        during = " during the TLS handshake" if config.tls.enabled else ""
        raise ConnectFailed(f"{target}: {error.strerror or error}{during}") from error
    return protocol


def client_context(tls: TlsConfig) -> ssl.SSLContext:
    """Return the context `tls` describes: chain and name verified unless it says otherwise, TLS 1.2 or newer.

    Raises ConnectFailed naming the file that cannot be used.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.ca_file:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load("ca_file", tls.ca_file, lambda: context.load_verify_locations(tls.ca_file))
    if tls.cert_file:
        cert_file = tls.cert_file
        _load("cert_file", cert_file, lambda: context.load_cert_chain(cert_file, tls.key_file))
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def server_context(cert_file: str, key_file: str) -> ssl.SSLContext:
    """Return a context that presents the certificate in `cert_file`; for the simulator's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load("certificate", cert_file, lambda: context.load_cert_chain(cert_file, key_file))
    return context


def _load(what: str, path: str, load: Callable[[], None]) -> None:
    """Run `load`, naming the file if it fails."""
    try:
        load()
    except (OSError, ssl.SSLError) as error:
        raise ConnectFailed(f"{what} {path}: {error.strerror or error}") from error
