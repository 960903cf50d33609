"""A long message is one message: sent together, charged together, ended by all its parts."""

from pathlib import Path

from carriers.results import Disposition, Fate, ReceiptState
from gateway.domain.message import Reason, State
from tests.support.flow import BALANCE, LONG, PRICE, flow, states


async def test_a_long_message_ends_when_all_its_parts_have(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=LONG)
        first, second = rig.channel().accept()
        assert await rig.balance() == (BALANCE - 2 * PRICE, 0, 2 * PRICE)
        assert await rig.channel().receipt(second)
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert await rig.channel().receipt(first, state=ReceiptState.UNDELIVERED)
        assert await states(rig) == [(State.UNDELIVERED, Reason.RECEIPT)]


async def test_a_long_messages_receipts_may_come_across_a_restart(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=LONG)
        first, second = rig.channel().accept()
        assert await rig.channel().receipt(first)
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt(second)
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


async def test_only_the_missing_part_is_sent_again_and_it_still_joins_the_others(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=LONG)
        channel = rig.channel()
        one, two = channel.unanswered
        channel.answer([one])
        channel.answer(
            [two], fate=Fate.REFUSED, status=0x08, disposition=Disposition.TEMPORARY, message_id=""
        )
        await rig.settled()
    rig_clock = rig.clock
    rig_clock.pass_(60)
    async with flow(tmp_path / "g.db", clock=rig_clock) as rig:
        await rig.pipeline.sweeper.look(seldom=False)
        (again,) = await rig.channel().until_sent(1)
        assert (again.part.number, again.concat_ref) == (2, one.concat_ref)
        rig.channel().accept()
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert await rig.balance() == (BALANCE - 2 * PRICE, 0, 2 * PRICE)
