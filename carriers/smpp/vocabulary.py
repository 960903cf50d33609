"""The words of SMPP as enums. Numbers come from `smpplib.consts`; only what 5.0 added is written here."""

from enum import IntEnum, IntFlag

from smpplib import consts
from smpplib.command_codes import commands

RESPONSE_BIT = 0x8000_0000
SEQUENCE_MAX = 0x7FFF_FFFF  # §5.1.4
VERSION_34: int = consts.SMPP_VERSION_34


class CommandId(IntEnum):
    """§5.1.2.1 command_id."""

    GENERIC_NACK = commands["generic_nack"]
    BIND_RECEIVER = commands["bind_receiver"]
    BIND_RECEIVER_RESP = commands["bind_receiver_resp"]
    BIND_TRANSMITTER = commands["bind_transmitter"]
    BIND_TRANSMITTER_RESP = commands["bind_transmitter_resp"]
    QUERY_SM = commands["query_sm"]
    QUERY_SM_RESP = commands["query_sm_resp"]
    SUBMIT_SM = commands["submit_sm"]
    SUBMIT_SM_RESP = commands["submit_sm_resp"]
    DELIVER_SM = commands["deliver_sm"]
    DELIVER_SM_RESP = commands["deliver_sm_resp"]
    UNBIND = commands["unbind"]
    UNBIND_RESP = commands["unbind_resp"]
    REPLACE_SM = commands["replace_sm"]
    REPLACE_SM_RESP = commands["replace_sm_resp"]
    CANCEL_SM = commands["cancel_sm"]
    CANCEL_SM_RESP = commands["cancel_sm_resp"]
    BIND_TRANSCEIVER = commands["bind_transceiver"]
    BIND_TRANSCEIVER_RESP = commands["bind_transceiver_resp"]
    OUTBIND = commands["outbind"]
    ENQUIRE_LINK = commands["enquire_link"]
    ENQUIRE_LINK_RESP = commands["enquire_link_resp"]
    SUBMIT_MULTI = commands["submit_multi"]
    SUBMIT_MULTI_RESP = commands["submit_multi_resp"]
    ALERT_NOTIFICATION = commands["alert_notification"]
    DATA_SM = commands["data_sm"]
    DATA_SM_RESP = commands["data_sm_resp"]


