"""Receipts as the carrier writes them: SMPP 3.4 appendix B text, and TLVs."""

from datetime import UTC, datetime
from functools import lru_cache

from carriers.simulator.record import Pending
from carriers.smpp.pdu import DeliverSm
from carriers.smpp.vocabulary import MessageType, Tag


def receipt_pdu(pending: Pending, message_id: str, at: float, *, tlvs: bool) -> DeliverSm:
    """Return the deliver_sm that tells how a message ended; addresses are the message's, swapped."""
    outcome = pending.outcome
    text = (
        f"id:{message_id} sub:001 dlvrd:{'001' if outcome.error == '000' else '000'} "
        f"submit date:{_minute(int(pending.submitted_at // 60))} done date:{_minute(int(at // 60))} "
        f"stat:{outcome.stat} err:{outcome.error} text:"
    )
    return DeliverSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=pending.destination,
        destination_addr=pending.source,
        esm_class=MessageType.RECEIPT,
        short_message=text.encode("ascii"),
        tlvs=(
            (Tag.RECEIPTED_MESSAGE_ID, message_id.encode("ascii") + b"\0"),
            (Tag.MESSAGE_STATE, bytes((outcome.number,))),
        )
        if tlvs
        else (),
    )


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    """Write a time, in minutes since 1970, as YYMMDDhhmm UTC."""
    return datetime.fromtimestamp(minutes * 60, UTC).strftime("%y%m%d%H%M")
