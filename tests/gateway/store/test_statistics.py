"""The counters as they are read, and whose days they are of."""

import pytest

from gateway.domain.message import State
from gateway.domain.statistics import QUARTER_MS
from gateway.store.engine import Store
from gateway.store.statistics import Wanted, calendar, page, use_zone
from tests.support.counters import ended, sent, submitted
from tests.support.messages import NOON_MS
from tests.support.rows import commit

DAY_MS = 86_400_000
DAYS = ("2026-09-20", "2026-09-21", "2026-09-22")
ALL = Wanted(first=DAYS[0], last=DAYS[2], account_id="acc-one")


@pytest.fixture(autouse=True)
def three_days(store: Store) -> None:
    """Send every day to three countries, one message more each day; those to MY arrive."""
    number = 0
    for index in range(3):
        for country, template in (("CN", "UTA1"), ("MY", "UTA1"), ("MY", "UTN2"), ("SG", "UTN2")):
            number += 1
            at = NOON_MS + (index - 1) * DAY_MS
            fields = {"country": country, "template_id": template, "segments": 2}
            unit, messages = sent(index + 1, at=at, number=number, purpose=2, **fields)
            commit(store, unit, submitted(messages))
            if country == "MY":
                commit(store, ended(messages, State.DELIVERED))
    other, _ = sent(7, number=99, account_id="acc-two")
    commit(store, other)


def test_groups_come_in_order_and_sums_are_of_all_of_them(store: Store) -> None:
    found = store.read_now(lambda connection: page(connection, ALL, ("day", "country"), limit=4))
    assert [(row["day"], row["country"], row["messages"], row["success"]) for row in found.rows] == [
        (DAYS[0], "CN", 1, 0),
        (DAYS[0], "MY", 2, 2),
        (DAYS[0], "SG", 1, 0),
        (DAYS[1], "CN", 2, 0),
    ]
    assert found.total == 9
    assert (found.sums["messages"], found.sums["segments"], found.sums["success"]) == (24, 48, 12)
    assert all(type(value) in (int, str) for row in (*found.rows, found.sums) for value in row.values())


def test_the_first_column_may_be_turned(store: Store) -> None:
    found = store.read_now(lambda connection: page(connection, ALL, ("country", "day"), descending=True))
    assert [(row["country"], row["day"]) for row in found.rows] == [
        (country, day) for country in ("SG", "MY", "CN") for day in DAYS
    ]


def test_pages_follow_each_other_without_gap_or_repetition(store: Store) -> None:
    by = ("day", "country", "template_id")
    whole = store.read_now(lambda connection: page(connection, ALL, by)).rows
    assert len(whole) == 12
    paged = []
    for offset in range(0, 15, 5):
        paged += store.read_now(lambda c, offset=offset: page(c, ALL, by, offset=offset, limit=5)).rows
    assert paged == whole


@pytest.mark.parametrize(
    ("wanted", "messages"),
    [
        (ALL, 24),
        (Wanted(first=DAYS[1], last=DAYS[1], account_id="acc-one"), 8),
        (Wanted(first=DAYS[0], last=DAYS[2]), 31),
        (Wanted(first=DAYS[0], last=DAYS[2], account_id="acc-one", home="CN"), 6),
        (Wanted(first=DAYS[0], last=DAYS[2], account_id="acc-one", home="CN", domestic=False), 18),
        (Wanted(first=DAYS[0], last=DAYS[2], account_id="acc-one", countries=("SG", "CN", "XX")), 12),
        (Wanted(first=DAYS[0], last=DAYS[2], template_id="UTN2"), 12),
        (Wanted(first=DAYS[0], last=DAYS[2], purpose=1), 7),
        (Wanted(first=DAYS[0], last=DAYS[2], project_id="org-nobodys"), 0),
        (Wanted(first="2020-01-01", last="2020-12-31"), 0),
    ],
)
def test_what_is_asked_narrows_the_sums(store: Store, wanted: Wanted, messages: int) -> None:
    found = store.read_now(lambda connection: page(connection, wanted, ("day",)))
    assert found.sums["messages"] == messages


def test_the_first_zone_holds_for_the_past_and_another_from_its_time_on(store: Store) -> None:
    assert store.transaction(lambda c: use_zone(c, "Asia/Shanghai", NOON_MS))
    assert not store.transaction(lambda c: use_zone(c, "Asia/Shanghai", NOON_MS + 1))
    assert not store.transaction(lambda c: use_zone(c, "America/New_York", NOON_MS + 1))
    days = store.read_now(calendar)
    evening = NOON_MS - NOON_MS % DAY_MS + 17 * 3_600_000
    assert days.day(evening - DAY_MS) == "2026-09-21"
    assert days.day(evening + DAY_MS) == "2026-09-22"


def test_a_change_of_mind_within_the_quarter_leaves_one_zone(store: Store) -> None:
    quarter = NOON_MS - NOON_MS % QUARTER_MS
    for zone in ("UTC", "Asia/Shanghai", "America/New_York"):
        store.transaction(lambda c, zone=zone: use_zone(c, zone, quarter + 1))
    days = store.read_now(calendar)
    assert days.day(quarter + QUARTER_MS - 1) == "2026-09-21"
    midnight_there = NOON_MS - NOON_MS % DAY_MS + DAY_MS + 4 * 3_600_000
    assert days.day(midnight_there - 1) == "2026-09-21"
    assert days.day(midnight_there) == "2026-09-22"
