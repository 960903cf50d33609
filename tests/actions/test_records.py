"""Statistics, pulled reports and conversion, by the published client against a running gateway."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert
from ucloud.core import exc

from gateway.domain.operator import SYSTEM
from gateway.domain.statistics import COUNTERS
from gateway.store import standing, tables_stats
from gateway.store.audit import By
from tests.actions.records import DAY, PHONE
from tests.actions.sending import NOBODYS_SESSION
from tests.actions.world import NOW, Customer, World
from tests.support.counters import exact
from tests.support.processes import wait_for
from tests.support.rows import all_rows

SHANGHAI = ZoneInfo("Asia/Shanghai")


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "Page": 0,
        "NumPerPage": 100,
        "OrderBy": "SendDate",
        "OrderType": "asc",
        "StartDate": DAY,
        "EndDate": DAY,
        "Domestic": 0,
        **changes,
    }


def put(world: World, customer: Customer, day: str, country: str, template: str, **counts: int) -> None:
    row = {
        "account_id": customer.account_id,
        "project_id": customer.project_id,
        "day": day,
        "country": country,
        "purpose": 1,
        "template_id": template,
    }
    zeros = dict.fromkeys(COUNTERS, 0)
    world.store.transaction(
        lambda connection: connection.execute(insert(tables_stats.statistics).values(row | zeros | counts))
    )


def test_a_day_and_its_sums_are_told_by_their_published_names(world: World) -> None:
    found = world.client(world.one).usms().get_usms_send_statistics(asked())
    assert found["Total"] == 1
    assert found["Data"] == [
        {
            "SendDate": DAY, "BrevityCode": "MY", "Count": 8, "CostCount": 16, "SuccessCount": 5,
            "SuccessCostCount": 10, "FailedCount": 0, "FailedCostCount": 0, "UnknownCount": 3,
            "UnknownCostCount": 6, "SubmitFailedCount": 0, "SubmitFailedCostCount": 0, "SuccessRate": 62.5,
            "UserId": world.one.account_id,
        }
    ]  # fmt: skip
    assert found["StatisticsData"] == {
        "SendCount": 8, "SendCostCount": 16, "SuccessCount": 5, "SuccessCostCount": 10, "FailCount": 0,
        "FailCostCount": 0, "UnknownCount": 3, "UnknownCostCount": 6, "SubmitFailCount": 0,
        "SubmitFailCostCount": 0,
    }  # fmt: skip


def test_rows_of_templates_name_their_template(world: World) -> None:
    found = world.client(world.one).usms().get_usms_template_send_statistics(asked())
    [row] = found["Data"]
    assert row["TemplateId"] == world.one.things["template"]
    raw = world.call(world.one, "GetUSMSTemplateSendStatistics", asked())
    assert "UserId" not in raw["Data"][0]
    assert "SuccessRate" not in raw["Data"][0]


def test_order_pages_and_filters(world: World) -> None:
    for day, country, messages in (
        ("2025-12-01", "ID", 1), ("2025-12-01", "CN", 2), ("2025-12-02", "ID", 4), ("2025-12-03", "MY", 8),
    ):  # fmt: skip
        put(world, world.one, day, country, "UTA1", messages=messages, segments=messages)
    put(world, world.other, "2025-12-01", "ID", "UTA1", messages=512, segments=512)

    def rows(**changes: Any) -> list[tuple[str, str, int]]:
        whole = asked(StartDate="2025-12-01", EndDate="2025-12-31", **changes)
        answer = world.call(world.one, "GetUSMSSendStatistics", whole)
        assert answer["RetCode"] == 0, answer
        return [(row["SendDate"], row["BrevityCode"], row["Count"]) for row in answer["Data"]]

    first, second, third = ("2025-12-01", "ID", 1), ("2025-12-02", "ID", 4), ("2025-12-03", "MY", 8)
    assert rows() == [first, second, third]
    assert rows(OrderType="desc") == [third, second, first]
    assert rows(OrderBy="BrevityCode", OrderType="desc") == [third, first, second]
    assert rows(Page=1, NumPerPage=2) == [third]
    assert rows(Page=9) == []
    assert rows(Domestic=1) == [("2025-12-01", "CN", 2)]
    assert rows(BrevityCode="CN-MY") == [third]
    assert rows(BrevityCode="id") == [first, second]
    assert rows(Purpose=1) == [first, second, third]
    assert rows(Purpose=3) == []
    answer = world.call(
        world.one, "GetUSMSSendStatistics", asked(StartDate="2025-12-01", EndDate="2025-12-31", NumPerPage=1)
    )
    assert (answer["Total"], answer["StatisticsData"]["SendCount"]) == (3, 13)


def test_today_is_not_told_and_yesterday_is(world: World) -> None:
    world.call(world.one, "SendUSMSMessage", world.message(world.one))
    world.settled()
    assert exact(world.store)
    today = datetime.now(UTC).astimezone(SHANGHAI).date()
    yesterday = (today - timedelta(days=1)).isoformat()
    put(world, world.one, yesterday, "SG", "UTA1", messages=1, segments=1)
    own = [row for row in all_rows(world.store, tables_stats.statistics) if row["day"] == today.isoformat()]
    assert sum(row["messages"] for row in own) >= 1
    answer = world.call(
        world.one, "GetUSMSSendStatistics", asked(StartDate=yesterday, EndDate=today.isoformat())
    )
    assert [row["SendDate"] for row in answer["Data"]] == [yesterday]
    alone = asked(StartDate=today.isoformat(), EndDate=today.isoformat())
    answer = world.call(world.one, "GetUSMSSendStatistics", alone)
    assert (answer["RetCode"], answer["Total"], answer["Data"]) == (0, 0, [])
    assert answer["StatisticsData"]["SendCount"] == 0
    gone = world.store.transaction(
        lambda c: c.execute(tables_stats.statistics.delete().where(tables_stats.statistics.c.country == "SG"))
    )
    assert gone.rowcount == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"StartDate": "2026-1-15"}, 18002),
        ({"StartDate": "２０２６-01-15"}, 18002),
        ({"EndDate": "2026-02-30"}, 18003),
        ({"EndDate": "0000-01-01"}, 18003),
        ({"Page": "-1"}, 18002),
        ({"NumPerPage": "0"}, 18003),
        ({"NumPerPage": "1001"}, 18003),
        ({"NumPerPage": "9" * 30}, 18002),
        ({"OrderType": "ASC"}, 18003),
        ({"Domestic": "2"}, 18003),
        ({"Domestic": "true"}, 18002),
        ({"Purpose": "0"}, 18003),
        ({"BrevityCode": "CN-"}, 18002),
    ],
)
def test_what_cannot_be_asked(world: World, changes: dict[str, Any], code: int) -> None:
    assert world.call(world.one, "GetUSMSSendStatistics", asked(**changes))["RetCode"] == code


# -- reports that are pulled


def pulled(world: World, customer: Customer, **parameters: Any) -> dict[str, Any]:
    found: dict[str, Any] = world.client(customer).invoke("PullUSMSReport", parameters)
    return found


def drained(world: World, customer: Customer) -> None:
    while pulled(world, customer, Limit=200)["ReportSet"]:
        pass


def sent(world: World, customer: Customer, count: int) -> str:
    phones = [f"(60)12{n:07d}" for n in range(count)]
    answer = world.call(customer, "SendUSMSMessage", world.message(customer, PhoneNumbers=phones))
    world.settled()
    session: str = answer["SessionNo"]
    return session


def test_every_report_is_pulled_once_and_says_what_the_receipt_says(world: World) -> None:
    drained(world, world.one)
    session = sent(world, world.one, 3)
    first, second, third = (pulled(world, world.one, Limit=2) for _ in range(3))
    assert [len(page["ReportSet"]) for page in (first, second, third)] == [2, 1, 0]
    assert first["Message"] == "pull success"
    assert len({uuid.UUID(page["ReqUuid"]) for page in (first, second, third)}) == 3
    reports = {report.pop("Phone"): report for report in (*first["ReportSet"], *second["ReportSet"])}
    assert len(reports) == 3
    [entry] = world.call(world.one, "GetUSMSSendReceipt", {"SessionNoSet": [session]})["Data"]
    for receipt in entry["ReceiptSet"]:
        assert reports[receipt.pop("Phone")] == {"SessionNo": session, **receipt}


def test_reports_are_their_accounts_alone(world: World) -> None:
    drained(world, world.one)
    drained(world, world.other)
    session = sent(world, world.one, 1)
    assert pulled(world, world.other)["ReportSet"] == []
    assert [report["SessionNo"] for report in pulled(world, world.one)["ReportSet"]] == [session]


def test_polls_at_once_are_signed_alike_and_never_get_the_same_report(world: World) -> None:
    drained(world, world.one)
    sent(world, world.one, 100)
    with ThreadPoolExecutor(4) as threads:
        pages = list(threads.map(lambda _: pulled(world, world.one, Limit=10)["ReportSet"], range(12)))
    phones = [report["Phone"] for page in pages for report in page]
    assert len(phones) == len(set(phones)) == 100


def test_a_request_with_an_id_of_its_own_can_be_repeated(world: World) -> None:
    drained(world, world.one)
    sent(world, world.one, 3)
    mine, others = str(uuid.uuid4()), str(uuid.uuid4())
    first = pulled(world, world.one, Limit=2, ReqUuid=mine)
    assert first["ReqUuid"] == mine
    assert len(first["ReportSet"]) == 2
    assert pulled(world, world.one, Limit=2, ReqUuid=mine) == first
    other = pulled(world, world.one, Limit=2, ReqUuid=others)["ReportSet"]
    assert len(other) == 1
    assert other[0] not in first["ReportSet"]
    assert world.call(world.one, "PullUSMSReport", {"ReqUuid": "mine"})["RetCode"] == 18002


def test_pulling_is_off_until_it_is_switched_on(world: World) -> None:
    client = world.client(world.poor)

    def switch(on: bool) -> None:
        by = By(actor=SYSTEM, now_ms=NOW)
        world.store.transaction(lambda c: standing.set_pull_reports(c, world.poor.account_id, on, by))

    def code() -> int:
        try:
            client.invoke("PullUSMSReport", {"Limit": 1})
        except exc.RetCodeException as refused:
            return int(refused.code)
        return 0

    switch(False)
    wait_for_code(code, 291)
    switch(True)
    wait_for_code(code, 0)


def wait_for_code(look: Any, wanted: int) -> None:
    wait_for(f"RetCode {wanted}", lambda: look() == wanted)


# -- what customers tell of use


def use(world: World, customer: Customer) -> tuple[int, int]:
    rows = all_rows(world.store, tables_stats.statistics)
    own = [row for row in rows if row["account_id"] == customer.account_id]
    return sum(row["used"] for row in own), sum(row["unused"] for row in own)


def test_use_is_told_by_session_or_by_number_and_the_last_word_counts(world: World) -> None:
    before = use(world, world.one)
    session = sent(world, world.one, 3)

    def told(status: str, *phones: str) -> Any:
        parameters = {"SessionNoSet": [session, NOBODYS_SESSION], "CustomerStatus": status}
        if phones:
            parameters["PhoneNumbers"] = list(phones)
        return world.client(world.one).invoke("upUSMSCustomerStatus", parameters)["Data"]

    assert told("0") == [{"MessageNo": session}]
    assert use(world, world.one) == (before[0] + 3, before[1])
    told("1", "(60)120000000")
    assert use(world, world.one) == (before[0] + 2, before[1] + 1)
    assert told("0", "(60)139999999") == []
    assert use(world, world.one) == (before[0] + 2, before[1] + 1)
    assert exact(world.store)
    raw = world.call(world.one, "upUSMSCustomerStatus", {"SessionNoSet": [session], "CustomerStatus": "0"})
    assert raw["Action"] == "upUSMSCustomerStatus"


def test_a_code_that_was_entered_is_told_by_number(world: World) -> None:
    before = use(world, world.one)
    session = sent(world, world.one, 2)
    parameters = {
        "SendNo": session,
        "Target": "(60)120000001",
        "BackfillTime": 1_790_000_000,
        "Content": "246810",
        "SendTime": 1_789_999_000,
    }
    client = world.client(world.one).usms()
    assert client.add_backfill(parameters)["Message"] == "Success"
    client.add_backfill(parameters)
    assert use(world, world.one) == (before[0] + 1, before[1])
    rows = all_rows(world.store, tables_stats.conversions)
    assert [row["used_at"] for row in rows if row["used_at"]] == [1_790_000_000_000]
    with pytest.raises(exc.RetCodeException) as refused:
        client.add_backfill(parameters | {"Target": "(60)120000009"})
    assert refused.value.code == 18003


def test_nobody_tells_of_anothers_messages(world: World) -> None:
    theirs = world.other.things["session"]
    answer = world.call(world.one, "upUSMSCustomerStatus", {"SessionNoSet": [theirs], "CustomerStatus": "0"})
    assert (answer["RetCode"], answer["Data"]) == (0, [])
    refused = world.call(world.one, "AddBackfill", {"SendNo": theirs, "Target": PHONE})
    unknown = world.call(world.one, "AddBackfill", {"SendNo": NOBODYS_SESSION, "Target": PHONE})
    assert refused == unknown
    assert use(world, world.other) == (0, 0)
