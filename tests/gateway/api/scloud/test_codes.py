"""RetCodes and their words."""

import re
from pathlib import Path

from gateway.api.scloud.codes import MESSAGES, Refusal, RetCode


def test_every_refusal_has_words() -> None:
    assert set(MESSAGES) == set(RetCode) - {RetCode.OK}
    assert all(MESSAGES.values())


def test_details_follow_the_words() -> None:
    assert Refusal(RetCode.USER_UNKNOWN).message == "User Not Exists"
    assert Refusal(RetCode.PARAMETER_MISSING, "Phone").message == "Parameter missing: Phone"


def test_the_customers_page_explains_every_code() -> None:
    page = Path(__file__).parents[4] / "docs" / "api.md"
    rows = re.findall(r"^\| ([0-9, ]+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    explained = {int(number) for row in rows for number in row.split(",")}
    assert explained == set(RetCode) - {RetCode.OK}


def test_the_customers_guide_says_what_to_do_about_every_code() -> None:
    page = Path(__file__).parents[4] / "docs" / "customer-guide.md"
    rows = re.findall(r"^\| ([0-9, ]+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    remedied = [int(number) for row in rows for number in row.split(",")]
    assert len(remedied) == len(set(remedied))
    assert set(remedied) == set(RetCode) - {RetCode.OK}
