"""What both sides settle with a bind: who may send, and whether TLVs may be used at all."""

from carriers.smpp.layout import RESPONSES
from carriers.smpp.pdu import Bind, BindReceiver, BindResp
from carriers.smpp.tlv import tlv_int
from carriers.smpp.vocabulary import VERSION_34, CommandStatus, Tag


def may_submit(bind: Bind) -> bool:
    """Return whether a session bound with `bind` may carry messages from the ESME."""
    return not isinstance(bind, BindReceiver)


def takes_tlvs(response: BindResp) -> bool:
    """Return whether the SMSC that answered with `response` may be sent TLVs (§3.4).

    One that does not tell its version is believed to be 3.4: many are and do not say so. One that names
    an earlier version is believed too.
    """
    version = tlv_int(response, Tag.SC_INTERFACE_VERSION)
    return version is None or version >= VERSION_34


def bind_response(bind: Bind, system_id: str, status: int = CommandStatus.ROK) -> BindResp:
    """Return the SMSC's answer to `bind`; a peer below 3.4 gets no TLV (§3.4)."""
    kind = RESPONSES[bind.command_id | 0x8000_0000].pdu_class
    assert issubclass(kind, BindResp)
    speaks_tlv = bind.interface_version >= VERSION_34 and status == CommandStatus.ROK
    tlvs = ((int(Tag.SC_INTERFACE_VERSION), bytes((VERSION_34,))),) if speaks_tlv else ()
    return kind(system_id, status=status, sequence=bind.sequence, tlvs=tlvs)
