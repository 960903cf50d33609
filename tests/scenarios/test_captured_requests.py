"""Requests as real clients put them on the wire, byte for byte, with the keys they were signed with."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from gateway.auth.keys import KeyPair, Keyring, read_master_key
from gateway.store import tables
from gateway.store.engine import open_store
from tests.support.customer import RawCustomer
from tests.support.gateway import Site

pytestmark = pytest.mark.slow

PAIR = KeyPair("ucloudsomeone@example.com1296235120854146120", "46f09bb9fab4f12dfc160dae12273d5332b5debe")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}

SEND = (
    "ProjectId=org-demo01&PhoneNumbers.0=%2860%29123456789&PhoneNumbers.1=18500000123"
    "&SigContent=%E4%BC%98%E5%88%BB%E5%BE%97+Test&TemplateId=UTA20212831C85C&TemplateParams.0=123456"
    "&TemplateParams.1=5+min+%26+more&UserId=order-42&Action=SendUSMSMessage"
    "&PublicKey=ucloudsomeone%40example.com1296235120854146120"
    "&Signature=fb4287097ed268fd953dbb448eece5fde766b7bb"
)
BATCH = (
    "ProjectId=org-demo01&TaskContent=W3siVGVtcGxhdGVJZCI6ICJVVEEyMDIxMjgzMUM4NUMiLCAiU2lnQ29udGVudCI6ICJVQ2xv"
    "dWQiLCAiVGFyZ2V0IjogW3siVGVtcGxhdGVQYXJhbXMiOiBbIjEyMzQ1NiJdLCAiUGhvbmUiOiAiMTg1MDAwMDAxMjMiLCAiRXh0ZW5k"
    "Q29kZSI6ICIxMjMiLCAiVXNlcklkIjogIjQ1NiJ9LCB7IlRlbXBsYXRlUGFyYW1zIjogWyI2NTQzMjEiXSwgIlBob25lIjogIig2MCkx"
    "MjM0NTY3ODkifV19XQ%3D%3D&Action=SendBatchUSMSMessage"
    "&PublicKey=ucloudsomeone%40example.com1296235120854146120&Signature=3b7032ab693fb84157433ac42921915a41455f9a"
)
RECEIPT = (
    "ProjectId=org-demo01&SessionNoSet.0=5a3f0c1e-7b21-4c2d-9d0e-2f6c1a9b8e77&Action=GetUSMSSendReceipt"
    "&PublicKey=ucloudsomeone%40example.com1296235120854146120&Signature=009d1c137ea9cc428136bb5e9e45ab9db7c60fbb"
)
FLAT = {
    "Action": "SendUSMSMessage",
    "PhoneNumbers.0": "(60)123456789",
    "PhoneNumbers.1": "18500000123",
    "TemplateId": "UTA20212831C85C",
    "SigContent": "优刻得 Test",
    "TemplateParams.0": "123456",
    "TemplateParams.1": "5 min & more",
    "UserId": "order-42",
    "ProjectId": "org-demo01",
    "Signature": "fb4287097ed268fd953dbb448eece5fde766b7bb",
    "PublicKey": PAIR.public_key,
}
NESTED = {
    "Action": "SendUSMSMessage",
    "PhoneNumbers": ["(60)123456789", "18500000123"],
    "ProjectId": "org-demo01",
    "PublicKey": PAIR.public_key,
    "SigContent": "优刻得 Test",
    "Signature": "5c47c30fd49b1e9e0beab99cc9b7b576ce3cfd51",
    "TemplateId": "UTA20212831C85C",
    "TemplateParams": ["123456", "5 min & more"],
    "UserId": "order-42",
}


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawCustomer]:
    """A customer moved over from elsewhere, with its keys and ids."""
    with Site(tmp_path_factory.mktemp("site")) as site:
        site.settings["api"] = {"dedup_window": 0.0}  # the same signature comes from five clients
        site.write_config()
        account = site.customer()
        move_in(site, account.account_id)
        site.start_simulator("--receipts", "delivered")
        site.start_gateway()
        yield RawCustomer(site, account)


def move_in(site: Site, account_id: str) -> None:
    """Give the account the keys, project, signature and template that the captured requests name."""
    store = open_store(site.settings["store"]["url"])
    keyring = Keyring(read_master_key(site.directory / "master.key"))
    owner = {"account_id": account_id, "project_id": "org-demo01", "status": 2, "created_at": 0}
    key = {"public_key": PAIR.public_key, "account_id": account_id, "created_at": 0}
    project = {
        "id": "org-demo01",
        "account_id": account_id,
        "name": "Demo",
        "is_default": False,
        "created_at": 0,
    }
    template = {"id": "UTA20212831C85C", "purpose": 2, "name": "table", "text": "{1} within {2}"}
    other = {"id": "SIG2", "text": "UCloud"}
    with store.writer.begin() as connection:
        connection.execute(insert(tables.projects), [project])
        connection.execute(insert(tables.api_keys), [{**key, "sealed_private_key": keyring.seal(PAIR)}])
        connection.execute(insert(tables.templates), [{**owner, **template}])
        connection.execute(insert(tables.signatures), [{**owner, "id": "SIG1", "text": "优刻得 Test"}])
        connection.execute(insert(tables.signatures), [{**owner, **other}])
    store.close()


def accepted(answer: tuple[int, dict[str, object]]) -> bool:
    status, document = answer
    return status == 200 and document["RetCode"] == 0 and bool(document["SessionNo"])


def test_python(customer: RawCustomer) -> None:
    assert accepted(customer.raw("POST", "/", SEND.encode(), FORM | {"U-Timestamp-Ms": "1795418388842"}))


def test_go_names_the_action_in_the_url_too_and_only_the_body_counts(customer: RawCustomer) -> None:
    assert accepted(customer.raw("POST", "/?Action=SendUSMSMessage", SEND.encode(), FORM))


def test_easy_sms_sends_a_get(customer: RawCustomer) -> None:
    assert accepted(customer.raw("GET", "/?" + SEND))


def test_javascript_and_java_send_flat_json(customer: RawCustomer) -> None:
    assert accepted(customer.raw("POST", "/", json.dumps(FLAT, ensure_ascii=False).encode(), JSON))


def test_php_escapes_its_json(customer: RawCustomer) -> None:
    assert accepted(customer.raw("POST", "/", json.dumps(FLAT).encode(), JSON))


def test_go_with_its_json_encoder_nests(customer: RawCustomer) -> None:
    body = json.dumps(NESTED, ensure_ascii=False).replace("&", "\\u0026").encode()
    assert accepted(customer.raw("POST", "/", body, JSON))


def test_a_batch_whose_template_wants_more_values_is_refused_for_that(customer: RawCustomer) -> None:
    """The signature is right: what is wrong is found behind it."""
    status, answer = customer.raw("POST", "/", BATCH.encode(), FORM)
    assert (status, answer["RetCode"]) == (200, 18018)


def test_a_receipt_query_for_a_session_nobody_knows_is_empty(customer: RawCustomer) -> None:
    status, answer = customer.raw("POST", "/", RECEIPT.encode(), FORM)
    assert (status, answer["RetCode"], answer["Data"]) == (200, 0, [])


def test_one_changed_byte_is_a_wrong_signature(customer: RawCustomer) -> None:
    status, answer = customer.raw("POST", "/", SEND.replace("123456789", "123456788").encode(), FORM)
    assert (status, answer["RetCode"]) == (200, 171)
