"""SendUSMSMessage: one text to many numbers."""

from gateway.api.scloud.call import Call, encode
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.content import check_extend_code, check_user_id, choose_content
from gateway.api.scloud.numbers import MAX_NUMBERS, read_recipients
from gateway.api.scloud.schema import Schema
from gateway.flow.accept import Draft, Request
from gateway.flow.replay import Answer
from gateway.flow.unit import Then

SEND = Schema(
    texts=("TemplateId", "SigContent", "ExtendCode", "UserId"),
    lists=("PhoneNumbers", "TemplateParams"),
    required=("PhoneNumbers", "TemplateId"),
)


async def send_message(call: Call) -> Answer:
    """Accept one message for each different number, all or none."""
    texts, lists = call.bound.texts, call.bound.lists
    user_id = check_user_id(texts["UserId"])
    check_extend_code(texts["ExtendCode"])
    draft = _draft(call, texts, lists)

    def answer(session_no: str) -> str:
        fields = {"SessionNo": session_no} | ({"UserId": user_id} if user_id else {})
        return encode(call, RetCode.OK, "Send success", **fields).decode()

    accepted = await call.services.accept(
        Request(call.account.id, call.project.id, user_id, [draft], call.request_key, answer)
    )
    phones = (one.phone for one in draft.recipients)
    brief = call.services.lists.index.allowed(call.account.id, call.project.id, phones)
    return Answer(accepted.answer.encode(), RetCode.OK, stored=True, brief=brief)


def _draft(call: Call, texts: dict[str, str], lists: dict[str, list[str]]) -> Draft:
    given = lists["PhoneNumbers"]
    if len(given) > MAX_NUMBERS:
        raise Refusal(RetCode.TOO_MANY_NUMBERS, f"{len(given)}, at most {MAX_NUMBERS}")
    recipients = read_recipients(given, call.services.numbers)
    home = call.services.settings.default_country
    content = choose_content(
        call.project,
        texts["TemplateId"],
        texts["SigContent"],
        domestic=any(recipient.country == home for recipient in recipients),
    )
    watched: list[Then] = []
    text = content.text(call, lists["TemplateParams"], (one.country for one in recipients), watched)
    return Draft(content.template.id, content.template.purpose, text, recipients, watched)
