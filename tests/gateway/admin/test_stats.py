"""`/stats` through the admin API."""

from datetime import UTC, datetime

import pytest

from gateway.domain.message import State
from gateway.domain.operator import Role
from gateway.store.changes import Changes
from tests.support.admin import Installation, Person
from tests.support.counters import ended, sent, submitted
from tests.support.messages import NOON_MS
from tests.support.rows import commit

DAY = datetime.fromtimestamp(NOON_MS / 1000, UTC).date().isoformat()


@pytest.fixture
async def viewer(here: Installation) -> Person:
    """Somebody who may look, where three messages went to MY (two arrived, one was used) and one to SG."""
    unit, messages = sent(3)
    commit(here.store, unit, submitted(messages))
    commit(here.store, ended(messages[:2], State.DELIVERED))
    commit(here.store, Changes(conversions=[(messages[0].id, 1, None, NOON_MS)]))
    commit(here.store, sent(1, number=1, country="SG", account_id="acc-two")[0])
    return await here.logged_in("vera", Role.VIEWER)


async def test_counters_are_shown_by_what_is_asked(viewer: Person) -> None:
    answer = (await viewer.get(f"/stats?first={DAY}&last={DAY}&by=country,account")).json
    assert (answer["total"], answer["next"]) == (2, None)
    malaysia, singapore = answer["items"]
    assert (malaysia["country"], malaysia["account_id"], malaysia["day"]) == ("MY", "acc-one", None)
    assert (malaysia["messages"], malaysia["success"], malaysia["under_way"]) == (3, 2, 1)
    assert (malaysia["success_rate"], malaysia["used"], malaysia["conversion"]) == (66.67, 1, 33.33)
    assert (singapore["messages"], singapore["conversion"]) == (1, None)
    [whole] = (await viewer.get(f"/stats?last={DAY}")).json["items"]
    assert (whole["day"], whole["messages"]) == (DAY, 4)


async def test_filters_and_pages(viewer: Person) -> None:
    path = f"/stats?first={DAY}&last={DAY}&by=country"
    assert [one["country"] for one in (await viewer.get(f"{path}&country=sg,id")).json["items"]] == ["SG"]
    assert [one["country"] for one in (await viewer.get(f"{path}&account_id=acc-one")).json["items"]] == [
        "MY"
    ]
    assert (await viewer.get(f"{path}&purpose=3")).json["items"] == []
    first = (await viewer.get(f"{path}&limit=1")).json
    second = (await viewer.get(f"{path}&limit=1&cursor={first['next']}")).json
    assert [page["items"][0]["country"] for page in (first, second)] == ["MY", "SG"]
    assert second["next"] is None


async def test_the_first_days_of_the_calendar_have_no_week_before_them(viewer: Person) -> None:
    answer = await viewer.get("/stats?last=0001-01-03")
    assert (answer.status, answer.json["items"]) == (200, [])


@pytest.mark.parametrize(
    "query", ["by=phone", "by=day,day", "by=", "first=yesterday", "purpose=4", "cursor=x"]
)
async def test_what_cannot_be_asked(viewer: Person, query: str) -> None:
    assert (await viewer.get(f"/stats?{query}")).status == 400


async def test_pulling_is_switched_for_an_account(here: Installation) -> None:
    root = await here.logged_in("root", Role.ADMIN)
    account = (await root.post("/accounts", {"name": "Acme"})).json["account_id"]
    for wanted in (True, False):
        changed = await root.ask("PUT", f"/accounts/{account}/pull-reports", {"pull_reports": wanted})
        assert (changed.status, changed.json["pull_reports"]) == (200, wanted)
