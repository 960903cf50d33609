"""upUSMSCustomerStatus and AddBackfill: the customer tells whether its codes were used."""

import re

from gateway.api.scloud.call import Call, encode
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.numbers import MAX_NUMBERS, read_recipients
from gateway.api.scloud.queries import MAX_SESSIONS
from gateway.api.scloud.schema import Schema
from gateway.api.scloud.values import whole
from gateway.flow.replay import Answer

STATUS = Schema(
    texts=("CustomerStatus",),
    lists=("SessionNoSet", "PhoneNumbers"),
    required=("SessionNoSet", "CustomerStatus"),
)
BACKFILL = Schema(
    texts=("SendNo", "Target", "BackfillTime", "Content", "SendTime"), required=("SendNo", "Target")
)
MAX_CONTENT = 500
LAST_SECOND = 253_402_300_799  # of the year 9999

_STATUS = re.compile(r"[0-9]{1,8}", re.ASCII)
_USED = re.compile(r"0+", re.ASCII)


async def customer_status(call: Call) -> Answer:
    """Write down for whole sessions, or some of their numbers, whether what was sent was used."""
    texts, lists = call.bound.texts, call.bound.lists
    sessions = list(dict.fromkeys(lists["SessionNoSet"]))
    if len(sessions) > MAX_SESSIONS:
        raise Refusal(RetCode.PARAMETER_INVALID, f"at most {MAX_SESSIONS} SessionNoSet")
    if _STATUS.fullmatch(texts["CustomerStatus"]) is None:
        raise Refusal(RetCode.PARAMETER_FORMAT, "CustomerStatus is a number: 0 used, another not used")
    if len(lists["PhoneNumbers"]) > MAX_NUMBERS:
        raise Refusal(RetCode.TOO_MANY_NUMBERS, f"{len(lists['PhoneNumbers'])}, at most {MAX_NUMBERS}")
    phones = [one.phone for one in read_recipients(lists["PhoneNumbers"], call.services.numbers)]
    used = _USED.fullmatch(texts["CustomerStatus"]) is not None
    found = await call.services.records.tell(call.account.id, sessions, phones, used=used)
    data = [{"MessageNo": session} for session in found]
    return Answer(encode(call, RetCode.OK, "Success", Data=data), RetCode.OK, stored=bool(found))


async def add_backfill(call: Call) -> Answer:
    """Write down that a code was entered. Its text is looked at, and not kept: nothing needs it."""
    texts = call.bound.texts
    times = {
        name: texts[name] and whole(name, texts[name], 0, LAST_SECOND)
        for name in ("BackfillTime", "SendTime")
    }
    if len(texts["Content"]) > MAX_CONTENT:
        raise Refusal(RetCode.PARAMETER_INVALID, f"Content has at most {MAX_CONTENT} characters")
    phones = [one.phone for one in read_recipients([texts["Target"]], call.services.numbers)]
    used_at = int(times["BackfillTime"]) * 1000 if times["BackfillTime"] else None
    found = await call.services.records.tell(
        call.account.id, [texts["SendNo"]], phones, used=True, used_at=used_at
    )
    if not found:  # somebody else's is as unknown as none
        raise Refusal(RetCode.PARAMETER_INVALID, "SendNo: nothing was sent to Target by it")
    return Answer(encode(call, RetCode.OK, "Success"), RetCode.OK, stored=True)
