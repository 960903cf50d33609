"""A long message is one message: sent together, charged together, ended by all its parts."""

from pathlib import Path

import pytest

from carriers.results import Disposition, Fate, ReceiptState
from gateway.domain.message import Reason, State
from tests.support.flow import BALANCE, LONG, PRICE, Rig, flow, states


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


async def test_the_receipt_of_one_part_ends_nothing_while_another_was_not_taken(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=LONG)
        (taken,) = half_taken(rig)
        await rig.settled()
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt(taken)
        assert await states(rig) == [(State.HELD, Reason.RETRY_BACKOFF)]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
async def test_receipts_of_parts_sent_at_different_times_end_the_message_in_any_order(
    tmp_path: Path, restarted: bool, backwards: bool
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=LONG)
        (one,) = half_taken(rig)
        await rig.settled()
        if not restarted:
            assert await _sent_and_told(rig, one, backwards) == [(State.DELIVERED, Reason.RECEIPT)]
            return
    async with flow(tmp_path / "g.db", clock=rig.clock) as rig:
        assert await _sent_and_told(rig, one, backwards) == [(State.DELIVERED, Reason.RECEIPT)]


def half_taken(rig: Rig) -> list[str]:
    """Let the carrier take the first part and put the second one off; return the first one's id."""
    one, two = rig.channel().unanswered
    ids = rig.channel().answer([one], message_id="one")
    rig.channel().answer(
        [two], fate=Fate.REFUSED, status=0x08, disposition=Disposition.TEMPORARY, message_id=""
    )
    return ids


async def _sent_and_told(rig: Rig, one: str, backwards: bool) -> list[tuple[State, Reason]]:
    rig.clock.pass_(60)
    await rig.pipeline.sweeper.look(seldom=False)
    (again,) = await rig.channel().until_sent(1)
    (two,) = rig.channel().answer([again], message_id="two")
    for id_ in (two, one) if backwards else (one, two):
        assert await rig.channel().receipt(id_)
    assert await rig.balance() == (BALANCE - 2 * PRICE, 0, 2 * PRICE)
    return await states(rig)
