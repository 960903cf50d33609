"""What receipts mean: the first that ends a message counts, and none is dropped for want of an id."""

from functools import partial
from pathlib import Path

from carriers.results import ReceiptState
from config.schema import InDoubtPolicy
from gateway.domain.message import Reason, State
from gateway.flow.kept import load_receipt
from gateway.store import messages as stored
from gateway.store import tables
from tests.support.flow import BALANCE, PRICE, channel_config, flow, message_of, states

WAITS = {"verification": InDoubtPolicy.WAIT}


async def test_t94_duplicates_and_contradictions_change_nothing_and_report_nothing(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        (id_,) = rig.channel().accept()
        assert await rig.channel().receipt(id_, id_, state=ReceiptState.UNDELIVERED)
        assert await rig.channel().receipt(id_)
        assert await states(rig) == [(State.UNDELIVERED, Reason.RECEIPT)]
        assert len(await rig.rows(tables.outbox)) == 1


async def test_t94_an_intermediate_receipt_is_acknowledged_and_moves_nothing(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        (id_,) = rig.channel().accept()
        assert await rig.channel().receipt(id_, state=ReceiptState.ENROUTE)
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert await rig.channel().receipt(id_)
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


async def test_a_receipt_kept_before_the_doubt_settles_it(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", in_doubt=WAITS)) as rig:
        await rig.accept()
        phone = message_of(rig.channel().sent[0]).phone
        assert await rig.channel().receipt("never-answered", source=phone)
        rig.channel().go(up=False)
        await rig.settled()
        assert await states(rig) == [(State.IN_DOUBT, Reason.WAITING_FOR_RECEIPT)]
        await rig.pipeline.sweeper.look(seldom=False)
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)
        assert [row["matched"] for row in await rig.rows(tables.early_receipts)] == [True]


async def test_a_receipt_kept_before_a_crash_settles_the_doubt_it_left(tmp_path: Path) -> None:
    waits = channel_config("alpha", in_doubt=WAITS)
    async with flow(tmp_path / "g.db", waits) as rig:
        await rig.accept()
        phone = message_of(rig.channel().sent[0]).phone
        assert await rig.channel().receipt("never-answered", source=phone)
    async with flow(tmp_path / "g.db", waits) as rig:
        await rig.pipeline.sweeper.look(seldom=False)
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


async def test_a_receipt_without_an_id_ends_the_only_message_to_its_handset(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(3)
        rig.channel().accept()
        second = message_of(rig.channel().sent[1]).phone
        assert await rig.channel().receipt("", source=second, state=ReceiptState.UNDELIVERED)
        assert [state for state, _ in await states(rig)] == [
            State.SUBMITTED, State.UNDELIVERED, State.SUBMITTED
        ]  # fmt: skip
        assert await rig.rows(tables.early_receipts) == []


async def test_every_receipt_without_an_id_is_kept_if_nobody_knows_whose_it_is(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        for source in ("60111111111", "60111111111", "60122222222"):
            assert await rig.channel().receipt("", source=source)
        kept = await rig.rows(tables.early_receipts)
        assert [load_receipt(row["receipt"]).source for row in kept] == [
            "60111111111", "60111111111", "60122222222"
        ]  # fmt: skip
        assert not any(row["matched"] for row in kept)


async def test_a_receipt_without_an_id_may_beat_its_answer_too(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        phone = message_of(rig.channel().sent[0]).phone
        assert await rig.channel().receipt("", source=phone)
        rig.channel().accept()
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]
        assert len(rig.pipeline.index.kept) == 0


async def test_kept_receipts_without_an_id_do_not_stand_before_the_others_in_the_sweep(
    tmp_path: Path,
) -> None:
    """A carrier that answers without ids: its segments must not look like those the receipts name."""
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        rig.channel().answer(rig.channel().unanswered, message_id="")
        assert await rig.channel().receipt("", source="60199999999")
        await rig.settled()
        assert await rig.store.read(partial(stored.early_answered, after_id=0, limit=9)) == []
