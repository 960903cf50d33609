"""Signatures, templates, qualifications and files, as they are tried."""

import base64
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from gateway.domain.operator import SYSTEM
from gateway.domain.paper import Paper
from gateway.domain.review import Move
from gateway.store import applications, papers, qualifications, reviews
from gateway.store.applications import SignatureForm, TemplateForm
from gateway.store.audit import By
from gateway.store.qualification_fields import FILES, TEXTS
from tests.actions.declared import Declared, Probe, Try
from tests.actions.world import Customer, Parameters, World
from tests.support.review import CHECKS, Purpose

NOBODYS_TEMPLATE, NOBODYS_SIGNATURE = "UTN990101FFFFFF", "SIG20990101FFFFFF"
NOBODYS_QUALIFICATION, NOBODYS_FILE = "QUA20990101FFFFFF", "FILE" + "0" * 32
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 3
PNG_TEXT = base64.b64encode(PNG).decode()
TOO_LARGE = base64.b64encode(PNG + bytes(4 * 1024 * 1024)).decode()


def things(connection: Connection, customer: Customer, now_ms: int) -> Mapping[str, str]:
    """Make signatures and a template to change and to leave alone, a draft of a qualification, a file."""
    owner = applications.owner_of(connection, customer.account_id)
    by = By(SYSTEM, now_ms, "not yet")
    brand = f"Own{customer.account_id[-4:]}"
    open_ = applications.create_signature(connection, owner, SignatureForm(text=brand), by)
    reviews.check(connection, CHECKS, reviews.Kind.SIGNATURE, open_, now_ms)
    reviews.decide(connection, CHECKS, open_, Move.REJECT, by)
    held = applications.create_signature(connection, owner, SignatureForm(text=f"{brand}2"), by)
    reviews.check(connection, CHECKS, reviews.Kind.SIGNATURE, held, now_ms)
    form = TemplateForm(purpose=Purpose.NOTIFICATION, text="Order {1} was changed.")
    editable = applications.create_template(connection, owner, form, by)
    reviews.check(connection, CHECKS, reviews.Kind.TEMPLATE, editable, now_ms)
    draft = {"Name": "papers", "HandlerPhone": "13800000000"}
    just_now = time.time_ns() // 1_000_000  # an old file that nothing names would be swept
    paper = Paper(PNG, "image/png", "papers.png")
    return {
        "account": customer.account_id,
        # its bytes are not there; nothing here asks for them
        "file": papers.add(connection, customer.account_id, paper, "0" * 64, 1_000, just_now),
        "open_signature": open_,
        "open_signature_text": brand,
        "held_signature": held,
        "editable_template": editable,
        "qualification": qualifications.create(connection, owner, 0, draft, False, by),
    }


def _call(world: World, action: str, parameters: Parameters) -> dict[str, Any]:
    answer = world.call(world.one, action, parameters)
    assert answer["RetCode"] == 0, answer
    return answer


