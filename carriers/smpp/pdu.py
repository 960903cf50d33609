"""Every PDU of SMPP 3.4 as a dataclass. The annotations are the wire layout, in wire order (§4).

C-octet strings are `str` (latin-1, without the NUL), short_message is `bytes`, TLVs stay raw and in order:
read them with `carriers.smpp.tlv`. Header fields are keyword-only.
"""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from carriers.smpp.vocabulary import VERSION_34, CommandId, CommandStatus
from carriers.smpp.wire import (
    CString,
    Destination,
    Destinations,
    FailedAddress,
    Octet,
    ShortMessage,
    Unsuccessful,
)

Tlvs = tuple[tuple[int, bytes], ...]

Byte = Annotated[int, Octet()]
Priority = Annotated[int, Octet(maximum=3, fault=CommandStatus.RINVPRTFLG)]
ServiceType = Annotated[str, CString(6, CommandStatus.RINVSERTYP)]
SourceAddress = Annotated[str, CString(21, CommandStatus.RINVSRCADR)]
DESTINATION_ADDRESS = CString(21, CommandStatus.RINVDSTADR)
DestinationAddress = Annotated[str, DESTINATION_ADDRESS]
LongSourceAddress = Annotated[str, CString(65, CommandStatus.RINVSRCADR)]
LongDestinationAddress = Annotated[str, CString(65, CommandStatus.RINVDSTADR)]
ScheduleTime = Annotated[str, CString(17, CommandStatus.RINVSCHED)]
ValidityTime = Annotated[str, CString(17, CommandStatus.RINVEXPIRY)]
FinalDate = Annotated[str, CString(17)]
MessageId = Annotated[str, CString(65, CommandStatus.RINVMSGID)]
SystemId = Annotated[str, CString(16, CommandStatus.RINVSYSID)]
Password = Annotated[str, CString(9, CommandStatus.RINVPASWD)]
SystemType = Annotated[str, CString(13, CommandStatus.RINVSYSTYP)]
AddressRange = Annotated[str, CString(41)]
UserData = Annotated[bytes, ShortMessage()]


@dataclass(slots=True)
class Pdu:
    """What all PDUs share; `tlvs` keeps unknown ones, duplicates and their order."""

    command_id: ClassVar[CommandId]

    tlvs: Tlvs = field(default=(), kw_only=True)
    sequence: int = field(default=0, kw_only=True)


@dataclass(slots=True)
class Request(Pdu):
    """A PDU that asks; `response_id` names the one that answers, None if there is none."""

    response_id: ClassVar[CommandId | None] = None


@dataclass(slots=True)
class Response(Pdu):
    """A PDU that answers; `sequence` is the request's."""

    bare_on_error: ClassVar[bool] = False  # the body is left out when `status` is not 0
    status: int = field(default=0, kw_only=True)


@dataclass(slots=True)
class Bind(Request):
    """The fields of the three binds, §4.1."""

    system_id: SystemId = ""
    password: Password = field(default="", repr=False)
    system_type: SystemType = ""
    interface_version: Byte = VERSION_34
    addr_ton: Byte = 0
    addr_npi: Byte = 0
    address_range: AddressRange = ""


@dataclass(slots=True)
class BindTransmitter(Bind):
    """bind_transmitter, §4.1.1."""

    command_id = CommandId.BIND_TRANSMITTER
    response_id = CommandId.BIND_TRANSMITTER_RESP


@dataclass(slots=True)
class BindReceiver(Bind):
    """bind_receiver, §4.1.3."""

    command_id = CommandId.BIND_RECEIVER
    response_id = CommandId.BIND_RECEIVER_RESP


@dataclass(slots=True)
class BindTransceiver(Bind):
    """bind_transceiver, §4.1.5."""

    command_id = CommandId.BIND_TRANSCEIVER
    response_id = CommandId.BIND_TRANSCEIVER_RESP


@dataclass(slots=True)
class BindResp(Response):
    """The fields of the three bind responses; TLV sc_interface_version may follow."""

    bare_on_error = True
    system_id: SystemId = ""


@dataclass(slots=True)
class BindTransmitterResp(BindResp):
    """bind_transmitter_resp, §4.1.2."""

    command_id = CommandId.BIND_TRANSMITTER_RESP


@dataclass(slots=True)
class BindReceiverResp(BindResp):
    """bind_receiver_resp, §4.1.4."""

    command_id = CommandId.BIND_RECEIVER_RESP


