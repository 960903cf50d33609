"""Action → what it takes, what it does, and whether it changes anything. The one table of the API."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gateway.api.scloud.batch import BATCH, send_batch
from gateway.api.scloud.call import Call
from gateway.api.scloud.queries import PROJECTS, RECEIPTS, project_list, send_receipts
from gateway.api.scloud.schema import Schema
from gateway.api.scloud.send import SEND, send_message
from gateway.flow.replay import Answer


@dataclass(frozen=True, slots=True)
class Action:
    """One operation of the API."""

    schema: Schema
    handle: Callable[[Call], Awaitable[Answer]]
    changes: bool  # repeated requests get the first one's answer


ACTIONS: Mapping[str, Action] = {
    "SendUSMSMessage": Action(SEND, send_message, changes=True),
    "SendBatchUSMSMessage": Action(BATCH, send_batch, changes=True),
    "GetUSMSSendReceipt": Action(RECEIPTS, send_receipts, changes=False),
    "GetProjectList": Action(PROJECTS, project_list, changes=False),
}
