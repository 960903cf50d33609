"""Action → what it takes, what it does, and whether it changes anything. The one table of the API."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gateway.api.scloud.batch import BATCH, send_batch
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


@dataclass(frozen=True, slots=True)
class Action:
    """One operation of the API."""

    schema: Schema
    handle: Callable[[Call], Awaitable[Answer]]
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
        RetCode.VARIABLE_INVALID,
    }
)
_PLAIN = frozenset({RetCode.PARAMETER_MISSING, RetCode.PARAMETER_FORMAT, RetCode.PARAMETER_INVALID})

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
    "GetProjectList": Action(PROJECTS, project_list, changes=False, codes=frozenset()),
}