@dataclass(slots=True)
class BindTransceiverResp(BindResp):
    """bind_transceiver_resp, §4.1.6."""

    command_id = CommandId.BIND_TRANSCEIVER_RESP


@dataclass(slots=True)
class Outbind(Request):
    """outbind, §4.1.7: the SMSC asks us to bind as receiver. It has no response."""

    command_id = CommandId.OUTBIND
    system_id: SystemId = ""
    password: Password = field(default="", repr=False)


@dataclass(slots=True)
class Unbind(Request):
    """unbind, §4.2.1."""

    command_id = CommandId.UNBIND
    response_id = CommandId.UNBIND_RESP


@dataclass(slots=True)
class UnbindResp(Response):
    """unbind_resp, §4.2.2."""

    command_id = CommandId.UNBIND_RESP


@dataclass(slots=True)
class GenericNack(Response):
    """generic_nack, §4.3: the answer to what could not be understood."""

    command_id = CommandId.GENERIC_NACK


@dataclass(slots=True)
class EnquireLink(Request):
    """enquire_link, §4.11.1."""

    command_id = CommandId.ENQUIRE_LINK
    response_id = CommandId.ENQUIRE_LINK_RESP


@dataclass(slots=True)
class EnquireLinkResp(Response):
    """enquire_link_resp, §4.11.2."""

    command_id = CommandId.ENQUIRE_LINK_RESP


@dataclass(slots=True)
class AlertNotification(Request):
    """alert_notification, §4.12.1: a handset is reachable again. It has no response."""

    command_id = CommandId.ALERT_NOTIFICATION
    source_addr_ton: Byte = 0
    source_addr_npi: Byte = 0
    source_addr: LongSourceAddress = ""
    esme_addr_ton: Byte = 0
    esme_addr_npi: Byte = 0
    esme_addr: LongDestinationAddress = ""


@dataclass(slots=True)
class SubmitSm(Request):
    """submit_sm, §4.4.1."""

    command_id = CommandId.SUBMIT_SM
    response_id = CommandId.SUBMIT_SM_RESP
    service_type: ServiceType = ""
    source_addr_ton: Byte = 0
    source_addr_npi: Byte = 0
    source_addr: SourceAddress = ""
    dest_addr_ton: Byte = 0
    dest_addr_npi: Byte = 0
    destination_addr: DestinationAddress = ""
    esm_class: Byte = 0
    protocol_id: Byte = 0
    priority_flag: Priority = 0
    schedule_delivery_time: ScheduleTime = ""
    validity_period: ValidityTime = ""
    registered_delivery: Byte = 0
    replace_if_present_flag: Byte = 0
    data_coding: Byte = 0
    sm_default_msg_id: Byte = 0
    short_message: UserData = b""


@dataclass(slots=True)
class SubmitSmResp(Response):
    """submit_sm_resp, §4.4.2."""

    command_id = CommandId.SUBMIT_SM_RESP
    bare_on_error = True
    message_id: MessageId = ""


@dataclass(slots=True)
class SubmitMulti(Request):
    """submit_multi, §4.5.1: up to 254 addresses and distribution lists."""

    command_id = CommandId.SUBMIT_MULTI
    response_id = CommandId.SUBMIT_MULTI_RESP
    service_type: ServiceType = ""
    source_addr_ton: Byte = 0
    source_addr_npi: Byte = 0
    source_addr: SourceAddress = ""
    destinations: Annotated[tuple[Destination, ...], Destinations()] = ()
    esm_class: Byte = 0
    protocol_id: Byte = 0
    priority_flag: Priority = 0
    schedule_delivery_time: ScheduleTime = ""
    validity_period: ValidityTime = ""
    registered_delivery: Byte = 0
    replace_if_present_flag: Byte = 0
    data_coding: Byte = 0
    sm_default_msg_id: Byte = 0
    short_message: UserData = b""


@dataclass(slots=True)
class SubmitMultiResp(Response):
    """submit_multi_resp, §4.5.2: which of the addresses failed, and why."""

    command_id = CommandId.SUBMIT_MULTI_RESP
    message_id: MessageId = ""
    unsuccess_sme: Annotated[tuple[FailedAddress, ...], Unsuccessful()] = ()


