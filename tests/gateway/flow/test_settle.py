"""Receipts find their messages and end them, once."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from carriers.results import ReceiptState
from config.schema import InDoubtPolicy
from gateway.domain.message import Reason, State
from gateway.flow.settle import load_receipt
from gateway.store import messages as stored
from gateway.store import tables
from gateway.store.changes import Changes
from tests.support.flow import BALANCE, PRICE, SlowReads, channel_config, flow, message_of, states
from tests.support.rows import outbox_row


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


async def test_t93_an_answer_that_comes_while_its_receipt_is_looked_for_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig, asyncio.TaskGroup() as group:
        await rig.accept()
        reads = SlowReads(rig.store, monkeypatch)
        receipt = group.create_task(rig.channel().receipt("1"))
        await reads.done.wait()
        assert rig.channel().accept() == ["1"]
        reads.go_on.set()
        assert await receipt
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


async def test_t93_a_kept_receipt_is_settled_although_the_run_that_stored_its_answer_did_not(
    tmp_path: Path,
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt("1")
    async with flow(tmp_path / "g.db", helpers=()) as rig:
        await rig.accept()
        assert rig.channel().accept() == ["1"]
        await rig.settled()
    async with flow(tmp_path / "g.db") as rig:
        await rig.pipeline.sweeper.look(seldom=True)
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


async def test_a_kept_receipt_of_a_channel_that_is_configured_no_more_is_still_settled(
    tmp_path: Path,
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt("1")
    async with flow(tmp_path / "g.db", helpers=()) as rig:
        await rig.accept()
        assert rig.channel().accept() == ["1"]
        await rig.settled()
    async with flow(tmp_path / "g.db", channel_config("beta")) as rig:
        await rig.pipeline.sweeper.look(seldom=True)
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


async def test_a_receipt_the_store_refuses_does_not_cost_the_others_theirs(tmp_path: Path) -> None:
    """Two reads settled in one batch, one of which cannot be stored."""
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(2)
        first, second = rig.channel().accept()
        planted = outbox_row(message_of(rig.channel().sent[0]).id)  # its report will be one too many
        await rig.pipeline.context.journal.append(Changes(outbox=[planted]))
        stored = await asyncio.gather(rig.channel().receipt(first), rig.channel().receipt(second))
        assert stored == [False, True]
        assert [state for state, _ in await states(rig)] == [State.SUBMITTED, State.DELIVERED]


WAITS = {"verification": InDoubtPolicy.WAIT}


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
        assert await rig.store.read(partial(stored.early_answered, limit=9)) == []
