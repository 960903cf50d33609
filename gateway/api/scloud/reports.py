"""PullUSMSReport: final reports, fetched instead of called back."""

import re

import orjson

from gateway.api.scloud.call import Call, encode
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.schema import Schema
from gateway.api.scloud.values import whole
from gateway.flow.replay import Answer

REPORTS = Schema(texts=("Limit", "ReqUuid"))
MOST, ORDINARY = 200, 100  # reports of one answer

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)


async def pull_report(call: Call) -> Answer:
    """Answer with the oldest reports that wait; they are not given out again.

    Every poll is signed alike, so it cannot be told from a repetition of the one before, and each gets
    reports of its own. A client that sends a `ReqUuid` of its own can repeat that request safely.
    """
    texts = call.bound.texts
    limit = whole("Limit", texts["Limit"], 1, MOST) if texts["Limit"] else ORDINARY
    given = texts["ReqUuid"]
    if given and _UUID.fullmatch(given) is None:
        raise Refusal(RetCode.PARAMETER_FORMAT, "ReqUuid is no UUID")
    if not call.account.pull_reports:
        raise Refusal(RetCode.ACTION_FORBIDDEN, "pulling reports is not switched on for this account")

    async def pull() -> Answer:
        repeatable = call.request_key if given else None
        found = await call.services.records.pull(call.account.id, limit, repeatable)
        body = encode(
            call,
            RetCode.OK,
            "pull success",
            ReqUuid=given or call.request_id,
            ReportSet=[orjson.Fragment(item) for item in found],
        )
        return Answer(body, RetCode.OK, stored=bool(found and given))

    if not given:
        return await pull()
    return await call.services.replay.once(call.request_key, pull)
