"""UploadUSMSFile and Add-, Update-, Delete-, Get- and QueryUSMSSignatureQualification."""

import hashlib
from functools import partial
from typing import Any

from gateway.api.scloud.call import Call, done
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.fields import integer, one_of, optional_integer, words
from gateway.api.scloud.handin import by, changed, ids, owner, performed
from gateway.api.scloud.schema import Schema
from gateway.domain.review import Review
from gateway.flow.replay import Answer
from gateway.store import qualifications
from gateway.store.qualification_fields import FILES, TEXTS
from gateway.store.qualifications import ORDER, Wanted

MAX_WORDS = 100
MAX_PAGE, MAX_PER_PAGE = 100_000, 100
ATTRS = range(2)  # 0 own, 1 another's
SUBMITTED = range(2)  # 0 draft, 1 submit
STATUSES = range(5)
SOURCES = range(1)  # 0 qualification

UPLOAD = Schema(
    texts=("FileName", "FileContent", "Source", "FileType"), required=("FileName", "FileContent", "Source")
)
_CONTENT = (*TEXTS, *FILES)
ADD = Schema(texts=(*_CONTENT, "Attr", "Status"), required=("Name", "Attr", "Status", "HandlerPhone"))
UPDATE = Schema(
    texts=(*_CONTENT, "Attr", "Status", "QualificationId"), required=("QualificationId", "Status")
)
DELETE = Schema(lists=("QualificationIds",), required=("QualificationIds",))
LIST = Schema(
    texts=("Page", "NumPerPage", "OrderBy", "OrderType", "QualificationAttr", "Status"),
    lists=("InAccountIds",),
    required=("Page", "NumPerPage", "OrderBy", "OrderType"),
)
QUERY = Schema(texts=("QualificationId",), required=("QualificationId",))

# what QueryUSMSSignatureQualification calls the links to the files
_LINKS = {
    "CompanyCertificateFile": "certificate_file",
    "CompanyWorkScenePhotos": "work_scene_file",
    "HandlerIDCardFrontImage": "id_front_file",
    "HandlerIDCardBackImage": "id_back_file",
    "HandlerHandHeldImage": "hand_held_file",
}


async def upload(call: Call) -> Answer:
    """Store a file for a qualification to name."""
    texts = call.bound.texts
    integer(texts, "Source", SOURCES)
    papers = call.services.papers
    taken = papers.take(
        call.account.id, texts["FileContent"], name=texts["FileName"], claimed=texts["FileType"].strip()
    )
    return changed(call, FileId=await performed(taken))


async def add(call: Call) -> Answer:
    """Keep a qualification as a draft, or take it into review."""
    texts = call.bound.texts
    work = partial(
        qualifications.create,
        owner=owner(call),
        attr=integer(texts, "Attr", ATTRS),
        content=_content(call),
        submit=bool(integer(texts, "Status", SUBMITTED)),
        by=by(call),
    )
    made = await performed(call.services.reviews.change(work))
    return changed(call, QualificationId=made)


async def update(call: Call) -> Answer:
    """Change a qualification that is not approved, as a draft or into review; blanks stay as they were."""
    texts = call.bound.texts
    content: dict[str, Any] = _content(call)
    attr = optional_integer(texts, "Attr", ATTRS)
    work = partial(
        qualifications.change,
        owner=owner(call),
        qualification_id=texts["QualificationId"],
        content=content if attr is None else {**content, "Attr": attr},
        submit=bool(integer(texts, "Status", SUBMITTED)),
        by=by(call),
    )
    await performed(call.services.reviews.change(work))
    return changed(call, QualificationId=texts["QualificationId"])


async def delete(call: Call) -> Answer:
    """Delete qualifications, all or none, with what they say of persons."""
    work = partial(qualifications.delete, owner=owner(call), ids=ids(call, "QualificationIds"), by=by(call))
    await performed(call.services.reviews.change(work))
    return changed(call)


async def list_(call: Call) -> Answer:
    """Answer with a page of the account's qualifications; the first page is 0."""
    texts = call.bound.texts
    status = optional_integer(texts, "Status", STATUSES)
    wanted = Wanted(
        page=integer(texts, "Page", range(MAX_PAGE)),
        size=integer(texts, "NumPerPage", range(1, MAX_PER_PAGE + 1)),
        order_by=one_of(texts, "OrderBy", tuple(ORDER)),
        descending=one_of(texts, "OrderType", ("asc", "desc")) == "desc",
        attr=optional_integer(texts, "QualificationAttr", ATTRS),
        status=None if status is None else Review(status),
    )
    number = account_number(call.account.id)
    accounts = call.bound.lists["InAccountIds"]
    if accounts and not {call.account.id, str(number)} & set(accounts):
        return done(call, "", Total=0, Data=[])
    work = partial(qualifications.page, owner=owner(call), wanted=wanted)
    total, rows = await performed(call.services.reviews.ask(work))
    return done(call, "", Total=total, Data=[{"AccountId": number, **_listed(row)} for row in rows])


async def query(call: Call) -> Answer:
    """Answer with one qualification; its files as links that work for a while."""
    work = partial(
        qualifications.find, owner=owner(call), qualification_id=call.bound.texts["QualificationId"]
    )
    row = await performed(call.services.reviews.ask(work))
    details = {name: getattr(row, column) for name, column in TEXTS.items()}
    links = {name: call.services.papers.link(getattr(row, column)) for name, column in _LINKS.items()}
    return done(call, "", Data={**_listed(row), **details, **links, "PowerOfAttorney": ""})


def account_number(account_id: str) -> int:
    """Return the number that stands for an account where the API wants one: always the same, below 2^53."""
    return int.from_bytes(hashlib.blake2b(account_id.encode(), digest_size=6).digest())


def _content(call: Call) -> dict[str, str]:
    texts = call.bound.texts
    found = {name: words(texts, name, MAX_WORDS) for name in TEXTS if texts[name]}
    for name, text in found.items():
        if not text.isprintable() or not text:
            raise Refusal(RetCode.PARAMETER_INVALID, f"{name} must have printable characters")
    return {**found, **{name: texts[name] for name in FILES if texts[name]}}


def _listed(row: Any) -> dict[str, Any]:
    return {
        "QualificationId": row.id,
        "Name": row.name,
        "Attr": row.attr,
        "CompanyName": row.company_name,
        "ManagerName": row.manager_name,
        "HandlerName": row.handler_name,
        "Status": row.status,
        "ErrCode": 0,
        "ErrDesc": row.reason,
        "CreateTime": row.created_at // 1000,
        "ModifyTime": row.updated_at // 1000,
        "ReviewStartTime": (row.submitted_at or 0) // 1000,
        "ReviewEndTime": (row.decided_at or 0) // 1000,
    }