class CommandStatus(IntEnum):
    """§5.1.3 command_status; a peer may send any other number too, so PDUs carry plain ints."""

    ROK = consts.SMPP_ESME_ROK
    RINVMSGLEN = consts.SMPP_ESME_RINVMSGLEN
    RINVCMDLEN = consts.SMPP_ESME_RINVCMDLEN
    RINVCMDID = consts.SMPP_ESME_RINVCMDID
    RINVBNDSTS = consts.SMPP_ESME_RINVBNDSTS
    RALYBND = consts.SMPP_ESME_RALYBND
    RINVPRTFLG = consts.SMPP_ESME_RINVPRTFLG
    RINVREGDLVFLG = consts.SMPP_ESME_RINVREGDLVFLG
    RSYSERR = consts.SMPP_ESME_RSYSERR
    RINVSRCADR = consts.SMPP_ESME_RINVSRCADR
    RINVDSTADR = consts.SMPP_ESME_RINVDSTADR
    RINVMSGID = consts.SMPP_ESME_RINVMSGID
    RBINDFAIL = consts.SMPP_ESME_RBINDFAIL
    RINVPASWD = consts.SMPP_ESME_RINVPASWD
    RINVSYSID = consts.SMPP_ESME_RINVSYSID
    RCANCELFAIL = consts.SMPP_ESME_RCANCELFAIL
    RREPLACEFAIL = consts.SMPP_ESME_RREPLACEFAIL
    RMSGQFUL = consts.SMPP_ESME_RMSGQFUL
    RINVSERTYP = consts.SMPP_ESME_RINVSERTYP
    RINVNUMDESTS = consts.SMPP_ESME_RINVNUMDESTS
    RINVDLNAME = consts.SMPP_ESME_RINVDLNAME
    RINVDESTFLAG = consts.SMPP_ESME_RINVDESTFLAG
    RINVSUBREP = consts.SMPP_ESME_RINVSUBREP
    RINVESMCLASS = consts.SMPP_ESME_RINVESMCLASS
    RCNTSUBDL = consts.SMPP_ESME_RCNTSUBDL
    RSUBMITFAIL = consts.SMPP_ESME_RSUBMITFAIL
    RINVSRCTON = consts.SMPP_ESME_RINVSRCTON
    RINVSRCNPI = consts.SMPP_ESME_RINVSRCNPI
    RINVDSTTON = consts.SMPP_ESME_RINVDSTTON
    RINVDSTNPI = consts.SMPP_ESME_RINVDSTNPI
    RINVSYSTYP = consts.SMPP_ESME_RINVSYSTYP
    RINVREPFLAG = consts.SMPP_ESME_RINVREPFLAG
    RINVNUMMSGS = consts.SMPP_ESME_RINVNUMMSGS
    RTHROTTLED = consts.SMPP_ESME_RTHROTTLED
    RINVSCHED = consts.SMPP_ESME_RINVSCHED
    RINVEXPIRY = consts.SMPP_ESME_RINVEXPIRY
    RINVDFTMSGID = consts.SMPP_ESME_RINVDFTMSGID
    RX_T_APPN = consts.SMPP_ESME_RX_T_APPN
    RX_P_APPN = consts.SMPP_ESME_RX_P_APPN
    RX_R_APPN = consts.SMPP_ESME_RX_R_APPN
    RQUERYFAIL = consts.SMPP_ESME_RQUERYFAIL
    RINVOPTPARSTREAM = consts.SMPP_ESME_RINVOPTPARSTREAM
    ROPTPARNOTALLWD = consts.SMPP_ESME_ROPTPARNOTALLWD
    RINVPARLEN = consts.SMPP_ESME_RINVPARLEN
    RMISSINGOPTPARAM = consts.SMPP_ESME_RMISSINGOPTPARAM
    RINVOPTPARAMVAL = consts.SMPP_ESME_RINVOPTPARAMVAL
    RDELIVERYFAILURE = consts.SMPP_ESME_RDELIVERYFAILURE
    RUNKNOWNERR = consts.SMPP_ESME_RUNKNOWNERR
    # SMPP 5.0 §4.7.6
    RSERTYPUNAUTH = 0x100
    RPROHIBITED = 0x101
    RSERTYPUNAVAIL = 0x102
    RSERTYPDENIED = 0x103
    RINVDCS = 0x104
    RINVSRCADDRSUBUNIT = 0x105
    RINVDSTADDRSUBUNIT = 0x106
    RINVBCASTFREQINT = 0x107
    RINVBCASTALIAS_NAME = 0x108
    RINVBCASTAREAFMT = 0x109
    RINVNUMBCAST_AREAS = 0x10A
    RINVBCASTCNTTYPE = 0x10B
    RINVBCASTMSGCLASS = 0x10C
    RBCASTFAIL = 0x10D
    RBCASTQUERYFAIL = 0x10E
    RBCASTCANCELFAIL = 0x10F
    RINVBCAST_REP = 0x110
    RINVBCASTSRVGRP = 0x111
    RINVBCASTCHANIND = 0x112


# §5.3.2: an enum made from the vocabulary would hide its members from readers and type checkers, so the tags
# the gateway itself reads or writes are named; all the others pass through as numbers, `TAG_NAMES` for logs.
class Tag(IntEnum):
    """TLV tags that mean something to us."""

    ADDITIONAL_STATUS_INFO_TEXT = consts.OPTIONAL_PARAMS["additional_status_info_text"]
    RECEIPTED_MESSAGE_ID = consts.OPTIONAL_PARAMS["receipted_message_id"]
    USER_MESSAGE_REFERENCE = consts.OPTIONAL_PARAMS["user_message_reference"]
    SAR_MSG_REF_NUM = consts.OPTIONAL_PARAMS["sar_msg_ref_num"]
    SAR_TOTAL_SEGMENTS = consts.OPTIONAL_PARAMS["sar_total_segments"]
    SAR_SEGMENT_SEQNUM = consts.OPTIONAL_PARAMS["sar_segment_seqnum"]
    SC_INTERFACE_VERSION = consts.OPTIONAL_PARAMS["sc_interface_version"]
    MS_AVAILABILITY_STATUS = consts.OPTIONAL_PARAMS["ms_availability_status"]
    NETWORK_ERROR_CODE = consts.OPTIONAL_PARAMS["network_error_code"]
    MESSAGE_PAYLOAD = consts.OPTIONAL_PARAMS["message_payload"]
    DELIVERY_FAILURE_REASON = consts.OPTIONAL_PARAMS["delivery_failure_reason"]
    MESSAGE_STATE = consts.OPTIONAL_PARAMS["message_state"]
    CONGESTION_STATE = 0x0428  # SMPP 5.0 §4.8.4.18
    ALERT_ON_MESSAGE_DELIVERY = consts.OPTIONAL_PARAMS["alert_on_message_delivery"]


