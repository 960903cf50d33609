"""From hand-in to the first message, and to the day it is taken away: client, gateway, reviewer."""

import base64
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ucloud.core import exc

from tests.support.customer import RawCustomer, published_client
from tests.support.gateway import Account, Site
from tests.support.processes import wait_for

pytestmark = pytest.mark.slow

PDF = b"%PDF-1.7 licence"
PDF_TEXT = base64.b64encode(PDF).decode()


class Shop:
    """A gateway, and a customer with money and nothing approved."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sent, self.session = 0, ""
        site.write_config()
        made = site.own_cli("account", "create", "New")
        site.own_cli("account", "credit", made["account_id"], "100")
        self.account = Account(
            *(made[name] for name in ("account_id", "project_id", "public_key", "private_key")), "", {}
        )
        site.start_simulator("--receipts", "delivered")
        site.start_gateway()
        self.usms = published_client(site, self.account).usms()

    def send(self, template: str, signature: str) -> int:
        """Send one message, return the RetCode."""
        account = replace(self.account, signature=signature, templates={"notification": template})
        self.sent += 1  # the same request again would get the first one's answer
        answer = RawCustomer(self.site, account).send("(60)123456789", UserId=str(self.sent))
        self.session = answer.get("SessionNo", self.session)
        code: int = answer["RetCode"]
        return code

    def checked(self, template: str) -> dict[str, Any]:
        """Return the template once the automatic checks have seen it."""

        def look() -> dict[str, Any]:
            found: dict[str, Any] = self.usms.query_usms_template({"TemplateId": template})["Data"]
            return found if found["Status"] != 0 else {}

        return wait_for("automatic checks", look)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield Shop(site)


def test_from_hand_in_to_the_first_message_and_back(shop: Shop) -> None:
    cli = shop.site.cli
    signature = shop.usms.create_usms_signature(
        {
            "SigContent": "【优刻得科技】",
            "SigType": 0,
            "SigPurpose": 0,
            "CertificateType": 0,
            "Description": "our company",
            "File": f"data:application/pdf;base64,{PDF_TEXT}",
        }
    )["SigId"]
    template = shop.usms.create_usms_template(
        {"Purpose": 2, "TemplateName": "shipping", "Template": "Your order {1} has left."}
    )["TemplateId"]
    assert shop.checked(template)["Status"] == 1
    assert shop.send(template, signature) == 18017

    listed = {item["id"]: item for item in cli("review", "list")}
    assert {signature, template} <= set(listed)
    cli("review", "approve", template, "--version", str(listed[template]["version"]))
    assert shop.send(template, signature) == 18016
    cli("review", "approve", signature)
    assert shop.usms.query_usms_signature({"SigId": signature})["Data"]["Status"] == 2
    assert shop.send(template, signature) == 0

    # the command returns when it holds: the very next message meets it
    cli("review", "disable", template, "--reason", "complaints")
    assert shop.send(template, signature) == 18017
    cli("review", "approve", template, "--reason", "settled")
    assert shop.send(template, signature) == 0
    cli("signature", "disable", signature, "--reason", "the brand is another's")
    assert shop.send(template, signature) == 18016
    # what is deleted is gone for who sends, and still told of the messages it made
    shop.usms.delete_usms_template({"TemplateIds": [template]})
    (life,) = cli("message", "show", shop.session, "--text")["messages"]
    assert (life["template_id"], life["text"]) == (template, "【优刻得科技】Your order 42 has left.")
    assert shop.usms.query_usms_signature({"SigId": signature})["Data"] == {
        "SigId": signature, "SigContent": "优刻得科技", "Status": 4, "ErrDesc": "the brand is another's",
    }  # fmt: skip


def test_an_edit_takes_an_approved_template_off_the_air(shop: Shop) -> None:
    brand = shop.site.cli(
        "signature", "create", "--account", shop.account.account_id, "--text", "Other", "--approve"
    )
    template = shop.usms.create_usms_template(
        {"Purpose": 2, "TemplateName": "editing", "Template": "Your order {1} was packed."}
    )["TemplateId"]
    shop.checked(template)
    shop.site.cli("review", "approve", template)
    assert shop.send(template, brand["signature_id"]) == 0
    shop.usms.update_usms_template({"TemplateId": template, "Template": "Your order {1} is ready."})
    # the answer comes when it holds: no message slips through between the two
    assert shop.send(template, brand["signature_id"]) == 18017
    assert shop.checked(template)["Status"] == 1


def test_what_the_rules_refuse_never_reaches_a_reviewer(shop: Shop) -> None:
    template = shop.usms.create_usms_template(
        {"Purpose": 2, "TemplateName": "casino", "Template": "Play {1} at the C-A-S-I-N-O"}
    )["TemplateId"]
    found = shop.checked(template)
    assert (found["Status"], "gambling is not carried" in found["ErrDesc"]) == (3, True)
    assert template not in {item["id"] for item in shop.site.cli("review", "list")}
    shop.usms.delete_usms_template({"TemplateIds": [template]})
    with pytest.raises(exc.RetCodeException) as refused:
        shop.usms.query_usms_template({"TemplateId": template})
    assert refused.value.code == 18017


def test_papers_go_to_the_reviewer_and_come_back_by_link_alone(shop: Shop, tmp_path: Path) -> None:
    uploaded = shop.usms.upload_usms_file(
        {"FileName": "licence.pdf", "FileContent": PDF_TEXT, "Source": 0, "FileType": "application/pdf"}
    )["FileId"]
    made = shop.usms.add_usms_signature_qualification(
        {
            "Name": "papers",
            "Attr": 0,
            "Status": 0,
            "HandlerPhone": "13800000000",
            "CompanyCertificateFileId": uploaded,
        }
    )["QualificationId"]
    found = shop.usms.query_usms_signature_qualification({"QualificationId": made})["Data"]
    link = shop.site.url + found["CompanyCertificateFile"]
    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == PDF
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''licence.pdf"
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for wrong in (link[:-1] + ("0" if link[-1] != "0" else "1"), link.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(wrong, timeout=10)
        assert refused.value.code == 404
        assert refused.value.headers["Content-Type"] == "application/problem+json"
        refused.value.close()
    target = tmp_path / "licence.pdf"
    shop.site.cli("review", "file", made, uploaded, "--to", str(target))
    assert target.read_bytes() == PDF
    (listed,) = shop.usms.get_usms_signature_qualification(
        {"Page": 0, "NumPerPage": 10, "OrderBy": "CreateTime", "OrderType": "asc"}
    )["Data"]
    assert (listed["QualificationId"], listed["Status"]) == (made, 0)


def test_a_changed_rule_file_is_taken_over_while_the_gateway_runs(site: Site) -> None:
    rules = site.directory / "rules.toml"
    rules.write_text('[severity]\nno-signature = "off"\n')
    site.settings["review"] = {"rules": "rules.toml"}
    shop = Shop(site)
    template = {"Purpose": 2, "TemplateName": "notice", "Template": "Acme says {1} to you."}
    first = shop.usms.create_usms_template(template)["TemplateId"]
    assert shop.checked(first)["Status"] == 1
    rules.write_text('[[rule]]\nid = "acme"\nreason = "no acme"\nwords.en = ["acme"]\n')
    wait_for("new rules", lambda: "review rules taken over" in site.gateway.tail())
    second = shop.usms.create_usms_template({**template, "TemplateName": "second"})["TemplateId"]
    assert shop.checked(second)["ErrDesc"] == "no acme"
