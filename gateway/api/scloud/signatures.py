"""CreateUSMSSignature, QueryUSMSSignature, UpdateUSMSSignature, DeleteUSMSSignature."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from gateway.api.scloud.call import Call, done
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.fields import integer, optional_integer, truth, words
from gateway.api.scloud.handin import by, changed, ids, owner, performed, with_papers
from gateway.api.scloud.schema import Schema
from gateway.domain.review import Kind
from gateway.domain.template import bare_signature
from gateway.flow.replay import Answer
from gateway.store import applications
from gateway.store.applications import MAX_BRAND, SignatureForm

TYPES = range(6)
PURPOSES = range(2)  # 0 own, 1 a third party's
MAX_WORDS = 1000
MISSING = RetCode.SIGNATURE_NOT_APPROVED

CREATE = Schema(
    texts=(
        "SigContent", "SigType", "SigPurpose", "CertificateType", "Description", "File", "ProxyFile",
        "International", "QualificationId", "SceneDesc",
    ),
    required=("SigContent", "SigType", "SigPurpose", "CertificateType", "Description"),
)  # fmt: skip
QUERY = Schema(texts=("SigId", "SigContent"))
UPDATE = Schema(
    texts=(
        "SigId", "SigContent", "SigType", "SigPurpose", "CertificateType", "File", "Document", "ProxyFile",
        "ProxyDoc", "SceneDesc",
    ),
    required=("SigId", "SigContent", "SigType", "SigPurpose"),
)  # fmt: skip
DELETE = Schema(lists=("SigIds",), required=("SigIds",))


async def create(call: Call) -> Answer:
    """Take a signature into review."""
    texts = call.bound.texts
    third_party = bool(integer(texts, "SigPurpose", PURPOSES))
    if third_party and not texts["ProxyFile"]:
        raise Refusal(RetCode.PARAMETER_MISSING, "ProxyFile: another's signature needs its power of attorney")
    form = partial(
        SignatureForm,
        text=_brand(texts["SigContent"]),
        type=integer(texts, "SigType", TYPES),
        certificate=integer(texts, "CertificateType", TYPES),
        third_party=third_party,
        international=truth(texts, "International"),
        description=words(texts, "Description", MAX_WORDS),
        scene=words(texts, "SceneDesc", MAX_WORDS),
        qualification_id=texts["QualificationId"] or None,
    )

    def work(connection: Any, files: Mapping[str, str]) -> str:
        whole = form(file_id=files.get("File"), proxy_file_id=files.get("ProxyFile"))
        return applications.create_signature(connection, owner(call), whole, by(call))

    made = await with_papers(call, ("File", "ProxyFile"), work)
    return changed(call, SigId=made)


async def query(call: Call) -> Answer:
    """Answer with a signature and where its review stands."""
    texts = call.bound.texts
    if not texts["SigId"] and not texts["SigContent"]:
        raise Refusal(RetCode.PARAMETER_MISSING, "SigId or SigContent")
    work = partial(
        applications.find_signature,
        owner=owner(call),
        signature_id=texts["SigId"],
        text=texts["SigContent"],
    )
    row = await performed(call.services.reviews.ask(work), MISSING)
    data = {"SigId": row.id, "SigContent": row.text, "Status": row.status, "ErrDesc": row.reason}
    return done(call, "", Data=data)


async def update(call: Call) -> Answer:
    """Take a signature that is not approved into review anew."""
    texts = call.bound.texts
    form = partial(
        SignatureForm,
        text=_brand(texts["SigContent"]),
        type=integer(texts, "SigType", TYPES),
        certificate=optional_integer(texts, "CertificateType", TYPES),
        third_party=bool(integer(texts, "SigPurpose", PURPOSES)),
        scene=words(texts, "SceneDesc", MAX_WORDS),
    )
    linked = call.services.papers.linked

    def work(connection: Any, files: Mapping[str, str]) -> None:
        whole = form(
            file_id=files.get("File") or linked(texts["Document"]),
            proxy_file_id=files.get("ProxyFile") or linked(texts["ProxyDoc"]),
        )
        applications.update_signature(connection, owner(call), texts["SigId"], whole, by(call))

    await with_papers(call, ("File", "ProxyFile"), work, MISSING)
    return changed(call)


async def delete(call: Call) -> Answer:
    """Delete signatures, all or none."""
    work = partial(
        applications.delete, owner=owner(call), kind=Kind.SIGNATURE, ids=ids(call, "SigIds"), by=by(call)
    )
    await performed(call.services.reviews.change(work), MISSING)
    return changed(call)


def _brand(given: str) -> str:
    text = bare_signature(given)
    if not 1 <= len(text) <= MAX_BRAND or not text.isprintable():
        raise Refusal(RetCode.PARAMETER_INVALID, f"SigContent has 1 to {MAX_BRAND} printable characters")
    return text