TAG_NAMES: dict[int, str] = {tag: name for name, tag in consts.OPTIONAL_PARAMS.items()}


class Ton(IntEnum):
    """§5.2.5 addr_ton: what kind of number an address is."""

    UNKNOWN = consts.SMPP_TON_UNK
    INTERNATIONAL = consts.SMPP_TON_INTL
    NATIONAL = consts.SMPP_TON_NATNL
    ALPHANUMERIC = consts.SMPP_TON_ALNUM


class Npi(IntEnum):
    """§5.2.6 addr_npi: by which plan an address is numbered."""

    UNKNOWN = consts.SMPP_NPI_UNK
    ISDN = consts.SMPP_NPI_ISDN


class MessageType(IntEnum):
    """§5.2.12 esm_class bits 5-2: what kind of message this is, whatever the other bits say."""

    NORMAL = 0x00
    RECEIPT = 0x04  # SMSC delivery receipt
    DELIVERY_ACK = consts.SMPP_MSGTYPE_DELIVERYACK  # the handset's application acknowledges
    USER_ACK = consts.SMPP_MSGTYPE_USERACK
    CONVERSATION_ABORT = 0x18
    INTERMEDIATE = 0x20  # intermediate delivery notification


class EsmClass(IntFlag):
    """§5.2.12 esm_class: masks and feature bits."""

    MODE_MASK = 0x03
    TYPE_MASK = 0x3C
    UDHI = consts.SMPP_GSMFEAT_UDHI
    REPLY_PATH = consts.SMPP_GSMFEAT_REPLYPATH


class RegisteredDelivery(IntFlag):
    """§5.2.17 registered_delivery: which reports are asked for."""

    NONE = consts.SMPP_SMSC_DELIVERY_RECEIPT_NONE
    RECEIPT = consts.SMPP_SMSC_DELIVERY_RECEIPT_BOTH  # success and failure
    RECEIPT_ON_FAILURE = consts.SMPP_SMSC_DELIVERY_RECEIPT_FAILURE
    RECEIPT_ON_SUCCESS = 0x03  # SMPP 5.0 §4.7.21; reserved in 3.4
    RECEIPT_MASK = consts.SMPP_SMSC_DELIVERY_RECEIPT_BITMASK
    DELIVERY_ACK = consts.SMPP_SME_ACK_DELIVERY
    USER_ACK = consts.SMPP_SME_ACK_MANUAL
    INTERMEDIATE = consts.SMPP_INT_NOTIFICATION_REQUESTED


def message_type(esm_class: int) -> int:
    """Return the message type bits; compare with `MessageType`, reserved values are returned as they are."""
    return esm_class & 0x3C


def has_user_data_header(esm_class: int) -> bool:
    """Return whether the user data begins with a header (UDHI)."""
    return bool(esm_class & 0x40)


def wants_receipt(registered_delivery: int, *, delivered: bool) -> bool:
    """Return whether a final receipt is asked for an end that was, or was not, a delivery."""
    asked = registered_delivery & 0x03
    if asked == RegisteredDelivery.RECEIPT_ON_FAILURE:
        return not delivered
    if asked == RegisteredDelivery.RECEIPT_ON_SUCCESS:
        return delivered
    return asked == RegisteredDelivery.RECEIPT
