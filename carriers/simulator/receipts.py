"""Receipts as the carrier writes them: SMPP 3.4 appendix B text, and TLVs."""

from datetime import UTC, datetime
from functools import lru_cache

from carriers.simulator.record import Pending
from carriers.smpp.codec import frame
from carriers.smpp.layout import LAYOUTS, write_tlvs
from carriers.smpp.pdu import DeliverSm
from carriers.smpp.vocabulary import CommandId, MessageType, Tag

_LAYOUT = LAYOUTS[DeliverSm]
_DELIVER_SM = int(CommandId.DELIVER_SM)


class ReceiptEncoder:
    """Encodes receipts; equal to `encode` of the whole `deliver_sm`, and several times faster.

    Addresses are the message's, swapped. They were read from a submit_sm, so they fit.
    """

    def __init__(self, *, tlvs: bool) -> None:
        """With `tlvs`, receipted_message_id and message_state stand beside the text."""
        template = DeliverSm(source_addr_ton=1, source_addr_npi=1, esm_class=MessageType.RECEIPT)
        self._tlvs = tlvs
        self._head = _LAYOUT.write(template, until="source_addr")
        self._middle = b"\0" + _LAYOUT.write(template, first="dest_addr_ton", until="destination_addr")
        self._tail = b"\0" + _LAYOUT.write(template, first="esm_class", until="short_message")

    def encode(self, sequence: int, pending: Pending, message_id: str, at: float) -> bytes:
        """Return the deliver_sm that tells, at unix time `at`, how a message ended."""
        outcome = pending.outcome
        text = (
            f"id:{message_id} sub:001 dlvrd:{outcome.delivered} "
            f"submit date:{_minute(pending.submitted_at // 60)} done date:{_minute(at // 60)} "
            f"stat:{outcome.stat} err:{outcome.error} text:"
        ).encode("ascii")
        body = (
            self._head
            + pending.destination.encode("latin-1")
            + self._middle
            + pending.source.encode("latin-1")
            + self._tail
            + bytes((len(text),))
            + text
        )
        if self._tlvs:
            receipted = (Tag.RECEIPTED_MESSAGE_ID, message_id.encode("ascii") + b"\0")
            body += write_tlvs((receipted, (Tag.MESSAGE_STATE, bytes((outcome.number,)))))
        return frame(_DELIVER_SM, 0, sequence, body)


@lru_cache(maxsize=4096)
def _minute(minutes: float) -> str:
    """Write a time, in whole minutes since 1970, as YYMMDDhhmm UTC."""
    return datetime.fromtimestamp(minutes * 60, UTC).strftime("%y%m%d%H%M")
