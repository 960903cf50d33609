"""Accounts' own rules, what the rules did, and what is counted again after a restart, on both databases."""

from typing import Any

import pytest
from sqlalchemy import select

from config.schema import RiskMode, RiskRule, RiskSettings
from gateway.domain.message import Purpose, Reason, State
from gateway.domain.operator import SYSTEM
from gateway.domain.risk import Override, Policy
from gateway.errors import Invalid, NotFound
from gateway.store import risk
from gateway.store.audit import By
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.risk import Asked
from gateway.store.tables_operators import audit
from gateway.store.tables_risk import risk_counts, risk_rules, risk_samples
from tests.support.messages import NOON_MS, message, submission
from tests.support.rows import ACCOUNT, accepted, all_rows, commit, open_account

EVERYBODY = Policy.of(RiskSettings())


def set_(store: Store, rule: RiskRule, mode: RiskMode | None = None, value: str | None = None) -> None:
    store.transaction(lambda c: risk.set_rule(c, ACCOUNT, Override(rule, mode, value), By(SYSTEM, NOON_MS)))


def test_an_accounts_own_rule_changes_by_parts_and_goes_away_whole(store: Store) -> None:
    open_account(store)
    set_(store, RiskRule.HOURS, RiskMode.MONITOR)
    set_(store, RiskRule.HOURS, value="09:00-18:00 refuse")
    own = store.read_now(lambda c: risk.load_policies(c, EVERYBODY)).of(ACCOUNT)
    assert own.modes[RiskRule.HOURS] is RiskMode.MONITOR
    assert own.values[RiskRule.HOURS] == "09:00-18:00 refuse"
    (setting,) = store.read_now(lambda c: risk.settings(c, ACCOUNT))
    assert (setting.rule, setting.by, setting.at) == ("hours", "system", NOON_MS)
    set_(store, RiskRule.HOURS)
    assert store.read_now(lambda c: risk.load_policies(c, EVERYBODY)).of(ACCOUNT) is EVERYBODY
    noted = select(audit.c.action, audit.c.before, audit.c.after).order_by(audit.c.id)
    entries = store.read_now(lambda c: c.execute(noted).all())
    assert [tuple(entry) for entry in entries] == [
        ("risk.set", None, '{"rule":"hours","mode":"monitor","value":null}'),
        (
            "risk.set",
            '{"rule":"hours","mode":"monitor","value":null}',
            '{"rule":"hours","mode":"monitor","value":"09:00-18:00 refuse"}',
        ),
        ("risk.set", '{"rule":"hours","mode":"monitor","value":"09:00-18:00 refuse"}', None),
    ]


def test_a_value_or_an_account_that_cannot_be_changes_nothing(store: Store) -> None:
    with pytest.raises(NotFound):
        set_(store, RiskRule.HOURS, RiskMode.OFF)
    open_account(store)
    with pytest.raises(Invalid, match="content_day: must be COUNT/WINDOW"):
        set_(store, RiskRule.CONTENT_DAY, RiskMode.OFF, "ten")
    assert all_rows(store, risk_rules) == []
    assert all_rows(store, audit) == []


def test_a_rule_of_another_release_is_passed_over(store: Store) -> None:
    open_account(store)
    row = {"account_id": ACCOUNT, "rule": "moon_phase", "mode": "on", "by": "x", "at": 0}
    store.transaction(lambda c: c.execute(risk_rules.insert().values(row)))
    assert store.read_now(lambda c: risk.load_policies(c, EVERYBODY)).own == {}


def counted(store: Store, *rows: tuple[str, str, str, str, int]) -> None:
    commit(store, *(Changes(risk_counts=[row]) for row in rows))


def test_what_the_rules_did_adds_up_by_day_account_and_rule(store: Store) -> None:
    counted(store, ("2026-09-21", "acc-1", "hours", "on", 3), ("2026-09-21", "acc-1", "hours", "on", 4))
    counted(store, ("2026-09-21", "acc-1", "hours", "on", 1), ("2026-09-21", "acc-1", "hours", "monitor", 1))
    counted(store, ("2026-09-22", "acc-2", "content", "on", 2))
    commit(store, Changes(risk_counts=[("2026-09-23", "acc-2", "content", "on", 2)] * 3))

    def report(**asked: Any) -> list[int]:
        return [row["count"] for row in store.read_now(lambda c: risk.report(c, Asked(**asked)))]

    assert report() == [1, 8, 2, 6]
    assert report(account_id="acc-1") == [1, 8]
    assert report(rule="content", since="2026-09-23") == [6]
    assert report(until="2026-09-21") == [1, 8]
    assert store.read_now(lambda c: risk.report(c, Asked(account_id="acc-2")))[0] == {
        "day": "2026-09-22", "account_id": "acc-2", "rule": "content", "mode": "on", "count": 2,
    }  # fmt: skip


def test_examples_come_newest_first_and_both_are_forgotten_by_day(store: Store) -> None:
    for day in (21, 22):
        sample = (f"2026-09-{day}", "acc-1", "hours", "on", NOON_MS + day, "6012****78", "hours")
        commit(
            store, Changes(risk_samples=[sample], risk_counts=[(f"2026-09-{day}", "acc-1", "hours", "on", 1)])
        )
    found = store.read_now(lambda c: risk.samples(c, Asked(), 5))
    assert [row["at"] for row in found] == [NOON_MS + 22, NOON_MS + 21]
    assert len(store.read_now(lambda c: risk.samples(c, Asked(), 1))) == 1
    purge = lambda c: risk.purge(c, "2026-09-22")  # noqa: E731
    assert [store.transaction(purge), store.transaction(purge)] == [2, None]
    assert [len(all_rows(store, table)) for table in (risk_counts, risk_samples)] == [1, 1]


def test_what_was_accepted_lately_is_read_newest_first_with_its_own_text_or_the_submissions(
    store: Store,
) -> None:
    own = submission(id=2_000, session_no="018f0000-0000-7000-8000-000000000001", text=None)
    commit(
        store,
        accepted(
            message(1),
            message(2, state=State.FAILED, reason=Reason.RATE_LIMITED, final_at=NOON_MS),  # ended at once
            message(3, state=State.FAILED, reason=Reason.REFUSED_BY_CARRIER, final_at=NOON_MS + 1),
            message(4, phone=None, phone_given=None),  # redacted
            message(5, accepted_at=NOON_MS - 10),
            messages=5,
        ),
        accepted(
            message(1_001, submission=own, text="Sale", template_id="UTB1", purpose=Purpose.PROMOTION),
        ),
    )

    def since(ms: int, before: int = 1 << 62, limit: int = 10) -> list[int]:
        return [row[0] for row in store.read_now(lambda c: risk.accepted_since(c, ms, before, limit, (1, 3)))]

    assert since(NOON_MS - 100) == []  # ids carry the time, and these are of 2020
    later = lambda c: risk.accepted_since(c, 0, 1 << 62, 10, (1, 3))  # noqa: E731
    rows = store.read_now(later)
    assert [row[0] for row in rows] == [2_001, 1_005, 1_003, 1_001]
    assert rows[0] == (2_001, ACCOUNT, 3, "60123001001", "UTB1", "Sale", NOON_MS)
    assert rows[-1][3:] == ("60123000001", "UTA000000000001", "【Acme】Your code is 246810", NOON_MS)
    others = store.read_now(lambda c: risk.accepted_since(c, 0, 1 << 62, 10, (2, 3)))
    assert [row[0] for row in others] == [2_001]
    assert since(0, before=1_005, limit=1) == [1_003]
    assert since(0, before=1_001) == []
