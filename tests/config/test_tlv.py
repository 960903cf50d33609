"""A TLV's value is what its declared kind makes of it."""

import pytest

from config.schema import TlvKind
from config.tlv import tlv_octets


@pytest.mark.parametrize(
    ("kind", "text", "octets"),
    [
        (TlvKind.OCTET, "7", "07"),
        (TlvKind.SHORT, "258", "0102"),
        (TlvKind.SHORT, "0x102", "0102"),
        (TlvKind.LONG, "1", "00000001"),
        (TlvKind.CSTRING, "1101456780000012345", "3131303134353637383030303030313233343500"),
        (TlvKind.CSTRING, "", "00"),
        (TlvKind.TEXT, "1007", "31303037"),
        (TlvKind.OCTETS, "0a0b", "0a0b"),
        (TlvKind.FLAG, "", ""),
    ],
)
def test_t74_each_kind_has_its_octets(kind: TlvKind, text: str, octets: str) -> None:
    assert tlv_octets(kind, text) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (TlvKind.OCTET, "256"),
        (TlvKind.OCTET, "-1"),
        (TlvKind.SHORT, "many"),
        (TlvKind.LONG, ""),
        (TlvKind.CSTRING, "a\0b"),
        (TlvKind.TEXT, "短信"),
        (TlvKind.OCTETS, "xyz"),
        (TlvKind.FLAG, "1"),
    ],
)
def test_t74_a_value_that_is_not_of_its_kind_is_refused(kind: TlvKind, text: str) -> None:
    with pytest.raises(ValueError, match=f"is no {kind.value}"):
        tlv_octets(kind, text)


def test_t74_a_value_longer_than_a_tlv_is_refused() -> None:
    assert len(tlv_octets(TlvKind.TEXT, "x" * 65_535)) == 65_535
    with pytest.raises(ValueError, match="65536 octets"):
        tlv_octets(TlvKind.TEXT, "x" * 65_536)
