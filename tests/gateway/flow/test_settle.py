"""Receipts find their messages and end them, once."""

import asyncio
from pathlib import Path

import pytest

from carriers.results import ReceiptState
from gateway.domain.message import Reason, State
from gateway.errors import StoreUnavailable
from gateway.flow import settle
from gateway.store import tables
from gateway.store.changes import Changes
from tests.support.flow import SlowCommits, SlowReads, channel_config, flow, message_of, states
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


async def test_t93_receipts_of_two_handsets_with_one_id_are_both_kept(tmp_path: Path) -> None:
    """A carrier whose ids come round, or that gives one to all."""
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(2)
        channel = rig.channel()
        first, second = channel.unanswered
        assert await channel.receipt("1", source=first.destination)
        assert await channel.receipt("1", source=second.destination, state=ReceiptState.UNDELIVERED)
        channel.answer(channel.unanswered, message_id="1")
        await rig.settled()
        await rig.pipeline.sweeper.look(seldom=True)
        await rig.pipeline.settler.idle()
        assert [state for state, _ in await states(rig)] == [State.DELIVERED, State.UNDELIVERED]


async def test_a_kept_receipt_whose_settling_was_not_stored_is_settled_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a form by which no sweep of the store would find it."""
    monkeypatch.setattr(settle, "STORE_RETRY", 0.0)
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        assert await rig.channel().receipt("255")
        commits = SlowCommits(rig.pipeline.context.journal, monkeypatch)
        rig.channel().answer(rig.channel().unanswered, message_id="ff")
        await commits.until(1)
        await commits.let_go(StoreUnavailable("disk full"))
        await commits.until(1)
        await commits.let_go()
        await rig.pipeline.settler.idle()
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


async def test_a_batch_is_judged_while_the_one_before_is_being_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig, asyncio.TaskGroup() as group:
        await rig.accept(2)
        first, second = rig.channel().accept()
        commits = SlowCommits(rig.pipeline.context.journal, monkeypatch)
        receipts = [group.create_task(rig.channel().receipt(first))]
        await commits.until(1)
        receipts.append(group.create_task(rig.channel().receipt(second)))
        await commits.until(2)
        assert not any(receipt.done() for receipt in receipts)
        await commits.let_go()
        await commits.let_go()
        assert [await receipt for receipt in receipts] == [True, True]
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)] * 2


async def test_what_repeats_a_receipt_waits_for_it_and_counts_if_that_was_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig, asyncio.TaskGroup() as group:
        await rig.accept(2)
        first, second = rig.channel().accept()
        commits = SlowCommits(rig.pipeline.context.journal, monkeypatch)
        lost = group.create_task(rig.channel().receipt(first, state=ReceiptState.UNDELIVERED))
        await commits.until(1)
        again = group.create_task(rig.channel().receipt(first, second))
        await commits.still(1)
        await commits.let_go(StoreUnavailable("disk full"))
        assert not await lost
        await commits.until(1)
        await commits.let_go()
        assert await again
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)] * 2


async def test_a_message_that_only_the_store_knows_is_not_ended_twice_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        (id_,) = rig.channel().accept()
        await rig.settled()
    async with flow(tmp_path / "g.db") as rig, asyncio.TaskGroup() as group:
        commits = SlowCommits(rig.pipeline.context.journal, monkeypatch)
        receipts = [group.create_task(rig.channel().receipt(id_))]
        await commits.until(1)
        receipts.append(group.create_task(rig.channel().receipt(id_)))
        await commits.still(1)
        await commits.let_go()
        assert [await receipt for receipt in receipts] == [True, True]
        assert len(await rig.rows(tables.outbox)) == 1
