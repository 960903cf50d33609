"""Reading single TLVs. One of a wrong length reads as absent; the PDU is not lost for it."""

from carriers.smpp.pdu import DataSm, DeliverSm, Pdu, SubmitMulti, SubmitSm
from carriers.smpp.vocabulary import Tag


def tlv_bytes(pdu: Pdu, tag: int) -> bytes | None:
    """Return the value of the first TLV with `tag`, or None."""
    for found, value in pdu.tlvs:
        if found == tag:
            return value
    return None


def tlv_int(pdu: Pdu, tag: int, size: int = 1) -> int | None:
    """Return the integer in the first TLV with `tag`, None if it is absent or not `size` octets long."""
    value = tlv_bytes(pdu, tag)
    return int.from_bytes(value, "big") if value is not None and len(value) == size else None


def user_data(pdu: SubmitSm | SubmitMulti | DeliverSm | DataSm) -> bytes:
    """Return the octets of the text: short_message, or message_payload where short_message is empty.

    Using both is forbidden (§5.3.2.32); a peer that does so is read by its short_message.
    """
    if not isinstance(pdu, DataSm) and pdu.short_message:
        return pdu.short_message
    return tlv_bytes(pdu, Tag.MESSAGE_PAYLOAD) or b""
