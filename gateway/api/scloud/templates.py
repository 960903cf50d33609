"""CreateUSMSTemplate, QueryUSMSTemplate, UpdateUSMSTemplate, DeleteUSMSTemplate."""

from functools import partial

from gateway.api.scloud.call import Call, done
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.fields import integer, one_of, truth, words
from gateway.api.scloud.handin import by, changed, ids, owner, performed
from gateway.api.scloud.schema import Schema
from gateway.domain.message import Purpose
from gateway.domain.review import Kind
from gateway.flow.replay import Answer
from gateway.store import applications
from gateway.store.applications import MAX_NAME, MAX_TEMPLATE, TemplateForm

MAX_CREATED = 500  # characters; an update may have 600
MAX_REMARK = 128
PURPOSES = range(1, 4)
MAX_INSTRUCTION = 1000
OPT_OUT = ("拒收请回复R",)
MISSING = RetCode.TEMPLATE_NOT_APPROVED

CREATE = Schema(
    texts=(
        "Purpose",
        "TemplateName",
        "Template",
        "International",
        "Remark",
        "UnsubscribeInfo",
        "Instruction",
    ),
    required=("Purpose", "TemplateName", "Template"),
)
QUERY = Schema(texts=("TemplateId",), required=("TemplateId",))
UPDATE = Schema(
    texts=("TemplateId", "Template", "TemplateName", "Remark", "Instruction"),
    required=("TemplateId", "Template"),
)
DELETE = Schema(lists=("TemplateIds",), required=("TemplateIds",))


async def create(call: Call) -> Answer:
    """Take a template into review."""
    texts = call.bound.texts
    form = TemplateForm(
        purpose=Purpose(integer(texts, "Purpose", PURPOSES)),
        name=words(texts, "TemplateName", MAX_NAME),
        text=_text(texts["Template"], MAX_CREATED),
        international=truth(texts, "International"),
        unsubscribe=_opt_out(call),
        remark=words(texts, "Remark", MAX_REMARK),
        instruction=words(texts, "Instruction", MAX_INSTRUCTION),
    )
    work = partial(applications.create_template, owner=owner(call), form=form, by=by(call))
    made = await performed(call.services.reviews.change(work))
    return changed(call, TemplateId=made)


async def query(call: Call) -> Answer:
    """Answer with a template and where its review stands."""
    work = partial(applications.find_template, owner=owner(call), template_id=call.bound.texts["TemplateId"])
    row = await performed(call.services.reviews.ask(work), MISSING)
    data = {
        "TemplateId": row.id,
        "Purpose": row.purpose,
        "TemplateName": row.name,
        "Template": row.text,
        "UnsubscribeInfo": row.unsubscribe,
        "Status": row.status,
        "Remark": row.remark,
        "ErrDesc": row.reason,
        "CreateTime": row.created_at // 1000,
        "Instruction": row.instruction,
    }
    return done(call, "", Data=data)


async def update(call: Call) -> Answer:
    """Change a template; another text goes into review anew, another name does not."""
    texts = call.bound.texts
    changes = {
        "text": _text(texts["Template"], MAX_TEMPLATE),
        "name": words(texts, "TemplateName", MAX_NAME),
        "remark": words(texts, "Remark", MAX_REMARK),
        "instruction": words(texts, "Instruction", MAX_INSTRUCTION),
    }
    work = partial(
        applications.update_template,
        owner=owner(call),
        template_id=texts["TemplateId"],
        changes=changes,
        by=by(call),
    )
    await performed(call.services.reviews.change(work), MISSING)
    return changed(call)


async def delete(call: Call) -> Answer:
    """Delete templates, all or none."""
    work = partial(
        applications.delete, owner=owner(call), kind=Kind.TEMPLATE, ids=ids(call, "TemplateIds"), by=by(call)
    )
    await performed(call.services.reviews.change(work), MISSING)
    return changed(call)


def _text(text: str, longest: int) -> str:
    if len(text) > longest:
        raise Refusal(RetCode.PARAMETER_INVALID, f"Template has {len(text)} characters, at most {longest}")
    return text


def _opt_out(call: Call) -> str:
    """Return what a promotion ends with; other purposes have none, whatever was sent."""
    texts = call.bound.texts
    if texts["Purpose"].strip() != str(int(Purpose.PROMOTION)):
        return ""
    if not texts["UnsubscribeInfo"]:
        if truth(texts, "International"):
            return ""
        raise Refusal(RetCode.PARAMETER_MISSING, "UnsubscribeInfo")
    return one_of(texts, "UnsubscribeInfo", OPT_OUT)
