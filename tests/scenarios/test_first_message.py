"""The first message: from a new customer's request to the carrier, and its receipt all the way back."""

import pytest

from tests.support.customer import Inbox, RawCustomer, published_client
from tests.support.gateway import Site
from tests.support.processes import wait_for

pytestmark = pytest.mark.slow


def test_the_first_message_goes_out_over_smpp_and_its_receipt_comes_back(site: Site, inbox: Inbox) -> None:
    site.write_config()
    account = site.customer(callback=inbox.url, purposes=("verification",), cli=site.cli)
    site.start_simulator("--receipts", "delivered")
    site.start_gateway()

    answer = published_client(site, account).usms().send_usms_message(
        {
            "PhoneNumbers": ["(60)123456789"],
            "TemplateId": account.templates["verification"],
            "SigContent": "Acme",
            "TemplateParams": ["246810"],
            "UserId": "order-42",
        }
    )  # fmt: skip
    session = answer["SessionNo"]
    receipt = RawCustomer(site, account).await_receipts(session, 1)["(60)123456789"]
    assert receipt["ReceiptResult"] == "Success"
    assert receipt["ReceiptCode"] == "DELIVRD"
    assert receipt["CostCount"] == 1
    assert receipt["UserId"] == "order-42"

    inbox.await_reports({(session, "(60)123456789")})
    assert inbox.items() == [{"SessionNo": session, **receipt}]

    [submitted] = site.submits()
    assert submitted["destination"] == "60123456789"
    assert bytes.fromhex(submitted["text"]).decode("utf-16-be") == "【Acme】Your verification code is 246810."


def test_one_command_tells_a_messages_whole_life(site: Site, inbox: Inbox) -> None:
    site.write_config()
    account = site.customer(callback=inbox.url)
    site.start_simulator("--receipts", "undelivered")
    site.start_gateway()
    session = RawCustomer(site, account).send("(60)123456789")["SessionNo"]
    inbox.await_reports({(session, "(60)123456789")})
    told = str(site.cli("message", "show", session))
    for word in (session, "sim-1", "undelivered", "UNDELIV"):
        assert word.lower() in told.lower(), f"{word} is missing in {told}"


def test_what_the_command_line_makes_takes_effect_while_the_gateway_runs(site: Site) -> None:
    site.write_config()
    site.start_simulator("--receipts", "delivered")
    site.start_gateway()
    with Inbox() as inbox:
        account = site.customer(callback=inbox.url, cli=site.cli)
        customer = RawCustomer(site, account)
        session = first_acknowledged(customer)
        inbox.await_reports({(session, "(60)123456789")})


def first_acknowledged(customer: RawCustomer) -> str:
    """Send until the gateway knows the customer; return the session."""
    answer: dict[str, object] = {}

    def accepted() -> bool:
        answer.update(customer.send("(60)123456789"))
        return answer["RetCode"] == 0

    wait_for("accepted message", accepted, 5.0)
    return str(answer["SessionNo"])
