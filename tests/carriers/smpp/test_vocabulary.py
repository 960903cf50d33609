"""The bit fields of a message."""

import pytest

from carriers.smpp.vocabulary import (
    EsmClass,
    MessageType,
    RegisteredDelivery,
    has_user_data_header,
    message_type,
    wants_receipt,
)


@pytest.mark.parametrize("others", [0x00, 0x40, 0x80, 0xC0, 0x03, 0xC3])
@pytest.mark.parametrize("kind", MessageType)
def test_t67_the_message_type_is_read_whatever_the_other_bits_say(kind: MessageType, others: int) -> None:
    assert message_type(kind | others) == kind
    assert has_user_data_header(kind | others) == bool(others & 0x40)
    assert bool((kind | others) & EsmClass.REPLY_PATH) == bool(others & 0x80)
    assert (kind | others) & EsmClass.MODE_MASK == others & 0x03


def test_t67_a_receipt_with_a_header_is_a_receipt() -> None:
    assert message_type(0x44) == MessageType.RECEIPT


def test_t67_reserved_types_are_no_receipts() -> None:
    known = {int(kind) for kind in MessageType}
    for esm_class in range(256):
        if message_type(esm_class) not in known:
            assert message_type(esm_class) != MessageType.RECEIPT


@pytest.mark.parametrize(
    ("bits", "on_success", "on_failure"),
    [(0, False, False), (1, True, True), (2, False, True), (3, True, False)],
)
def test_t69_who_asked_for_which_receipt_gets_that_one(bits: int, on_success: bool, on_failure: bool) -> None:
    for others in (0x00, 0x04, 0x08, 0x10, 0x1C):
        assert wants_receipt(bits | others, delivered=True) is on_success
        assert wants_receipt(bits | others, delivered=False) is on_failure


def test_t69_acknowledgements_of_the_handset_are_bits_of_their_own() -> None:
    both = RegisteredDelivery.DELIVERY_ACK | RegisteredDelivery.USER_ACK
    assert both == 0x0C
    assert not wants_receipt(both, delivered=True)
