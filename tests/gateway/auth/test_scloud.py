"""The published signature: the vendors' examples, what their clients sign, and what it cannot tell apart."""

import hashlib
from decimal import Decimal
from typing import Any

import pytest

from gateway.auth.scloud import canonical, scalar_text, sign, verify
from tests.support.scloud import PRIVATE, PUBLIC, flattened

HOST = {"Action": "DescribeUHostInstance", "Region": "cn-bj2", "Limit": 10, "PublicKey": PUBLIC}
CREATE = {
    "Action": "CreateUHostInstance",
    "CPU": 2,
    "ChargeType": "Month",
    "DiskSpace": 10,
    "ImageId": "f43736e1-65a5-4bea-ad2e-8a46e18883c2",
    "LoginMode": "Password",
    "Memory": 2048,
    "Name": "Host01",
    "Password": "VUNsb3VkLmNu",
    "PublicKey": PUBLIC,
    "Quantity": 1,
    "Region": "cn-bj2",
    "Zone": "cn-bj2-04",
}
MESSAGE = {
    "Action": "SendUSMSMessage",
    "ProjectId": "org-demo01",
    "PublicKey": PUBLIC,
    "PhoneNumbers": ["(60)123456789", "18500000123"],
    "SigContent": "优刻得 Test",
    "TemplateId": "UTA20212831C85C",
    "TemplateParams": ["123456", "5 min & more"],
    "UserId": "order-42",
}
TWELVE = {
    "Action": "SendUSMSMessage",
    "ProjectId": "org-demo01",
    "PublicKey": PUBLIC,
    "PhoneNumbers": [f"185000000{index:02d}" for index in range(12)],
    "TemplateId": "UTB20092",
    "TemplateParams": ["", "a=b&c"],
}
BATCH = {
    "Action": "SendBatchUSMSMessage",
    "ProjectId": "org-demo01",
    "PublicKey": PUBLIC,
    "TaskContent": "W3siVGVtcGxhdGVJZCI6ICJVVEEyMDIxMjgzMUM4NUMiLCAiU2lnQ29udGVudCI6ICJVQ2xvdWQiLCAi"
    "VGFyZ2V0IjogW3siVGVtcGxhdGVQYXJhbXMiOiBbIjEyMzQ1NiJdLCAiUGhvbmUiOiAiMTg1MDAwMDAx"
    "MjMiLCAiRXh0ZW5kQ29kZSI6ICIxMjMiLCAiVXNlcklkIjogIjQ1NiJ9IF0gfSBdIA==",
}


@pytest.mark.parametrize(
    ("parameters", "signature"),
    [
        (HOST, "cba5cf5ec4d4233d206b1b54951e3787350a642f"),
        (
            HOST | {"PublicKey": "someone@example.com1296235120854146120"},
            "4201919d267504385deb93af19e0197870fed36b",
        ),
        (CREATE, "4f9ef5df2abab2c6fccd1e9515cb7e2df8c6bb65"),
        (flattened(MESSAGE), "fb4287097ed268fd953dbb448eece5fde766b7bb"),
        (MESSAGE, "5c47c30fd49b1e9e0beab99cc9b7b576ce3cfd51"),
        (flattened(TWELVE), "9f4b0b7ddc5aa4a413e5d690272e95d327253ef8"),
        (TWELVE, "f055cc221f819400e35a096af8b217c734e2a913"),
        (BATCH, "4ba13e6dcd33af00d33e34a03fffcb87cfab7024"),
    ],
    ids=["D1", "D2", "D4", "V1-flat", "V1-nested", "V2-flat", "V2-nested", "V5"],
)
def test_the_published_vectors(parameters: dict[str, Any], signature: str) -> None:
    assert sign(parameters, PRIVATE) == signature
    assert verify(parameters | {"Signature": signature}, PRIVATE)


def test_keys_sort_as_strings_so_ten_precedes_two() -> None:
    text = canonical(flattened({"PhoneNumbers": [str(index) for index in range(12)]}))
    assert text.index("PhoneNumbers.10") < text.index("PhoneNumbers.2")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (10, "10"),
        (-3, "-3"),
        (Decimal("42.0"), "42"),
        (Decimal("1e16"), "10000000000000000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("0.50"), "0.5"),
        (Decimal("-0.0"), "0"),
        (Decimal("100"), "100"),
        ("  kept & raw ", "  kept & raw "),
    ],
)
def test_scalars_are_signed_as_plain_text(value: Any, text: str) -> None:
    assert scalar_text(value) == text


def test_nulls_of_objects_are_left_out_and_nulls_of_arrays_are_a_word() -> None:
    assert canonical({"b": None, "a": ["x", None], "c": {"z": 1, "y": None}}) == "axNonecz1"


def test_what_has_no_delimiters_cannot_be_told_apart() -> None:
    # why the reader of the parameters has to be strict: these are the same to the signature
    common = {"Action": "SendUSMSMessage", "PublicKey": PUBLIC}
    assert sign(common | {"PhoneNumbers.1": "018500000002"}, PRIVATE) == sign(
        common | {"PhoneNumbers.10": "18500000002"}, PRIVATE
    )
    assert sign(common | {"TemplateId": "TUserIdabc"}, PRIVATE) == sign(
        common | {"TemplateId": "T", "UserId": "abc"}, PRIVATE
    )


def test_only_the_exact_signature_verifies() -> None:
    signature = sign(MESSAGE, PRIVATE)
    assert not verify(MESSAGE, PRIVATE)
    for wrong in (signature.upper(), signature[:-1], signature + "0", "", "é" * 40, 7, None, [signature]):
        assert not verify(MESSAGE | {"Signature": wrong}, PRIVATE)
    assert not verify(MESSAGE | {"Signature": signature, "UserId": "order-43"}, PRIVATE)
    assert not verify(MESSAGE | {"Signature": signature}, PRIVATE[:-1] + "0")


def test_a_reused_request_object_that_signs_its_old_signature_is_wrong() -> None:
    # the Java client does this; every parameter but `Signature` is what was signed
    first = sign(MESSAGE, PRIVATE)
    second = hashlib.sha1((canonical(MESSAGE | {"Signature": first}) + PRIVATE).encode()).hexdigest()
    assert second != first
    assert not verify(MESSAGE | {"Signature": second}, PRIVATE)
