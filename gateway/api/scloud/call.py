"""One authenticated request on its way through an action, and the answers an action can give."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from config.schema import ApiSettings
from gateway.api.scloud.codes import MESSAGES, SERVICE_CODES, Refusal, RetCode
from gateway.api.scloud.schema import Bound
from gateway.clock import Clock
from gateway.domain.account import Account, Directory, Project
from gateway.domain.message import Message
from gateway.flow.accept import Accepted, Request
from gateway.flow.lists import LiveLists
from gateway.flow.papers import Papers
from gateway.flow.records import Records
from gateway.flow.replay import Answer, ReplayWindow
from gateway.flow.review import Reviews
from gateway.flow.texts import TextGuard
from gateway.live import Live
from gateway.metrics import ApiMetrics
from routing.number import NumberReader

Accept = Callable[[Request], Awaitable[Accepted]]
# account id, session numbers → the final messages of those that exist and are the account's
ReceiptReader = Callable[[str, Sequence[str]], Awaitable[Mapping[str, Sequence[Message]]]]

KeyUsed = Callable[[str, int, str], None]  # public key, unix ms, client address


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the API needs; given by the composition root."""

    directory: Live[Directory]
    accept: Accept
    receipts: ReceiptReader
    records: Records
    replay: ReplayWindow
    used: KeyUsed
    numbers: NumberReader
    reviews: Reviews
    papers: Papers
    texts: TextGuard
    lists: LiveLists
    settings: ApiSettings
    metrics: ApiMetrics
    clock: Clock


@dataclass(slots=True)
class Call:
    """Who asks for what."""

    action: str
    account: Account
    project: Project
    bound: Bound
    request_id: str
    request_key: str
    services: Services


def answered(action: str) -> str:
    """Return what an answer to `action` calls it; one of the published actions is echoed as it is."""
    return action if action == "upUSMSCustomerStatus" else f"{action}Response"


def encode(call: Call, code: RetCode, message: str, **fields: Any) -> bytes:
    """Return the JSON of an answer to `call`."""
    return orjson.dumps({"RetCode": code, "Action": answered(call.action), "Message": message, **fields})


def done(call: Call, message: str, **fields: Any) -> Answer:
    """Return the answer of an action that has read, and stored nothing."""
    return Answer(encode(call, RetCode.OK, message, **fields), RetCode.OK)


def refused(refusal: Refusal, action: str) -> Answer:
    """Return the answer to a refused request; it names `action` where the service, not the door, refused."""
    body: dict[str, Any] = {"RetCode": refusal.code}
    if action and refusal.code >= SERVICE_CODES:
        body["Action"] = answered(action)
    body["Message"] = refusal.message
    return Answer(orjson.dumps(body), refusal.code)


def partly(call: Call, **fields: Any) -> bytes:
    """Return the JSON of a batch of which something was not submitted."""
    return encode(call, RetCode.PARTLY_SUBMITTED, MESSAGES[RetCode.PARTLY_SUBMITTED], **fields)