def _signature(world: World, **changes: Any) -> Parameters:
    whole = {
        "SigContent": world.fresh(),
        "SigType": 0,
        "SigPurpose": 0,
        "CertificateType": 0,
        "Description": "our own brand",
        "File": PNG_TEXT,
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def _template(world: World, **changes: Any) -> Parameters:
    whole = {
        "Purpose": 2,
        "TemplateName": world.fresh(),
        "Template": "Your order {1} has left.",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def _edited_signature(world: World, **changes: Any) -> Parameters:
    known = {"SigId": world.one.things["open_signature"], "Description": None, "File": None}
    return _signature(world, **{**known, **changes})


def _file(world: World, **changes: Any) -> Parameters:
    # another name each time: the same request again would get the first one's answer
    whole = {"FileName": f"{world.fresh()}.png", "FileContent": PNG_TEXT, "Source": 0, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def _uploaded(world: World) -> str:
    made: str = _call(world, "UploadUSMSFile", _file(world))["FileId"]
    return made


def _papers(world: World, **changes: Any) -> Parameters:
    whole = {"Name": world.fresh(), "Attr": 0, "Status": 0, "HandlerPhone": "13800000000", **changes}
    return {name: value for name, value in whole.items() if value is not None}


def _changed_papers(world: World, **changes: Any) -> Parameters:
    known = {"QualificationId": world.one.things["qualification"], "Name": world.fresh(), "Status": 0}
    return {name: value for name, value in {**known, **changes}.items() if value is not None}


def _page(_: World, **changes: Any) -> Parameters:
    return {"Page": 0, "NumPerPage": 10, "OrderBy": "CreateTime", "OrderType": "asc", **changes}


def _new_qualification(world: World) -> str:
    made: str = _call(world, "AddUSMSSignatureQualification", _papers(world))["QualificationId"]
    return made


def _deletable(world: World) -> str:
    """Return a signature that may be deleted: the checks reject it for its length."""
    form = _signature(world, SigContent=f"much-too-{world.fresh()}")
    made: str = _call(world, "CreateUSMSSignature", form)["SigId"]
    world.settled()
    return made


def _deletable_template(world: World) -> str:
    form = _template(world, Template=f"{world.fresh()} {{2}}")
    made: str = _call(world, "CreateUSMSTemplate", form)["TemplateId"]
    world.settled()
    return made


def _file_probes(call: Any) -> tuple[Probe, ...]:
    return tuple(
        Probe(
            parameter=name,
            thing="file",
            unknown=NOBODYS_FILE,
            call=lambda world, given, name=name: call(world, **{name: given}),
        )
        for name in FILES
    )


_OWN_TEXTS = tuple(TEXTS)

SIGNATURES = {
    "CreateUSMSSignature": Declared(
        good=_signature,
        refused={
            18001: lambda world: _signature(world, SigPurpose=1),
            18002: lambda world: Try(_signature(world, SigType="own"), typed=False),
            18003: lambda world: _signature(world, File=base64.b64encode(b"no picture").decode()),
        },
        probes=(
            Probe(
                parameter="QualificationId",
                thing="qualification",
                unknown=NOBODYS_QUALIFICATION,
                call=lambda world, given: _signature(world, File=None, QualificationId=given),
            ),
        ),
        plain=(
            *("SigContent", "SigType", "SigPurpose", "CertificateType", "Description", "File", "ProxyFile"),
            *("International", "SceneDesc"),
        ),
    ),
    "QueryUSMSSignature": Declared(
        good=lambda world: {"SigId": world.one.things["signature"]},
        refused={18001: lambda _: {}, 18016: lambda _: {"SigId": NOBODYS_SIGNATURE}},
        probes=(
            Probe(parameter="SigId", thing="signature", unknown=NOBODYS_SIGNATURE),
            Probe(
                parameter="SigContent",
                thing="signature_text",
                unknown="Acme 0000",
                call=lambda _, given: {"SigContent": given},
            ),
        ),
    ),
    "UpdateUSMSSignature": Declared(
        good=_edited_signature,
        refused={
            18001: lambda world: _edited_signature(world, SigContent=""),
            18002: lambda world: _edited_signature(world, File="%%%"),
            18003: lambda world: _edited_signature(world, SigId=world.one.things["signature"]),
            18016: lambda world: _edited_signature(world, SigId=NOBODYS_SIGNATURE),
        },
        probes=(
            Probe(parameter="SigId", thing="open_signature", unknown=NOBODYS_SIGNATURE),
            *(
                Probe(
                    parameter=name,
                    thing="file",
                    unknown=NOBODYS_FILE,
                    call=lambda world, given, name=name: _edited_signature(world, **{name: given}),
                )
                for name in ("Document", "ProxyDoc")
            ),
        ),
        plain=(
            *("SigContent", "SigType", "SigPurpose", "CertificateType", "File", "ProxyFile", "SceneDesc"),
        ),
    ),
    "DeleteUSMSSignature": Declared(
        good=lambda world: {"SigIds": [_deletable(world)]},
        refused={
            18001: lambda _: {"SigIds": []},
            18003: lambda world: {"SigIds": [world.one.things["held_signature"]]},
            18016: lambda _: {"SigIds": [NOBODYS_SIGNATURE]},
        },
        probes=(
            Probe(
                parameter="SigIds",
                thing="open_signature",
                unknown=NOBODYS_SIGNATURE,
                call=lambda world, given: {
                    "SigIds": [_deletable(world) if given == world.one.things["open_signature"] else given]
                },
            ),
        ),
    ),
}

TEMPLATES = {
    "CreateUSMSTemplate": Declared(
        good=_template,
        refused={
            18001: lambda world: _template(world, Purpose=3),
            18002: lambda world: Try(_template(world, Purpose="otp"), typed=False),
            18003: lambda world: _template(world, Template="x" * 501),
        },
        plain=(
            *("Purpose", "TemplateName", "Template", "International", "Remark", "UnsubscribeInfo"),
            "Instruction",
        ),
    ),
    "QueryUSMSTemplate": Declared(
        good=lambda world: {"TemplateId": world.one.things["template"]},
        refused={18001: lambda _: {"TemplateId": ""}, 18017: lambda _: {"TemplateId": NOBODYS_TEMPLATE}},
        probes=(Probe(parameter="TemplateId", thing="template", unknown=NOBODYS_TEMPLATE),),
    ),
    "UpdateUSMSTemplate": Declared(
        good=lambda world: {
            "TemplateId": world.one.things["editable_template"],
            "Template": f"Order {{1}} was changed: {world.fresh()}",
        },
        refused={
            18001: lambda world: {"TemplateId": world.one.things["editable_template"], "Template": ""},
            18003: lambda world: {
                "TemplateId": world.one.things["editable_template"],
                "Template": "x" * 601,
            },
            18017: lambda _: {"TemplateId": NOBODYS_TEMPLATE, "Template": "Order {1}"},
        },
        probes=(Probe(parameter="TemplateId", thing="editable_template", unknown=NOBODYS_TEMPLATE),),
        plain=("Template", "TemplateName", "Remark", "Instruction"),
    ),
    "DeleteUSMSTemplate": Declared(
        good=lambda world: {"TemplateIds": [_deletable_template(world)]},
        refused={
            18001: lambda _: {"TemplateIds": []},
            18003: lambda world: {"TemplateIds": [world.one.things["pending_template"]]},
            18017: lambda _: {"TemplateIds": [NOBODYS_TEMPLATE]},
        },
        probes=(
            Probe(
                parameter="TemplateIds",
                thing="editable_template",
                unknown=NOBODYS_TEMPLATE,
                call=lambda world, given: {
                    "TemplateIds": [
                        _deletable_template(world)
                        if given == world.one.things["editable_template"]
                        else given
                    ]
                },
            ),
        ),
    ),
}

QUALIFICATIONS = {
    "UploadUSMSFile": Declared(
        good=_file,
        refused={
            18001: lambda world: _file(world, FileContent=""),
            18002: lambda world: _file(world, FileContent="%%%"),
            18003: lambda world: _file(world, FileContent=TOO_LARGE),
        },
        plain=("FileName", "FileContent", "Source", "FileType"),
    ),
    "AddUSMSSignatureQualification": Declared(
        good=_papers,
        refused={
            18001: lambda world: _papers(world, HandlerPhone=""),
            18002: lambda world: Try(_papers(world, Attr="own"), typed=False),
            18003: lambda world: _papers(world, CompanyName="x" * 101),
        },
        probes=_file_probes(_papers),
        plain=(*_OWN_TEXTS, "Attr", "Status"),
    ),
    "UpdateUSMSSignatureQualification": Declared(
        good=_changed_papers,
        refused={
            18001: lambda world: Try(_changed_papers(world, QualificationId=""), typed=False),
            18002: lambda world: Try(_changed_papers(world, Status="draft"), typed=False),
            18003: lambda world: _changed_papers(world, QualificationId=NOBODYS_QUALIFICATION),
        },
        probes=(
            Probe(parameter="QualificationId", thing="qualification", unknown=NOBODYS_QUALIFICATION),
            *_file_probes(_changed_papers),
        ),
        plain=(*_OWN_TEXTS, "Attr", "Status"),
    ),
    "DeleteUSMSSignatureQualification": Declared(
        good=lambda world: {"QualificationIds": [_new_qualification(world)]},
        refused={
            18001: lambda _: {"QualificationIds": []},
            18003: lambda _: {"QualificationIds": [NOBODYS_QUALIFICATION]},
        },
        probes=(
            Probe(
                parameter="QualificationIds",
                thing="qualification",
                unknown=NOBODYS_QUALIFICATION,
                call=lambda world, given: {
                    "QualificationIds": [
                        _new_qualification(world) if given == world.one.things["qualification"] else given
                    ]
                },
            ),
        ),
    ),
    "GetUSMSSignatureQualification": Declared(
        good=_page,
        refused={
            18001: lambda world: Try(_page(world, OrderBy=""), typed=False),
            18002: lambda world: Try(_page(world, Page="first"), typed=False),
            18003: lambda world: _page(world, NumPerPage=101),
        },
        probes=(
            Probe(
                parameter="InAccountIds",
                thing="account",
                unknown="acc-nobody",
                call=lambda world, given: _page(world, InAccountIds=[given]),
            ),
        ),
        plain=("Page", "NumPerPage", "OrderBy", "OrderType", "QualificationAttr", "Status"),
    ),
    "QueryUSMSSignatureQualification": Declared(
        good=lambda world: {"QualificationId": world.one.things["qualification"]},
        refused={
            18001: lambda _: {"QualificationId": ""},
            18003: lambda _: {"QualificationId": NOBODYS_QUALIFICATION},
        },
        probes=(Probe(parameter="QualificationId", thing="qualification", unknown=NOBODYS_QUALIFICATION),),
    ),
}

DECLARED = {**SIGNATURES, **TEMPLATES, **QUALIFICATIONS}
MAKERS = (things,)
