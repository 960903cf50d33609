"""Sending, receipts and projects, as they are tried."""

from typing import Any

from tests.actions.declared import Declared, Probe, Try
from tests.actions.world import BLOCKED_WORD, Customer, Parameters, World
from tests.support.scloud import task_content

NOBODYS_TEMPLATE, NOBODYS_SIGNATURE = "UTN990101FFFFFF", "SIG20990101FFFFFF"
NOBODYS_SESSION = "5a3f0c1e-7b21-4c2d-9d0e-2f6c1a9b8e77"


def _message(world: World, **changes: Any) -> Parameters:
    return world.message(world.one, **changes)


def _batch(world: World, by: Customer | None = None, phones: int = 1, **changes: Any) -> Parameters:
    customer = by or world.one
    target = {"TemplateParams": ["42"], "UserId": world.fresh()}
    item = {
        "TemplateId": customer.things["template"],
        "SigContent": customer.things["signature_text"],
        "Target": [target | {"Phone": f"(60)12{number:07d}"} for number in range(phones)],
        **changes,
    }
    return {"TaskContent": task_content([item])}


def _to(phone: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"Phone": phone, "TemplateParams": list(values), **more}


SEND = Declared(
    good=_message,
    refused={
        18001: lambda world: _message(world, TemplateId=""),
        18002: lambda world: Try(_message(world, **{"PhoneNumbers.2": "(60)123456789"}), typed=False),
        18003: lambda world: _message(world, UserId="it's"),
        18013: lambda world: Try(world.message(world.poor), by=lambda world: world.poor),
        18014: lambda world: _message(world, PhoneNumbers=["(60)123456789", "(60)1"]),
        18016: lambda world: _message(world, SigContent="Nobody's"),
        18017: lambda world: _message(world, TemplateId=world.one.things["pending_template"]),
        18018: lambda world: _message(world, TemplateParams=["1", "2"]),
        18019: lambda world: _message(world, PhoneNumbers=[f"(60)12{n:07d}" for n in range(1001)]),
        18023: lambda world: _message(world, TemplateParams=[f"to the {BLOCKED_WORD}"]),
        18033: lambda world: _message(
            world, TemplateId=world.one.things["code_template"], TemplateParams=["call me"]
        ),
    },
    probes=(
        Probe(parameter="TemplateId", thing="template", unknown=NOBODYS_TEMPLATE),
        Probe(parameter="SigContent", thing="signature", unknown=NOBODYS_SIGNATURE),
        Probe(parameter="SigContent", thing="signature_text", unknown="Acme 0000"),
    ),
    plain=("PhoneNumbers", "TemplateParams", "ExtendCode", "UserId"),
)

BATCH = Declared(
    good=_batch,
    refused={
        18000: lambda _: {"TaskContent": "%%%"},
        18001: lambda _: {"TaskContent": ""},
        18002: lambda _: {"TaskContent": task_content({})},
        18003: lambda world: _batch(world, Target=[_to("(60)123456789", "42", UserId="it's")]),
        18013: lambda world: Try(_batch(world, world.poor), by=lambda world: world.poor),
        18014: lambda world: _batch(world, Target=[_to("(60)1", "42")]),
        18016: lambda world: _batch(world, SigContent="Nobody's"),
        18017: lambda world: _batch(world, TemplateId=world.one.things["pending_template"]),
        18018: lambda world: _batch(world, Target=[_to("(60)123456789")]),
        18019: lambda world: _batch(world, phones=201),
        18023: lambda world: _batch(world, Target=[_to("(60)123456789", BLOCKED_WORD)]),
        18033: lambda world: _batch(
            world,
            TemplateId=world.one.things["code_template"],
            Target=[_to("(60)123456789", "call me")],
        ),
        18046: lambda world: _batch(
            world, Target=[_to("(60)123456789", "42", UserId=world.fresh()), _to("(60)1", "42")]
        ),
    },
    probes=(
        Probe(
            parameter="TaskContent",
            thing="template",
            unknown=NOBODYS_TEMPLATE,
            call=lambda world, given: _batch(world, TemplateId=given),
        ),
        Probe(
            parameter="TaskContent",
            thing="signature",
            unknown=NOBODYS_SIGNATURE,
            call=lambda world, given: _batch(world, SigContent=given),
        ),
    ),
)

RECEIPTS = Declared(
    good=lambda world: {"SessionNoSet": [world.one.things["session"]]},
    refused={
        18001: lambda _: {"SessionNoSet": []},
        18002: lambda world: Try(
            {"SessionNoSet": [NOBODYS_SESSION], "SessionNoSet.2": NOBODYS_SESSION}, typed=False
        ),
        18003: lambda _: {"SessionNoSet": [f"{NOBODYS_SESSION[:-3]}{n}" for n in range(101)]},
    },
    probes=(Probe(parameter="SessionNoSet", thing="session", unknown=NOBODYS_SESSION),),
)

PROJECTS = Declared(good=lambda _: {}, plain=("IsFinance",))

DECLARED = {
    "SendUSMSMessage": SEND,
    "SendBatchUSMSMessage": BATCH,
    "GetUSMSSendReceipt": RECEIPTS,
    "GetProjectList": PROJECTS,
}
