"""SendBatchUSMSMessage: a text for each number; what cannot be sent is handed back beside what was."""

from dataclasses import dataclass, field
from typing import Any

from gateway.api.scloud.call import Call, encode, partly
from gateway.api.scloud.codes import MESSAGES, Refusal, RetCode
from gateway.api.scloud.content import Content, choose_content
from gateway.api.scloud.numbers import LONGEST_GIVEN
from gateway.api.scloud.schema import Schema
from gateway.api.scloud.tasks import Item, Target, read_tasks
from gateway.flow.accept import Draft, Recipient, Request
from gateway.flow.replay import Answer
from gateway.flow.unit import Then
from routing.number import Number

BATCH = Schema(texts=("TaskContent",), required=("TaskContent",))

Sorted = list[tuple[Target, Number | None]]


@dataclass(slots=True)
class Batch:
    """What becomes of the targets, gathered item by item."""

    drafts: dict[tuple[str, str], Draft] = field(default_factory=dict)  # by template and text
    seen: set[tuple[str, str, str]] = field(default_factory=set)  # number, template, text
    failed: list[dict[str, Any]] = field(default_factory=list)  # FailContent
    codes: set[RetCode] = field(default_factory=set)  # of everything that failed

    def add(self, call: Call, content: Content, target: Target, number: Number) -> None:
        """Take a target; the same text to the same number counts once.

        Raises `Refusal` 18018, 18033 or 18023.
        """
        watched: list[Then] = []
        template, text = content.template, content.text(call, target.values, (number.country,), watched)
        once = (number.digits, template.id, text)
        if once in self.seen:
            return
        self.seen.add(once)
        draft = self.drafts.get(once[1:])
        if draft is None:
            draft = self.drafts[once[1:]] = Draft(template.id, template.purpose, text, [])
        draft.watched += watched
        draft.recipients.append(Recipient(number.digits, target.phone, number.country, target.user_id))

    def fail(self, item: Item, targets: list[dict[str, Any]], details: str = "") -> None:
        """Hand back targets of `item`; `details` when the item itself is at fault."""
        self.failed.append(
            {
                "TemplateId": item.template_id,
                "SigContent": item.signature,
                "Target": targets,
                "FailureDetails": details,
            }
        )


async def send_batch(call: Call) -> Answer:
    """Accept what can be sent, in one submission, and hand back the rest."""
    batch = Batch()
    for item in read_tasks(call.bound.texts["TaskContent"]):
        _sort(call, item, batch)
    if not batch.drafts:
        return _nothing(call, batch)
    count = len(batch.seen)

    def answer(session_no: str) -> str:
        fields = {"SessionNo": session_no, "ReqUuid": call.request_id, "SuccessCount": count}
        if batch.failed:
            return partly(call, **fields, FailContent=batch.failed).decode()
        return encode(call, RetCode.OK, "submit success", **fields, FailContent=[]).decode()

    drafts = list(batch.drafts.values())
    accepted = await call.services.accept(
        Request(call.account.id, call.project.id, None, drafts, call.request_key, answer)
    )
    code = RetCode.PARTLY_SUBMITTED if batch.failed else RetCode.OK
    phones = (one.phone for draft in drafts for one in draft.recipients)
    brief = call.services.lists.index.allowed(call.account.id, call.project.id, phones)
    return Answer(accepted.answer.encode(), code, stored=True, brief=brief)


def _sort(call: Call, item: Item, batch: Batch) -> None:
    read = call.services.numbers.read
    numbers: Sorted = [
        (target, read(target.phone) if len(target.phone) <= LONGEST_GIVEN else None)
        for target in item.targets
    ]
    home = call.services.settings.default_country
    domestic = any(number is not None and number.country == home for _, number in numbers)
    try:
        content = choose_content(call.project, item.template_id, item.signature, domestic=domestic)
    except Refusal as refusal:
        batch.codes.add(refusal.code)
        batch.fail(item, [_handed_back(target) for target in item.targets], refusal.message)
        return
    failed = []
    for target, number in numbers:
        try:
            if number is None:
                raise Refusal(RetCode.PHONE_INVALID)
            batch.add(call, content, target, number)
        except Refusal as refusal:
            batch.codes.add(refusal.code)
            failed.append(_handed_back(target, refusal.message))
    if failed:
        batch.fail(item, failed)


def _handed_back(target: Target, details: str = "") -> dict[str, Any]:
    return {
        "TemplateParams": target.values,
        "Phone": target.phone,
        "ExtendCode": target.extend_code,
        "UserId": target.user_id or "",
        "FailureDetails": details,
    }


def _nothing(call: Call, batch: Batch) -> Answer:
    """Answer a batch of which nothing could be sent: its one code, or 18046 for a mixture."""
    code = batch.codes.pop() if len(batch.codes) == 1 else RetCode.PARTLY_SUBMITTED
    fields = {"ReqUuid": call.request_id, "SuccessCount": 0, "FailContent": batch.failed}
    return Answer(encode(call, code, MESSAGES[code], **fields), code)
