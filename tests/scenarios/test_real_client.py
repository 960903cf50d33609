"""The published client against a running gateway: every call it can make here, every refusal it can meet."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ucloud.client import Client
from ucloud.core import exc

from tests.support.customer import Inbox, RawCustomer, published_client, sign
from tests.support.gateway import Account, Site

pytestmark = pytest.mark.slow


class Shop:
    """A gateway at work and three customers: one with money, one without, one with nothing approved."""

    def __init__(self, site: Site, inbox: Inbox) -> None:
        self.site = site
        self.inbox = inbox
        site.write_config()
        self.account = site.customer("Acme", callback=inbox.url, purposes=("notification", "verification"))
        self.poor = site.customer("Poor", credit="0.015")
        self.new = site.own_cli("account", "create", "New")
        site.own_cli("signature", "create", "--account", self.account.account_id, "--text", "Pending")
        self.two = site.own_cli(
            *("template", "create", "--account", self.account.account_id, "--purpose", "notification"),
            *("--text", "Dear {1}, your table is {2}.", "--approve"),
        )["template_id"]
        self.pending = site.own_cli(
            *("template", "create", "--account", self.account.account_id, "--purpose", "notification"),
            *("--text", "Not reviewed {1}"),
        )["template_id"]
        site.start_simulator("--receipts", "delivered")
        site.start_gateway()
        self.customer = RawCustomer(site, self.account)
        self.client = published_client(site, self.account)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Inbox() as inbox, Site(tmp_path_factory.mktemp("site")) as site:
        yield Shop(site, inbox)


def numbers(prefix: str, count: int) -> list[str]:
    return [f"(60){prefix}{index:0{9 - len(prefix)}d}" for index in range(count)]


def request(account: Account, **more: Any) -> dict[str, Any]:
    return {
        "PhoneNumbers": ["(60)123456789"],
        "TemplateId": account.templates["notification"],
        "SigContent": "Acme",
        "TemplateParams": ["42"],
        **more,
    }


def reported(shop: Shop, session: str, phones: list[str]) -> dict[str, dict[str, Any]]:
    """Wait for receipts and callbacks of every number; both tell the same."""
    receipts = shop.customer.await_receipts(session, len(phones))
    shop.inbox.await_reports({(session, phone) for phone in phones})
    assert set(receipts) == set(phones)
    told = {item["Phone"]: item for item in shop.inbox.items() if item["SessionNo"] == session}
    assert told == {phone: {"SessionNo": session, **receipt} for phone, receipt in receipts.items()}
    return receipts


def test_one_number(shop: Shop) -> None:
    answer = shop.client.usms().send_usms_message(request(shop.account, UserId="order-42"))
    assert answer["UserId"] == "order-42"
    assert answer["Message"] == "Send success"
    receipts = reported(shop, answer["SessionNo"], ["(60)123456789"])
    assert receipts["(60)123456789"]["ReceiptResult"] == "Success"


def test_a_thousand_numbers(shop: Shop) -> None:
    phones = numbers("11", 1000)
    answer = shop.client.usms().send_usms_message(request(shop.account, PhoneNumbers=phones))
    receipts = reported(shop, answer["SessionNo"], phones)
    assert {receipt["ReceiptCode"] for receipt in receipts.values()} == {"DELIVRD"}
    arrived = [e["destination"] for e in shop.site.submits() if e["destination"].startswith("6011")]
    assert sorted(arrived) == sorted(phone.replace("(60)", "60") for phone in phones)


def test_a_batch_of_two_hundred_different_texts(shop: Shop) -> None:
    phones = numbers("12", 200)
    content = task(shop.account, [(phone, str(index)) for index, phone in enumerate(phones)])
    answer = shop.client.usms().send_batch_usms_message({"TaskContent": content})
    assert answer["SuccessCount"] == 200
    reported(shop, answer["SessionNo"], phones)
    texts = {
        e["destination"]: bytes.fromhex(e["text"]).decode("utf-16-be")
        for e in shop.site.submits()
        if e["destination"].startswith("6012000")
    }
    assert texts["60120000007"] == "【Acme】Your order 7 has left."
    assert len(set(texts.values())) == 200


def task(account: Account, targets: list[tuple[str, str]], **more: Any) -> str:
    item = {
        "TemplateId": account.templates["notification"],
        "SigContent": "Acme",
        "Target": [{"Phone": phone, "TemplateParams": [value]} for phone, value in targets],
        **more,
    }
    return base64.b64encode(json.dumps([item]).encode()).decode()


def test_receipts_are_queried_by_session(shop: Shop) -> None:
    answer = shop.client.usms().send_usms_message(request(shop.account, PhoneNumbers=["(60)131111111"]))
    shop.customer.await_receipts(answer["SessionNo"], 1)
    found = shop.client.usms().get_usms_send_receipt(
        {"SessionNoSet": [answer["SessionNo"], "5a3f0c1e-7b21-4c2d-9d0e-2f6c1a9b8e77"]}
    )
    assert [entry["SessionNo"] for entry in found["Data"]] == [answer["SessionNo"]]


def test_projects_are_listed(shop: Shop) -> None:
    found = shop.client.invoke("GetProjectList")
    assert [project["ProjectId"] for project in found["ProjectSet"]] == [shop.account.project_id]


def test_another_customers_session_is_not_told(shop: Shop) -> None:
    answer = shop.customer.send("(60)132222222")
    shop.customer.await_receipts(answer["SessionNo"], 1)
    assert RawCustomer(shop.site, shop.poor).receipts(answer["SessionNo"]) == {}


REFUSED: dict[int, dict[str, Any]] = {
    18001: {"TemplateId": ""},
    18003: {"UserId": "it's"},
    18014: {"PhoneNumbers": ["(60)123456789", "(60)1", "(999)123"]},
    18016: {"SigContent": "Pending"},
    18017: {"TemplateId": "UTN000000AAAAAA"},
    18018: {"TemplateParams": ["1", "2"]},
    18019: {"PhoneNumbers": numbers("14", 1001)},
}


@pytest.mark.parametrize("code", REFUSED)
def test_the_client_is_refused_with_the_code_and_nothing_is_charged(shop: Shop, code: int) -> None:
    before = money(shop, shop.account)
    with pytest.raises(exc.RetCodeException) as refused:
        shop.client.usms().send_usms_message(request(shop.account, **REFUSED[code]))
    assert refused.value.code == code
    assert refused.value.message
    assert money(shop, shop.account) == before


def money(shop: Shop, account: Account) -> tuple[str, str, str]:
    shown = shop.site.cli("account", "show", account.account_id)
    return shown["available"], shown["reserved"], shown["charged"]


def test_a_template_not_reviewed_yet_is_refused(shop: Shop) -> None:
    assert shop.customer.send("(60)123456789", TemplateId=shop.pending)["RetCode"] == 18017


def test_a_variable_that_breaks_the_rules_is_refused(shop: Shop) -> None:
    template = shop.account.templates["verification"]
    answer = shop.customer.send("(60)123456789", TemplateId=template, TemplateParams__0="call 0123456789")
    assert answer["RetCode"] == 18033


def test_who_cannot_pay_is_refused_whole_and_may_try_again(shop: Shop) -> None:
    poor = RawCustomer(shop.site, shop.poor)
    assert poor.send("(60)123456781", "(60)123456782")["RetCode"] == 18013
    assert money(shop, shop.poor) == ("0.015", "0.00", "0.00")
    assert poor.send("(60)123456781")["RetCode"] == 0


def test_task_content_that_is_not_json_is_refused(shop: Shop) -> None:
    for content in ("%%%", base64.b64encode(b"[{").decode()):
        answer = shop.customer.call("SendBatchUSMSMessage", TaskContent=content)
        assert answer["RetCode"] == 18000


def test_a_batch_of_201_is_refused(shop: Shop) -> None:
    content = task(shop.account, [(phone, "1") for phone in numbers("15", 201)])
    assert shop.customer.call("SendBatchUSMSMessage", TaskContent=content)["RetCode"] == 18019


def test_a_batch_of_which_only_a_part_can_go_says_which_could_not(shop: Shop) -> None:
    content = task(shop.account, [("(60)161111111", "1"), ("nonsense", "2")])
    answer = shop.customer.call("SendBatchUSMSMessage", TaskContent=content)
    assert (answer["RetCode"], answer["SuccessCount"]) == (18046, 1)
    assert [target["Phone"] for target in answer["FailContent"][0]["Target"]] == ["nonsense"]
    reported(shop, answer["SessionNo"], ["(60)161111111"])


def test_lists_must_be_numbered_without_a_gap(shop: Shop) -> None:
    assert shop.customer.call(PhoneNumbers__2="(60)123456789")["RetCode"] == 18002


def test_the_gateways_own_refusals(shop: Shop) -> None:
    customer, key = shop.customer, shop.account.private_key
    parameters = customer.parameters()
    assert customer.call("")["RetCode"] == 160
    assert customer.call("SendUSMSmessage")["RetCode"] == 161
    assert customer.post(parameters)["RetCode"] == 170
    assert customer.post({**parameters, "Signature": sign(parameters, key + "x")})["RetCode"] == 171
    assert customer.call(PublicKey="nobody@example.com")["RetCode"] == 172
    assert customer.call(ProjectId="org-unknown")["RetCode"] == 292
    assert customer.call(ProjectId=shop.poor.project_id)["RetCode"] == 290


def test_a_body_too_large_is_refused_and_the_next_request_served(shop: Shop) -> None:
    status, answer = shop.customer.raw(
        "POST", "/", b"x" * (13 * 1024 * 1024 + 1), {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (status, answer["RetCode"]) == (413, 240)
    assert shop.customer.send("(60)123456780")["RetCode"] == 0


def test_the_same_signed_request_again_is_the_same_submission(shop: Shop) -> None:
    parameters = shop.customer.parameters(PhoneNumbers__0="(60)171111111")
    signed = {**parameters, "Signature": sign(parameters, shop.account.private_key)}
    first, second = shop.customer.post(signed), shop.customer.post(signed)
    assert first == second
    reported(shop, first["SessionNo"], ["(60)171111111"])
    assert [e["destination"] for e in shop.site.submits()].count("60171111111") == 1


def test_a_restricted_rate_is_153(site: Site) -> None:
    site.settings["api"] = {"requests_per_second": 1.0}
    site.write_config()
    account = site.customer()
    site.start_simulator("--receipts", "delivered")
    site.start_gateway()
    customer = RawCustomer(site, account)
    codes = [customer.send(phone)["RetCode"] for phone in numbers("18", 20)]
    assert codes[0] == 0
    assert set(codes) == {0, 153}


def test_a_client_whose_key_nobody_knows_sees_the_code(shop: Shop) -> None:
    stranger = Client(
        {"base_url": shop.site.url, "public_key": "x", "private_key": "y", "project_id": "org-1"}
    )
    with pytest.raises(exc.RetCodeException) as refused:
        stranger.usms().send_usms_message(request(shop.account))
    assert refused.value.code == 172


def test_nothing_secret_is_in_the_logs(shop: Shop) -> None:
    logged = Path(shop.site.gateway.log).read_text()
    assert shop.account.private_key not in logged
    assert "123456789" not in logged
    assert "Your order" not in logged
