"""Receipts find their messages and end them, once."""

from pathlib import Path

from carriers.results import ReceiptState
from gateway.domain.message import Reason, State
from gateway.store import tables
from tests.support.flow import channel_config, flow, states


async def test_t93_a_receipt_that_beats_its_answer_is_kept_and_matched(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        assert await rig.channel().receipt("1")
        assert await states(rig) == [(State.SENDING, Reason.CLAIMED_AT_ACCEPT)]
        assert rig.channel().accept() == ["1"]
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]
        (early,) = await rig.rows(tables.early_receipts)
        assert early["matched"]


async def test_t92_two_channels_may_bring_the_same_id_at_once(tmp_path: Path) -> None:
    async with flow(
        tmp_path / "g.db", channel_config("alpha", window=1), channel_config("beta", window=1)
    ) as rig:
        await rig.accept(1)
        rig.channel("alpha").up = False
        await rig.accept(1, first=2)
        assert rig.channel("alpha").accept() == rig.channel("beta").accept() == ["1"]
        assert await rig.channel("beta").receipt("1", state=ReceiptState.UNDELIVERED)
        assert [state for state, _ in await states(rig)] == [State.SUBMITTED, State.UNDELIVERED]
        assert await rig.channel("alpha").receipt("1")
        assert [state for state, _ in await states(rig)] == [State.DELIVERED, State.UNDELIVERED]


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


async def test_receipts_are_found_in_the_store_when_memory_has_forgotten(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(3)
        ids = rig.channel().accept()
        await rig.settled()
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt(*ids)
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)] * 3
