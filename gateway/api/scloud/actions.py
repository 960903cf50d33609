"""Action → what it takes, what it does, and whether it changes anything. The one table of the API."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gateway.api.scloud import qualifications, signatures, templates
from gateway.api.scloud.batch import BATCH, send_batch
from gateway.api.scloud.blacklist import BLACKLIST, create_blacklist
from gateway.api.scloud.call import Call
from gateway.api.scloud.codes import RetCode
from gateway.api.scloud.conversion import BACKFILL, STATUS, add_backfill, customer_status
from gateway.api.scloud.queries import PROJECTS, RECEIPTS, project_list, send_receipts
from gateway.api.scloud.reports import REPORTS, pull_report
from gateway.api.scloud.schema import Schema
from gateway.api.scloud.send import SEND, send_message
from gateway.api.scloud.statistics import (
    SEND_STATISTICS,
    TEMPLATE_STATISTICS,
    send_statistics,
    template_statistics,
)
from gateway.flow.replay import Answer

Handle = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Action:
    """One operation of the API."""

    schema: Schema
    handle: Handle
    changes: bool  # repeated requests get the first one's answer
    codes: frozenset[RetCode]  # what its own checks may answer, beside 0 and `COMMON`


# what the reading of parameters, or a store that is away, makes of any action
COMMON = frozenset(
    {RetCode.JSON_ERROR, RetCode.PARAMETER_FORMAT, RetCode.PARAMETER_INVALID, RetCode.SERVICE_FAULT}
)
_CONTENT = frozenset(
    {
        RetCode.PARAMETER_MISSING,
        RetCode.PARAMETER_FORMAT,
        RetCode.PARAMETER_INVALID,
        RetCode.BALANCE_SHORT,
        RetCode.PHONE_INVALID,
        RetCode.SIGNATURE_NOT_APPROVED,
        RetCode.TEMPLATE_NOT_APPROVED,
        RetCode.VARIABLE_COUNT,
        RetCode.TOO_MANY_NUMBERS,
        RetCode.CONTENT_BLOCKED,
        RetCode.VARIABLE_INVALID,
    }
)
_PLAIN = frozenset({RetCode.PARAMETER_MISSING, RetCode.PARAMETER_FORMAT, RetCode.PARAMETER_INVALID})

_M, _F, _I = RetCode.PARAMETER_MISSING, RetCode.PARAMETER_FORMAT, RetCode.PARAMETER_INVALID


def _changes(schema: Schema, handle: Handle, *codes: RetCode) -> Action:
    return Action(schema, handle, changes=True, codes=frozenset(codes))


def _asks(schema: Schema, handle: Handle, *codes: RetCode) -> Action:
    return Action(schema, handle, changes=False, codes=frozenset(codes))


SIGNATURES = {
    "CreateUSMSSignature": _changes(signatures.CREATE, signatures.create, _M, _F, _I),
    "QueryUSMSSignature": _asks(signatures.QUERY, signatures.query, _M, signatures.MISSING),
    "UpdateUSMSSignature": _changes(signatures.UPDATE, signatures.update, _M, _F, _I, signatures.MISSING),
    "DeleteUSMSSignature": _changes(signatures.DELETE, signatures.delete, _M, _I, signatures.MISSING),
}
TEMPLATES = {
    "CreateUSMSTemplate": _changes(templates.CREATE, templates.create, _M, _F, _I),
    "QueryUSMSTemplate": _asks(templates.QUERY, templates.query, _M, templates.MISSING),
    "UpdateUSMSTemplate": _changes(templates.UPDATE, templates.update, _M, _I, templates.MISSING),
    "DeleteUSMSTemplate": _changes(templates.DELETE, templates.delete, _M, _I, templates.MISSING),
}
QUALIFICATIONS = {
    "UploadUSMSFile": _changes(qualifications.UPLOAD, qualifications.upload, _M, _F, _I),
    "AddUSMSSignatureQualification": _changes(qualifications.ADD, qualifications.add, _M, _F, _I),
    "UpdateUSMSSignatureQualification": _changes(qualifications.UPDATE, qualifications.update, _M, _F, _I),
    "DeleteUSMSSignatureQualification": _changes(qualifications.DELETE, qualifications.delete, _M, _I),
    "GetUSMSSignatureQualification": _asks(qualifications.LIST, qualifications.list_, _M, _F, _I),
    "QueryUSMSSignatureQualification": _asks(qualifications.QUERY, qualifications.query, _M, _I),
}

ACTIONS: Mapping[str, Action] = {
    "SendUSMSMessage": Action(SEND, send_message, changes=True, codes=_CONTENT),
    "SendBatchUSMSMessage": Action(
        BATCH, send_batch, changes=True, codes=_CONTENT | {RetCode.JSON_ERROR, RetCode.PARTLY_SUBMITTED}
    ),
    "GetUSMSSendReceipt": Action(RECEIPTS, send_receipts, changes=False, codes=_PLAIN),
    "GetUSMSSendStatistics": Action(SEND_STATISTICS, send_statistics, changes=False, codes=_PLAIN),
    "GetUSMSTemplateSendStatistics": Action(
        TEMPLATE_STATISTICS, template_statistics, changes=False, codes=_PLAIN
    ),
    # what it changes is not repeated: two polls are signed alike, and each is to get reports of its own
    "PullUSMSReport": Action(
        REPORTS,
        pull_report,
        changes=False,
        codes=frozenset({RetCode.PARAMETER_FORMAT, RetCode.PARAMETER_INVALID}),
    ),
    "upUSMSCustomerStatus": Action(
        STATUS,
        customer_status,
        changes=True,
        codes=_PLAIN | {RetCode.PHONE_INVALID, RetCode.TOO_MANY_NUMBERS},
    ),
    "AddBackfill": Action(BACKFILL, add_backfill, changes=True, codes=_PLAIN | {RetCode.PHONE_INVALID}),
    "BatchCreateUSMSBlacklistPhone": Action(
        BLACKLIST,
        create_blacklist,
        changes=True,
        codes=_PLAIN | {RetCode.JSON_ERROR, RetCode.TOO_MANY_NUMBERS},
    ),
    "GetProjectList": Action(PROJECTS, project_list, changes=False, codes=frozenset()),
    **SIGNATURES,
    **TEMPLATES,
    **QUALIFICATIONS,
}
