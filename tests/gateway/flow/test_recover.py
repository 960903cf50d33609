"""What a start finds is put in order before anything moves."""

from pathlib import Path

from gateway.domain.message import Reason, State
from gateway.store import tables
from tests.support.flow import BALANCE, PRICE, channel_config, flow, message_of, states


async def test_t93_a_kept_receipt_outlives_a_restart(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt("1")
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        rig.channel().accept()
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


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
