"""Risk control at accept: who gets nothing, who has to wait, and what survives a restart."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from carriers.results import Fate
from config.schema import RiskMode, RiskRule, RiskSettings
from gateway.domain.lists import Listing, ListKind
from gateway.domain.message import Purpose, Reason, State
from gateway.domain.operator import SYSTEM
from gateway.domain.risk import Override
from gateway.errors import GatewayError
from gateway.flow.funds import InsufficientFunds
from gateway.store import numbers, tables, tables_risk
from gateway.store.audit import By
from gateway.store.risk import set_rule
from tests.support.flow import ACCOUNT, BALANCE, PRICE, Rig, SetClock, flow, states
from tests.support.flow import settings as flow_settings
from tests.support.messages import NOON_MS

TAKEN = (State.SENDING, Reason.CLAIMED_AT_ACCEPT)
LIMITED = (State.FAILED, Reason.RATE_LIMITED)
HELD = (State.HELD, Reason.OUTSIDE_HOURS)
PROJECT = "org-one"
HOUR, DAY = 3_600, 86_400
MORNING_MS = NOON_MS - NOON_MS % 86_400_000 + 4 * 3_600_000  # noon in Malaysia
NIGHT_MS = MORNING_MS + 9 * 3_600_000  # 21:00 there
EIGHT_MS = MORNING_MS + 20 * 3_600_000  # 08:00 the next day
SALE: dict[str, Any] = {"text": "【Acme】Sale", "purpose": Purpose.PROMOTION}


def risk(**changes: Any) -> Any:
    return flow_settings(RiskSettings(**changes))


def at(ms: int) -> SetClock:
    clock = SetClock()
    clock.ms = ms
    return clock


async def lists(rig: Rig, *listings: Listing) -> None:
    """Put numbers on their lists as a command does, and have the gateway notice."""
    rig.store.transaction(lambda c: numbers.list_numbers(c, listings, rig.clock.ms))
    await rig.pipeline.risk.lists.refresh()


def blocked(n: int, kind: ListKind = ListKind.BLOCKED, project: str = PROJECT, purpose: int = 0) -> Listing:
    return Listing(ACCOUNT, project, kind, 60120000000 + n, purpose)


async def test_a_number_that_got_enough_ends_at_once_unsent_and_uncharged(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        await rig.accept()
        await rig.accept(2)
        assert await states(rig) == [TAKEN, LIMITED, TAKEN]
        assert await rig.balance() == (BALANCE - 2 * PRICE, 2 * PRICE, 0)
        limited = (await rig.rows())[1]
        (event,) = await rig.rows(tables.events)
        assert (event["message_id"], event["detail"]) == (limited["id"], "template_rate 1/30s")
        (report,) = await rig.rows(tables.outbox)
        assert "RATE_LIMITED" in report["payload"]
        assert len(rig.channel().sent) == 2
        rig.clock.pass_(30)
        await rig.accept(text="【Acme】Your code is 1")
        assert (await states(rig))[-1] == TAKEN


async def test_two_requests_at_once_cannot_both_have_the_last_place(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        async with asyncio.TaskGroup() as customers:
            for n in range(10):
                customers.create_task(rig.accept(text=f"【Acme】Your code is {n}"))
        assert sorted(await states(rig)) == sorted([TAKEN] + [LIMITED] * 9)


async def test_two_texts_of_one_request_count_both(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        await rig.accept_texts("【Acme】Your code is 1", "【Acme】Your code is 2")
        assert await states(rig) == [TAKEN, LIMITED]


async def test_a_request_that_was_not_taken_does_not_count(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        with pytest.raises(InsufficientFunds):
            await rig.accept(BALANCE // PRICE + 1)
        await rig.accept()
        assert await states(rig) == [TAKEN]


async def test_what_the_store_refused_does_not_count(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        rig.store.transaction(lambda c: c.exec_driver_sql("ALTER TABLE submissions RENAME TO away"))
        with pytest.raises(GatewayError):
            await rig.accept()
        rig.store.transaction(lambda c: c.exec_driver_sql("ALTER TABLE away RENAME TO submissions"))
        await rig.accept()
        assert await states(rig) == [TAKEN]


async def test_a_message_without_a_way_does_not_count(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        prices = rig.pipeline.accept._prices
        known, prices.value = prices.value, type(prices.value)([])
        await rig.accept()
        prices.value = known
        await rig.accept()
        assert await states(rig) == [(State.FAILED, Reason.NO_PRICE), TAKEN]
    async with flow(tmp_path / "g.db", options=risk(), clock=rig.clock) as rig:
        assert len(rig.pipeline.risk.frequency.verification) == 1


async def test_counts_survive_a_restart(tmp_path: Path) -> None:
    clock = SetClock()
    for n in range(3):
        async with flow(tmp_path / "g.db", options=risk(), clock=clock) as rig:
            await rig.accept(text=f"【Acme】Your code is {n}")
            clock.pass_(60)
    async with flow(tmp_path / "g.db", options=risk(), clock=clock) as rig:
        await rig.accept(text="【Acme】Your code is 9")
        assert (await rig.rows())[-1]["reason"] == Reason.RATE_LIMITED
        assert (await rig.rows(tables.events))[-1]["detail"] == "verification_rate 3/1h"
        clock.pass_(HOUR - 180)
        await rig.accept(text="【Acme】Your code is 9")
        assert (await rig.rows())[-1]["reason"] != Reason.RATE_LIMITED


async def test_no_campaign_drives_codes_out_of_what_a_restart_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.flow.risk._PAGE", 4)
    clock = at(MORNING_MS)
    async with flow(tmp_path / "g.db", options=risk(history=4), clock=clock) as rig:
        await rig.accept()
        await rig.accept(40, first=2, **SALE)
        await rig.accept(first=30_000, **SALE)
    async with flow(tmp_path / "g.db", options=risk(history=4), clock=clock) as rig:
        await rig.accept()
        assert (await states(rig))[-1] == LIMITED
        await rig.accept(first=30_000, **SALE)
        assert (await states(rig))[-1] == LIMITED


async def test_what_was_limited_before_a_restart_does_not_count_after_it(tmp_path: Path) -> None:
    clock = SetClock()
    async with flow(tmp_path / "g.db", options=risk(), clock=clock) as rig:
        for _ in range(4):
            await rig.accept()
    clock.pass_(60)
    async with flow(tmp_path / "g.db", options=risk(), clock=clock) as rig:
        await rig.accept()
        assert [state == LIMITED for state in await states(rig)] == [False, True, True, True, False]


@pytest.mark.parametrize("step", [-400 * DAY, -HOUR, HOUR])
async def test_a_step_of_the_clock_frees_no_number_and_locks_none(tmp_path: Path, step: int) -> None:
    class Stepping(SetClock):
        """Its wall clock is off; the monotonic one is not."""

        off = 0

        def now_ms(self) -> int:
            return self.ms + self.off

    clock = Stepping()
    async with flow(tmp_path / "g.db", options=risk(), clock=clock) as rig:
        await rig.accept()
        clock.off = step * 1_000
        clock.pass_(29)
        await rig.accept(text="【Acme】Your code is 2")
        assert (await rig.rows())[-1]["reason"] == Reason.RATE_LIMITED
        clock.pass_(1)
        await rig.accept(text="【Acme】Your code is 2")
        assert (await rig.rows())[-1]["reason"] != Reason.RATE_LIMITED
    # a restart knows the rows' times only: what seems to come from the future counts as of now
    clock.pass_(31)
    async with flow(tmp_path / "g.db", options=risk(), clock=clock) as rig:
        clock.pass_(HOUR)
        await rig.accept(text="【Acme】Your code is 3")
        assert (await rig.rows())[-1]["reason"] != Reason.RATE_LIMITED


events = st.lists(
    st.tuples(st.integers(0, 3) | st.integers(0, 2_000), st.integers(1, 2), st.integers(1, 2), st.booleans()),
    min_size=1,
    max_size=25,
)
_names = itertools.count()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events)
async def test_windows_are_what_a_recount_of_the_store_says_also_after_restarts(
    tmp_path: Path, events: list[tuple[int, int, int, bool]]
) -> None:
    path, clock = tmp_path / f"{next(_names)}.db", SetClock()
    taken: list[tuple[int, int, int]] = []

    async def send(rig: Rig, phone: int, code: int) -> None:
        await rig.accept(text=f"【Acme】{code}", first=phone)
        here = [(when, text) for when, who, text in taken if who == phone]
        over = (
            any(clock.ms - when < 30_000 for when, _ in here)
            or sum(clock.ms - when < 3_600_000 for when, _ in here) >= 3
            or sum(clock.ms - when < 86_400_000 for when, _ in here) >= 10
            or any(text == code and clock.ms - when < 60_000 for when, text in here)
        )
        assert ((await rig.rows())[-1]["reason"] == Reason.RATE_LIMITED) is over
        if not over:
            taken.append((clock.ms, phone, code))

    runs: list[list[tuple[int, int, int]]] = [[]]
    for passed, phone, code, restart in events:
        if restart:
            runs.append([])
        runs[-1].append((passed, phone, code))
    for run in runs:
        async with flow(path, options=risk(), clock=clock) as rig:
            for passed, phone, code in run:
                clock.pass_(passed)
                await send(rig, phone, code)


async def test_a_blocked_number_and_one_that_opted_out_get_nothing(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(), clock=at(MORNING_MS)) as rig:
        await lists(
            rig,
            blocked(1),
            blocked(2, ListKind.OPTED_OUT, purpose=Purpose.PROMOTION),
            blocked(3, project=""),
            blocked(4, project="org-other"),
        )
        await rig.accept(5, **SALE)
        assert await states(rig) == [
            (State.FAILED, Reason.BLACKLISTED),
            (State.FAILED, Reason.OPTED_OUT),
            (State.FAILED, Reason.BLACKLISTED),
            TAKEN,
            TAKEN,
        ]
        await rig.accept(first=2)
        assert (await states(rig))[-1] == TAKEN  # of codes it asked for no end
        assert await rig.balance() == (BALANCE - 3 * PRICE, 3 * PRICE, 0)


async def test_a_number_on_the_allow_list_has_no_rates_but_may_be_blocked(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        await lists(rig, blocked(1, ListKind.ALLOWED, project=""))
        for _ in range(20):
            await rig.accept()
        assert LIMITED not in await states(rig)
        await lists(rig, blocked(1))
        await rig.accept()
        assert (await states(rig))[-1] == (State.FAILED, Reason.BLACKLISTED)


async def test_what_is_taken_off_a_list_is_served_again(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        await lists(rig, blocked(1))
        await rig.accept()
        rig.store.transaction(lambda c: numbers.unlist_numbers(c, [blocked(1)], rig.clock.ms))
        await rig.pipeline.risk.lists.refresh()
        await rig.accept()
        assert await states(rig) == [(State.FAILED, Reason.BLACKLISTED), TAKEN]


async def test_promotion_waits_for_the_recipients_morning_with_its_whole_validity(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(), clock=at(NIGHT_MS)) as rig:
        await rig.accept(**SALE)
        await rig.accept(first=2)  # a code does not wait
        assert await states(rig) == [HELD, TAKEN]
        held = (await rig.rows())[0]
        assert held["due_at"] == EIGHT_MS
        assert held["expires_at"] == EIGHT_MS + 2 * 86_400_000
        assert (await rig.rows(tables.events))[0]["detail"] == "hours 08:00-20:00 hold"
        rig.clock.ms = EIGHT_MS - 1
        await rig.pipeline.sweeper.look(seldom=False)
        assert (await states(rig))[0] == HELD
        rig.clock.ms = EIGHT_MS
        await rig.pipeline.sweeper.look(seldom=False)
        assert (await states(rig))[0] == (State.SENDING, Reason.CLAIMED_FROM_QUEUE)
        assert len(rig.channel().sent) == 2


async def test_a_held_message_is_still_held_after_a_restart(tmp_path: Path) -> None:
    clock = at(NIGHT_MS)
    async with flow(tmp_path / "g.db", options=risk(), clock=clock) as rig:
        await rig.accept(**SALE)
    async with flow(tmp_path / "g.db", options=risk(), clock=clock) as rig:
        assert await states(rig) == [HELD]
        clock.ms = EIGHT_MS
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.SENDING, Reason.CLAIMED_FROM_QUEUE)]


async def test_an_account_may_have_it_refused_instead(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(hours="08:00-20:00 refuse"), clock=at(NIGHT_MS)) as rig:
        await rig.accept(**SALE)
        assert await states(rig) == [(State.FAILED, Reason.OUTSIDE_HOURS)]
        assert await rig.balance() == (BALANCE, 0, 0)


async def test_promotion_that_queued_until_the_evening_waits_for_the_morning(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(), clock=at(NIGHT_MS - 2 * 3_600_000)) as rig:
        rig.channel().up = False
        await rig.accept(**SALE)
        assert await states(rig) == [(State.QUEUED, Reason.CHANNEL_DOWN)]
        rig.clock.ms = NIGHT_MS
        rig.channel().go(up=True)
        assert await states(rig) == [HELD]
        assert rig.channel().sent == []
        rig.clock.ms = EIGHT_MS
        await rig.pipeline.sweeper.look(seldom=False)
        assert len(rig.channel().sent) == 1


async def test_promotion_that_falls_due_at_night_waits_for_the_morning(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(), clock=at(NIGHT_MS)) as rig:
        await rig.accept(**SALE)
        due = update(tables.messages).values(due_at=NIGHT_MS, reason=int(Reason.RETRY_BACKOFF))
        rig.store.transaction(lambda connection: connection.execute(due))
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [HELD]
        assert (await rig.rows())[0]["due_at"] == EIGHT_MS


async def test_a_late_message_whose_validity_ends_before_the_morning_expires_then(
    tmp_path: Path,
) -> None:
    async with flow(tmp_path / "g.db", options=risk(), clock=at(NIGHT_MS)) as rig:
        await rig.accept(**SALE)
        ends = NIGHT_MS + 3_600_000
        due = update(tables.messages).values(due_at=NIGHT_MS, expires_at=ends)
        rig.store.transaction(lambda connection: connection.execute(due))
        await rig.pipeline.sweeper.look(seldom=False)
        assert (await rig.rows())[0]["due_at"] == ends
        rig.clock.ms = ends
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.EXPIRED, Reason.VALIDITY_OVER)]
        assert await rig.balance() == (BALANCE, 0, 0)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(ListKind.OPTED_OUT, Reason.OPTED_OUT), (ListKind.BLOCKED, Reason.BLACKLISTED)],
)
async def test_who_asks_for_no_more_at_night_gets_nothing_of_what_was_held_for_the_morning(
    tmp_path: Path, kind: ListKind, reason: Reason
) -> None:
    async with flow(tmp_path / "g.db", options=risk(), clock=at(NIGHT_MS)) as rig:
        await rig.accept(2, **SALE)
        await lists(rig, blocked(1, kind, purpose=Purpose.PROMOTION))
        rig.clock.ms = EIGHT_MS
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.FAILED, reason), (State.SENDING, Reason.CLAIMED_FROM_QUEUE)]
        assert await rig.balance() == (BALANCE - PRICE, PRICE, 0)
        assert len(await rig.rows(tables.outbox)) == 1
        assert len(rig.channel().sent) == 1


async def test_who_asks_for_no_more_while_a_campaign_queues_gets_nothing_of_it(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(), clock=at(MORNING_MS)) as rig:
        rig.channel().up = False
        await rig.accept(2, **SALE)
        await lists(rig, blocked(2, ListKind.OPTED_OUT, purpose=Purpose.PROMOTION))
        rig.channel().go(up=True)
        await rig.settled()
        assert await states(rig) == [
            (State.SENDING, Reason.CLAIMED_FROM_QUEUE),
            (State.FAILED, Reason.OPTED_OUT),
        ]
        assert await rig.balance() == (BALANCE - PRICE, PRICE, 0)
        await rig.pipeline.risk.verdicts.flush()
        assert [row["count"] for row in await rig.rows(tables_risk.risk_counts, rule="optout")] == [1]


async def test_a_list_that_is_only_watched_stops_nothing_that_waits(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(mode=RiskMode.MONITOR), clock=at(MORNING_MS)) as rig:
        rig.channel().up = False
        await rig.accept(**SALE)
        await lists(rig, blocked(1))
        rig.channel().go(up=True)
        assert await states(rig) == [(State.SENDING, Reason.CLAIMED_FROM_QUEUE)]


async def test_what_a_carrier_was_given_before_it_was_listed_goes_on(tmp_path: Path) -> None:
    """It may be on the handset already: to say that it failed would be a guess."""
    async with flow(tmp_path / "g.db", options=risk(), clock=at(MORNING_MS)) as rig:
        await rig.accept(**SALE)
        (segment,) = rig.channel().unanswered
        rig.channel().answer([segment], fate=Fate.IN_DOUBT, message_id="")
        await rig.settled()
        await lists(rig, blocked(1))
        rig.clock.pass_(60)
        await rig.pipeline.sweeper.look(seldom=False)
        assert (await states(rig))[0] == (State.SENDING, Reason.CLAIMED_FROM_QUEUE)


async def test_a_number_that_may_be_anywhere_never_gets_promotion(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(), clock=at(MORNING_MS)) as rig:
        rig.pipeline.risk._known[("Asia/Kuching",), rig.pipeline.risk.policies.value.everybody.hours] = None  # type: ignore[index]
        rig.pipeline.risk._minute = MORNING_MS // 60_000
        await rig.accept(**SALE)
        assert await states(rig) == [(State.FAILED, Reason.OUTSIDE_HOURS)]
        assert "share no such minute" in (await rig.rows(tables.events))[0]["detail"]


async def test_monitor_mode_changes_nothing_and_tells_what_it_would_have_done(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk(mode=RiskMode.MONITOR), clock=at(NIGHT_MS)) as rig:
        await lists(rig, blocked(1))
        for _ in range(8):
            await rig.accept(**SALE)
        assert await states(rig) == [TAKEN] * 8
        await rig.pipeline.risk.verdicts.flush()
        counts = {(row["rule"], row["mode"]): row["count"] for row in await rig.rows(tables_risk.risk_counts)}
        assert counts == {
            ("blacklist", "monitor"): 8, ("hours", "monitor"): 8, ("content_rate", "monitor"): 7,
        }  # fmt: skip
        samples = await rig.rows(tables_risk.risk_samples, rule="hours")
        assert len(samples) == 5
        assert {sample["phone"] for sample in samples} == {"6012*****01"}
        assert {row["account_id"] for row in samples} == {ACCOUNT}


async def test_an_accounts_own_setting_takes_effect_while_the_gateway_runs(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        own = Override(RiskRule.TEMPLATE_RATE, RiskMode.ON, "2/30s")
        rig.store.transaction(lambda c: set_rule(c, ACCOUNT, own, By(SYSTEM, rig.clock.ms)))
        await rig.pipeline.risk.reload()
        for n in range(3):
            await rig.accept(text=f"【Acme】Your code is {n}")
        assert await states(rig) == [TAKEN, TAKEN, LIMITED]


async def test_verdicts_of_a_request_that_failed_are_not_counted(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=risk()) as rig:
        await lists(rig, blocked(1))
        with pytest.raises(InsufficientFunds):
            await rig.accept(BALANCE // PRICE + 5)
        await rig.pipeline.risk.verdicts.flush()
        assert await rig.rows(tables_risk.risk_counts) == []
