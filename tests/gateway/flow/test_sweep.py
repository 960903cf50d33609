"""What time brings about."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from carriers.results import Fate
from config.schema import InDoubtPolicy
from gateway.clock import SystemClock
from gateway.domain.message import Reason, State
from gateway.flow import recover, sweep
from gateway.store import tables
from tests.support.flow import (
    BALANCE,
    LONG,
    PRICE,
    Rig,
    SetClock,
    SlowReads,
    channel_config,
    flow,
    states,
)


async def test_a_message_past_its_validity_expires_although_no_channel_asks_for_it(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        rig.channel().up = False
        await rig.accept(2)
        rig.clock.pass_(86_400)
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.EXPIRED, Reason.VALIDITY_OVER)] * 2
        assert await rig.balance() == (BALANCE, 0, 0)
        assert len(await rig.rows(tables.outbox)) == 2


async def test_a_machine_whose_clock_is_set_a_day_ahead_expires_nothing(tmp_path: Path) -> None:
    class SetAhead(SetClock):
        """Its machine's clock may be set."""

        ahead = 0

        def __init__(self) -> None:
            super().__init__()
            self._system = SystemClock(lambda: (self.ms + self.ahead) * 10**6, lambda: self.ms * 10**6)

        def now_ms(self) -> int:
            return self._system.now_ms()

    clock = SetAhead()
    async with flow(tmp_path / "g.db", clock=clock) as rig:
        rig.channel().up = False
        await rig.accept(2)
        clock.ahead = 86_400_000
        clock.pass_(30)
        await rig.pipeline.sweeper.look(seldom=False)
        assert [state for state, _ in await states(rig)] == [State.QUEUED] * 2
        clock.pass_(86_400)
        await rig.pipeline.sweeper.look(seldom=False)
        assert [state for state, _ in await states(rig)] == [State.EXPIRED] * 2


async def test_in_doubt_whose_receipt_never_comes_ends_unknown_and_uncharged(tmp_path: Path) -> None:
    waits = channel_config("alpha", in_doubt={"verification": InDoubtPolicy.WAIT}, receipt_deadline=60.0)
    async with flow(tmp_path / "g.db", waits) as rig:
        await rig.accept()
        rig.channel().go(up=False)
        await rig.settled()
        rig.clock.pass_(61)
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP)]
        assert await rig.balance() == (BALANCE, 0, 0)


async def test_t95_no_receipt_by_the_deadline_is_unknown_and_a_late_one_still_counts(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", receipt_deadline=3600.0)) as rig:
        await rig.accept()
        (id_,) = rig.channel().accept()
        await rig.settled()
        rig.clock.pass_(3_601)
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.UNKNOWN, Reason.RECEIPT_DEADLINE)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)
        assert await rig.channel().receipt(id_)
        assert await states(rig) == [(State.DELIVERED, Reason.LATE_RECEIPT)]
        assert len(await rig.rows(tables.outbox)) == 2


async def test_a_late_answer_that_comes_while_retries_are_looked_for_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig, asyncio.TaskGroup() as group:
        await rig.accept()
        channel = rig.channel()
        (segment,) = channel.unanswered
        channel.answer([segment], fate=Fate.IN_DOUBT, message_id="")
        await rig.settled()
        rig.clock.pass_(60)
        reads = SlowReads(rig.store, monkeypatch)
        look = group.create_task(rig.pipeline.sweeper.look(seldom=False))
        await reads.done.wait()
        channel.late(segment, "abc")
        reads.go_on.set()
        await look
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert len(channel.sent) == 1


async def test_memory_forgets_a_doubt_that_is_over(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(2)
        channel = rig.channel()
        answered = channel.unanswered[0]
        channel.go(up=False)
        channel.late(answered, "abc")
        await rig.settled()
        rig.clock.pass_(86_400)
        await rig.pipeline.sweeper.look(seldom=False)
        assert [state for state, _ in await states(rig)] == [State.SUBMITTED, State.EXPIRED]
        assert not rig.pipeline.index.doubtful


async def test_a_message_whose_channel_is_configured_no_more_ends_by_the_deadline_too(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        rig.channel().accept()
        await rig.settled()
    rig.clock.pass_(259_201)
    async with flow(tmp_path / "g.db", channel_config("beta"), clock=rig.clock) as rig:
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.UNKNOWN, Reason.RECEIPT_DEADLINE)]


async def test_a_look_that_the_store_refused_is_repeated(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", receipt_deadline=3600.0)) as rig:
        await rig.accept(2)
        rig.channel().accept()
        first = (await rig.rows())[0]
        report = dict(
            account_id=first["account_id"], message_id=first["id"], created_at=0, next_at=0, attempts=0
        )
        in_the_way = insert(tables.outbox).values(id=first["id"], **report)
        rig.store.transaction(lambda connection: connection.execute(in_the_way))
        rig.clock.pass_(3_601)
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)] * 2
        rig.store.transaction(lambda connection: connection.execute(delete(tables.outbox)))
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.UNKNOWN, Reason.RECEIPT_DEADLINE)] * 2


async def test_kept_receipts_that_fit_no_handset_are_not_in_the_way_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        for n in range(3):
            assert await rig.channel().receipt("1", source=f"4479460000{n:02d}")
        assert await rig.channel().receipt("2")
    async with flow(tmp_path / "g.db", helpers=()) as rig:
        await rig.accept(2)
        assert rig.channel().accept() == ["1", "2"]
        await rig.settled()
    monkeypatch.setattr(recover, "PARKED", 0)
    monkeypatch.setattr(sweep, "_LIMIT", 2)
    async with flow(tmp_path / "g.db") as rig:
        for _ in range(2):
            await rig.pipeline.sweeper.look(seldom=True)
            await rig.pipeline.settler.idle()
        assert [state for state, _ in await states(rig)] == [State.SUBMITTED, State.DELIVERED]


async def test_a_carrier_that_gives_one_id_to_several_messages_keeps_none_of_them_from_its_end(
    tmp_path: Path,
) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", receipt_deadline=3600.0)) as rig:
        await rig.accept(3)
        rig.channel().answer(rig.channel().unanswered, message_id="1")
        await rig.settled()
        rig.clock.pass_(3_601)
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.UNKNOWN, Reason.RECEIPT_DEADLINE)] * 3


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_part_without_receipt_does_not_keep_open_what_is_completed_after_its_deadline(
    tmp_path: Path, restarted: bool
) -> None:
    clock = SetClock()
    config = channel_config("alpha", receipt_deadline=600.0)
    async with flow(tmp_path / "g.db", config, clock=clock) as rig:
        await rig.accept(text=LONG)
        channel = rig.channel()
        first, second = channel.unanswered
        channel.answer([first])
        channel.answer([second], fate=Fate.NOT_SENT, message_id="")
        channel.up = False
        await rig.settled()
        clock.pass_(601)
        await rig.pipeline.sweeper.look(seldom=False)
        if not restarted:
            await _completed(rig)
    if restarted:
        async with flow(tmp_path / "g.db", config, clock=clock) as rig:
            await _completed(rig)


async def _completed(rig: Rig) -> None:
    """Send the part that is missing, and bring its receipt."""
    channel = rig.channel()
    channel.go(up=True)
    (part,) = await channel.until_sent(1)
    assert await states(rig) == [(State.SENDING, Reason.CLAIMED_FROM_QUEUE)]
    channel.answer([part], message_id="last")
    assert await channel.receipt("last")
    assert await states(rig) == [(State.UNKNOWN, Reason.RECEIPT)]
    assert await rig.balance() == (BALANCE - 2 * PRICE, 0, 2 * PRICE)
