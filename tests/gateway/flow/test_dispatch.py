"""The queue feeds the channels: in order, urgent first, never more than the windows hold."""

import asyncio
from pathlib import Path

from gateway.domain.message import Purpose, Reason, State
from tests.support.flow import BALANCE, PRICE, channel_config, flow, message_of, states


async def test_what_the_window_does_not_hold_waits_and_follows_in_order(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(25)
        channel = rig.channel()
        assert len(channel.unanswered) == channel.most == 10
        while len(channel.sent) < 25:
            before = len(channel.sent)
            channel.answer(channel.unanswered[:1])
            await channel.until_sent(min(10, 25 - before + 9))
        assert [message_of(s).id for s in channel.sent] == sorted(message_of(s).id for s in channel.sent)
        channel.accept()
        assert {state for state, _ in await states(rig)} == {State.SUBMITTED}
        assert await rig.balance() == (BALANCE - 25 * PRICE, 0, 25 * PRICE)


async def test_a_verification_overtakes_a_campaign_that_waits(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(30, purpose=Purpose.PROMOTION)
        await rig.accept(1, purpose=Purpose.VERIFICATION, first=500)
        channel = rig.channel()
        channel.answer(channel.unanswered[:1])
        await channel.until_sent(10)
        assert message_of(channel.sent[10]).purpose is Purpose.VERIFICATION


async def test_nobody_goes_past_what_is_still_being_committed(tmp_path: Path) -> None:
    """The channel comes up between two accepts, neither of which is committed yet."""
    async with flow(tmp_path / "g.db") as rig, asyncio.TaskGroup() as customers:
        channel = rig.channel()
        channel.up = False
        customers.create_task(rig.accept(3))
        await asyncio.sleep(0)
        channel.up = True
        customers.create_task(rig.accept(1, first=500))
        await channel.until_sent(4)
        assert [message_of(s).id for s in channel.sent] == sorted(message_of(s).id for s in channel.sent)


async def test_a_message_waits_for_the_first_channel_that_comes_up(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha"), channel_config("beta")) as rig:
        alpha, beta = rig.channel("alpha"), rig.channel("beta")
        alpha.up = beta.up = False
        await rig.accept(3)
        assert await states(rig) == [(State.QUEUED, Reason.CHANNEL_DOWN)] * 3
        beta.go(up=True)
        await beta.until_sent(3)
        assert not alpha.sent