@dataclass(slots=True)
class DeliverSm(Request):
    """deliver_sm, §4.6.1: a handset's message or a delivery receipt.

    Its priority has no limit here: a receipt is worth more than the carrier's spotless flags.
    """

    command_id = CommandId.DELIVER_SM
    response_id = CommandId.DELIVER_SM_RESP
    service_type: ServiceType = ""
    source_addr_ton: Byte = 0
    source_addr_npi: Byte = 0
    source_addr: SourceAddress = ""
    dest_addr_ton: Byte = 0
    dest_addr_npi: Byte = 0
    destination_addr: DestinationAddress = ""
    esm_class: Byte = 0
    protocol_id: Byte = 0
    priority_flag: Byte = 0
    schedule_delivery_time: ScheduleTime = ""
    validity_period: ValidityTime = ""
    registered_delivery: Byte = 0
    replace_if_present_flag: Byte = 0
    data_coding: Byte = 0
    sm_default_msg_id: Byte = 0
    short_message: UserData = b""


@dataclass(slots=True)
class DeliverSmResp(Response):
    """deliver_sm_resp, §4.6.2; its message_id is unused and empty."""

    command_id = CommandId.DELIVER_SM_RESP
    message_id: MessageId = ""


@dataclass(slots=True)
class DataSm(Request):
    """data_sm, §4.7.1: the text travels in TLV message_payload; addresses may be longer."""

    command_id = CommandId.DATA_SM
    response_id = CommandId.DATA_SM_RESP
    service_type: ServiceType = ""
    source_addr_ton: Byte = 0
    source_addr_npi: Byte = 0
    source_addr: LongSourceAddress = ""
    dest_addr_ton: Byte = 0
    dest_addr_npi: Byte = 0
    destination_addr: LongDestinationAddress = ""
    esm_class: Byte = 0
    registered_delivery: Byte = 0
    data_coding: Byte = 0


@dataclass(slots=True)
class DataSmResp(Response):
    """data_sm_resp, §4.7.2; TLVs may say why delivery failed."""

    command_id = CommandId.DATA_SM_RESP
    message_id: MessageId = ""


@dataclass(slots=True)
class QuerySm(Request):
    """query_sm, §4.8.1."""

    command_id = CommandId.QUERY_SM
    response_id = CommandId.QUERY_SM_RESP
    message_id: MessageId = ""
    source_addr_ton: Byte = 0
    source_addr_npi: Byte = 0
    source_addr: SourceAddress = ""


@dataclass(slots=True)
class QuerySmResp(Response):
    """query_sm_resp, §4.8.2."""

    command_id = CommandId.QUERY_SM_RESP
    message_id: MessageId = ""
    final_date: FinalDate = ""
    message_state: Byte = 0
    error_code: Byte = 0


@dataclass(slots=True)
class CancelSm(Request):
    """cancel_sm, §4.9.1."""

    command_id = CommandId.CANCEL_SM
    response_id = CommandId.CANCEL_SM_RESP
    service_type: ServiceType = ""
    message_id: MessageId = ""
    source_addr_ton: Byte = 0
    source_addr_npi: Byte = 0
    source_addr: SourceAddress = ""
    dest_addr_ton: Byte = 0
    dest_addr_npi: Byte = 0
    destination_addr: DestinationAddress = ""


@dataclass(slots=True)
class CancelSmResp(Response):
    """cancel_sm_resp, §4.9.2."""

    command_id = CommandId.CANCEL_SM_RESP


@dataclass(slots=True)
class ReplaceSm(Request):
    """replace_sm, §4.10.1."""

    command_id = CommandId.REPLACE_SM
    response_id = CommandId.REPLACE_SM_RESP
    message_id: MessageId = ""
    source_addr_ton: Byte = 0
    source_addr_npi: Byte = 0
    source_addr: SourceAddress = ""
    schedule_delivery_time: ScheduleTime = ""
    validity_period: ValidityTime = ""
    registered_delivery: Byte = 0
    sm_default_msg_id: Byte = 0
    short_message: UserData = b""


@dataclass(slots=True)
class ReplaceSmResp(Response):
    """replace_sm_resp, §4.10.2."""

    command_id = CommandId.REPLACE_SM_RESP


@dataclass(slots=True)
class BadPdu:
    """A PDU that was framed but cannot be read, or that nobody knows. The stream is still good.

    `response_id` says what answers it with `status`: its own response, a generic_nack, or (None) nothing.
    `pdu` is a response of which the header was good: that alone settles its request.
    """

    command_id: int
    sequence: int
    status: int
    detail: str
    response_id: CommandId | None = None
    pdu: Response | None = None
