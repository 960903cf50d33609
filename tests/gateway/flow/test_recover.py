"""What a start finds is put in order before anything moves."""

from pathlib import Path

import pytest

from carriers.results import Disposition, Fate, ReceiptState
from config.schema import ChannelConfig, Concatenation, InDoubtPolicy
from gateway.domain.message import Reason, State
from gateway.store import tables
from tests.support.flow import BALANCE, LONG, PRICE, channel_config, flow, message_of, states


async def test_t93_a_kept_receipt_outlives_a_restart(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt("1")
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        rig.channel().accept()
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


async def test_t93_a_kept_receipt_is_settled_after_a_crash_however_it_writes_the_id(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt("255")
    async with flow(tmp_path / "g.db", helpers=()) as rig:  # the plug is pulled before it is settled
        await rig.accept()
        rig.channel().answer(rig.channel().unanswered, message_id="ff")
        await rig.settled()
    async with flow(tmp_path / "g.db") as rig:
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]
        assert [row["matched"] for row in await rig.rows(tables.early_receipts)] == [True]


async def test_a_restart_resends_what_was_being_sent_and_queues_the_rest_behind_it(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(15)
        await rig.channel().until_sent(10)
    async with flow(tmp_path / "g.db") as rig:
        channel = rig.channel()
        await channel.until_sent(10)
        channel.accept()
        await channel.until_sent(5)
        channel.accept()
        assert [message_of(s).id for s in channel.sent] == sorted(message_of(s).id for s in channel.sent)
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)] * 15
        assert await rig.balance() == (BALANCE - 15 * PRICE, 0, 15 * PRICE)


async def test_a_restart_without_its_channel_finds_another_way(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", window=1)) as rig:
        rig.channel().up = False
        await rig.accept(2)
    async with flow(tmp_path / "g.db", channel_config("beta")) as rig:
        await rig.channel("beta").until_sent(2)
        assert [Reason(e["reason"]) for e in await rig.rows(tables.events)] == [Reason.REROUTED] * 2


UDH16 = channel_config("alpha", concatenation=Concatenation.UDH16)
OTHERS = [(UDH16,), (channel_config("beta"),), (UDH16, channel_config("beta"))]


@pytest.mark.parametrize("channels", OTHERS)
@pytest.mark.parametrize("fate", [None, Fate.REFUSED])
async def test_a_half_sent_message_ends_when_its_other_half_would_no_longer_join(
    tmp_path: Path, channels: tuple[ChannelConfig, ...], fate: Fate | None
) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha"), channel_config("beta")) as rig:
        await rig.accept(text=LONG)
        alpha = rig.channel()
        one, two = alpha.unanswered
        alpha.answer([one])
        if fate is not None:  # held back for another attempt; else it is being sent when the plug is pulled
            alpha.answer([two], fate=fate, status=8, disposition=Disposition.TEMPORARY, message_id="")
        await rig.settled()
    for _ in range(2):  # and stays so
        async with flow(tmp_path / "g.db", *channels) as rig:
            assert await states(rig) == [(State.UNDELIVERED, Reason.PARTLY_SUBMITTED)]
            assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)
            assert len(await rig.rows(tables.outbox)) == 1
            rig.clock.pass_(60)
            await rig.pipeline.sweeper.look(seldom=True)
            await rig.settled()
            assert not any(rig.channel(config.id).sent for config in channels)


WAIT = {"verification": InDoubtPolicy.WAIT}


@pytest.mark.parametrize("answered", [True, False])
async def test_a_half_sent_message_in_doubt_ends_when_its_other_half_can_no_longer_be_known(
    tmp_path: Path, answered: bool
) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", in_doubt=WAIT)) as rig:
        await rig.accept(text=LONG)
        alpha = rig.channel()
        one, two = alpha.unanswered
        (first,) = alpha.answer([one])
        if answered:  # it fell into doubt; else it is being sent when the plug is pulled
            alpha.answer([two], fate=Fate.IN_DOUBT, message_id="")
        await rig.settled()
    changed = channel_config("alpha", in_doubt=WAIT, concatenation=Concatenation.SAR)
    for _ in range(2):  # and stays so
        async with flow(tmp_path / "g.db", changed) as rig:
            assert await states(rig) == [(State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP)]
            assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)
            assert len(await rig.rows(tables.outbox)) == 1
            assert not rig.pipeline.index.doubtful
    async with flow(tmp_path / "g.db", changed) as rig:
        assert await rig.channel().receipt(first)
        assert await states(rig) == [(State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP)], "one half says nothing"


async def test_a_half_sent_message_in_doubt_waits_on_after_a_restart_that_changed_nothing(
    tmp_path: Path,
) -> None:
    for _ in range(3):
        async with flow(tmp_path / "g.db", channel_config("alpha", in_doubt=WAIT)) as rig:
            if not await rig.rows():
                await rig.accept(text=LONG)
                one, two = rig.channel().unanswered
                rig.channel().answer([one])
                rig.channel().answer([two], fate=Fate.IN_DOUBT, message_id="")
            assert await states(rig) == [(State.IN_DOUBT, Reason.WAITING_FOR_RECEIPT)]
            assert len(rig.pipeline.index.doubtful) == 1


@pytest.mark.parametrize("told", [ReceiptState.DELIVERED, ReceiptState.UNDELIVERED])
async def test_the_receipt_of_one_half_can_only_tell_that_the_message_was_not_delivered(
    tmp_path: Path, told: ReceiptState
) -> None:
    config = channel_config("alpha", in_doubt=WAIT, receipt_deadline=60.0)
    async with flow(tmp_path / "g.db", config) as rig:
        await rig.accept(text=LONG)
        one, two = rig.channel().unanswered
        (first,) = rig.channel().answer([one])
        rig.channel().answer([two], fate=Fate.IN_DOUBT, message_id="")
        rig.clock.pass_(61)
        await rig.pipeline.sweeper.look(seldom=True)
        assert await states(rig) == [(State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP)]
        assert await rig.channel().receipt(first, state=told)
        expected = {
            ReceiptState.DELIVERED: (State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP),
            ReceiptState.UNDELIVERED: (State.UNDELIVERED, Reason.LATE_RECEIPT),
        }
        assert await states(rig) == [expected[told]]


async def test_a_half_sent_message_goes_on_after_a_restart_that_changed_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        async with flow(tmp_path / "g.db", channel_config("beta")):
            pass  # what other channels did before does not matter
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=LONG)
        rig.channel().answer(rig.channel().unanswered[:1])
        await rig.settled()
    async with flow(tmp_path / "g.db") as rig:
        (rest,) = await rig.channel().until_sent(1)
        assert rest.part.number == 2
        rig.channel().accept()
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]


async def test_a_long_message_of_which_nothing_was_taken_goes_by_the_new_cut(tmp_path: Path) -> None:
    text = "【Acme】" + "x" * 128  # 134 UTF-16 units: two parts of 67, or three of 66
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=text)
        assert len(rig.channel().unanswered) == 2
    async with flow(tmp_path / "g.db", UDH16) as rig:
        await rig.channel().until_sent(3)
        rig.channel().accept()
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert await rig.balance() == (BALANCE - 2 * PRICE, 0, 2 * PRICE)
