"""The published clients: the Python one itself, and the very bytes the others send."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from ucloud.client import Client
from ucloud.core import exc

from gateway.domain.message import Purpose
from gateway.domain.review import Review
from gateway.domain.template import SmsSignature, Template
from tests.support.scloud import (
    NOTICE,
    PRIVATE,
    PROJECT,
    PUBLIC,
    Desk,
    account,
    desk,
    directory,
    project,
    task_content,
)

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# what the recorded requests name
TEMPLATE = Template("UTA20212831C85C", Purpose.NOTIFICATION, "x", "{1} in {2}", Review.APPROVED)
SIGNATURE = SmsSignature("SIG20250101DDDDDD", "UCloud", Review.APPROVED)
RECORDED = directory(account(project(templates=(TEMPLATE,))))

PYTHON = (
    "ProjectId=org-demo01&PhoneNumbers.0=%2860%29123456789&PhoneNumbers.1=18500000123&SigContent=%E4%BC%98%E5%88%BB"
    "%E5%BE%97+Test&TemplateId=UTA20212831C85C&TemplateParams.0=123456&TemplateParams.1=5+min+%26+more&UserId=order-42"
    "&Action=SendUSMSMessage&PublicKey=ucloudsomeone%40example.com1296235120854146120"
    "&Signature=fb4287097ed268fd953dbb448eece5fde766b7bb"
)
JAVASCRIPT = (
    '{"Action":"SendUSMSMessage","PhoneNumbers.0":"(60)123456789","PhoneNumbers.1":"18500000123",'
    '"TemplateId":"UTA20212831C85C","SigContent":"优刻得 Test","TemplateParams.0":"123456",'
    '"TemplateParams.1":"5 min & more","UserId":"order-42","ProjectId":"org-demo01",'
    '"Signature":"fb4287097ed268fd953dbb448eece5fde766b7bb",'
    '"PublicKey":"ucloudsomeone@example.com1296235120854146120"}'
)
PHP = JAVASCRIPT.replace("优刻得", "\\u4f18\\u523b\\u5f97").replace("&", "\\u0026")
GO_JSON = (
    '{"Action":"SendUSMSMessage","PhoneNumbers":["(60)123456789","18500000123"],"ProjectId":"org-demo01",'
    '"PublicKey":"ucloudsomeone@example.com1296235120854146120","SigContent":"优刻得 Test",'
    '"Signature":"5c47c30fd49b1e9e0beab99cc9b7b576ce3cfd51","TemplateId":"UTA20212831C85C",'
    '"TemplateParams":["123456","5 min \\u0026 more"],"UserId":"order-42"}'
)


@pytest.mark.parametrize(
    ("body", "content_type", "query"),
    [
        (PYTHON, FORM, ""),
        ("&".join(sorted(PYTHON.split("&"))), FORM, "?Action=SendUSMSMessage"),
        (JAVASCRIPT, JSON, ""),
        (PHP, JSON, ""),
        (GO_JSON, JSON, "?Action=SendUSMSMessage"),
    ],
    ids=["python", "go", "javascript", "java-php", "go-json"],
)
async def test_recorded_requests_are_accepted(body: str, content_type: str, query: str) -> None:
    async with desk(RECORDED) as door:
        answer = await door.raw(body.encode(), content_type, query=query)
        assert (answer["RetCode"], answer["UserId"]) == (0, "order-42")
        assert door.accept.phones == ["60123456789", "8618500000123"]
        assert door.accept.texts == ["【优刻得 Test】123456 in 5 min & more"]


async def test_the_recorded_request_as_a_query() -> None:
    async with desk(RECORDED) as door:
        assert (await door.raw(b"", "", method="GET", query=f"?{PYTHON}"))["RetCode"] == 0


async def in_thread(door: Desk, work: Callable[[Any], Any], **options: Any) -> Any:
    """Run `work` with a real client, which blocks, beside the door."""
    known = {
        "base_url": door.url.rstrip("/"),
        "public_key": PUBLIC,
        "private_key": PRIVATE,
        "project_id": PROJECT,
    }
    client = Client({**known, "timeout": 5, "max_retries": 0, **options})
    return await asyncio.to_thread(work, client.usms())


async def test_the_python_client_sends_and_asks() -> None:
    numbers = [f"1850{index:07d}" for index in range(1000)]
    call = {
        "PhoneNumbers": numbers,
        "TemplateId": NOTICE,
        "SigContent": "Acme",
        "TemplateParams": ["", "a=b&c"],
        "UserId": "u-1",
    }
    async with desk() as door:
        out = await in_thread(door, lambda usms: usms.send_usms_message(call))
        assert (out["Message"], out["UserId"], len(out["SessionNo"])) == ("Send success", "u-1", 36)
        assert len(door.accept.phones) == 1000
        items = [
            {
                "TemplateId": NOTICE,
                "SigContent": "Acme",
                "Target": [{"Phone": "(60)123456789", "TemplateParams": ["1", "2"]}],
            }
        ]
        out = await in_thread(
            door, lambda usms: usms.send_batch_usms_message({"TaskContent": task_content(items)})
        )
        assert (out["SuccessCount"], out["FailContent"]) == (1, [])
        out = await in_thread(door, lambda usms: usms.get_usms_send_receipt({"SessionNoSet": ["unknown"]}))
        assert out["Data"] == []


async def test_the_python_client_sees_the_codes_of_refusals() -> None:
    call = {"PhoneNumbers": ["(60)123456789"], "TemplateId": "UTN-UNKNOWN", "SigContent": "Acme"}
    async with desk() as door:
        for options, code in (
            ({}, 18017),
            ({"private_key": "wrong"}, 171),
            ({"public_key": "nobody"}, 172),
            ({"project_id": "org-x"}, 292),
        ):
            with pytest.raises(exc.RetCodeException) as caught:
                await in_thread(door, lambda usms: usms.send_usms_message(call), **options)
            assert caught.value.code == code
            assert caught.value.request_uuid


async def test_the_python_clients_retries_send_once() -> None:
    call = {
        "PhoneNumbers": ["(60)123456789"],
        "TemplateId": NOTICE,
        "SigContent": "Acme",
        "TemplateParams": ["1", "2"],
    }
    async with desk() as door:
        first = await in_thread(door, lambda usms: usms.send_usms_message(call))
        again = await in_thread(door, lambda usms: usms.send_usms_message(call))
        assert first["SessionNo"] == again["SessionNo"]
        assert len(door.accept.requests) == 1
