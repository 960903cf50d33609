"""The TLVs a channel wants beside every message, as the network file says: encoded once, chosen later."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from carriers.smpp.layout import write_tlvs
from config.schema import TlvConfig
from config.tlv import tlv_octets

Tlv = tuple[int, bytes]


def constant_tlvs(configs: Iterable[TlvConfig]) -> tuple[Tlv, ...]:
    """Return those that every message carries; raises ValueError for a value that is not of its kind."""
    return tuple(
        (config.tag, tlv_octets(config.kind, config.value))
        for config in configs
        if config.value is not None and not _varies(config)
    )


class VaryingTlvs:
    """Those that depend on the message, ready for the wire."""

    def __init__(self, configs: Iterable[TlvConfig]) -> None:
        """Raises ValueError for a value that is not of its kind."""
        self._choices = tuple(_choice(config) for config in configs if _varies(config))

    def __bool__(self) -> bool:
        return bool(self._choices)

    def octets(self, template_id: str, account_id: str) -> bytes:
        """Return them for a message of that template and account; the template's value goes first."""
        return b"".join([_chosen(choice, template_id, account_id) for choice in self._choices])


class _Choice(NamedTuple):
    templates: Mapping[str, bytes]
    accounts: Mapping[str, bytes]
    otherwise: bytes


def _varies(config: TlvConfig) -> bool:
    return bool(config.templates or config.accounts)


def _choice(config: TlvConfig) -> _Choice:
    def encoded(value: str) -> bytes:
        return write_tlvs(((config.tag, tlv_octets(config.kind, value)),))

    return _Choice(
        {id_: encoded(value) for id_, value in config.templates.items()},
        {id_: encoded(value) for id_, value in config.accounts.items()},
        b"" if config.value is None else encoded(config.value),
    )


def _chosen(choice: _Choice, template_id: str, account_id: str) -> bytes:
    found = choice.templates.get(template_id)
    return found if found is not None else choice.accounts.get(account_id, choice.otherwise)
