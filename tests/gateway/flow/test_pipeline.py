"""A message's way, step by step: a real store, and a channel that does what the story says."""

from pathlib import Path

import pytest

from carriers.results import Disposition, Fate, ReceiptState
from config.schema import InDoubtPolicy
from gateway.domain.message import Purpose, Reason, State
from gateway.flow.funds import InsufficientFunds
from gateway.ids import submission_id
from gateway.store import tables
from tests.support.flow import BALANCE, PRICE, Rig, channel_config, flow, message_of, settings

LONG = "【Acme】" + "x" * 120  # UTF-16: two segments of 67


async def states(rig: Rig) -> list[tuple[State, Reason]]:
    return [(State(row["state"]), Reason(row["reason"])) for row in await rig.rows()]


async def test_a_message_is_stored_claimed_sent_charged_delivered_and_reported(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        accepted = await rig.accept()
        assert await states(rig) == [(State.SENDING, Reason.CLAIMED_AT_ACCEPT)]
        assert await rig.balance() == (BALANCE - PRICE, PRICE, 0)

        (carrier_id,) = rig.channel().accept()
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)

        assert await rig.channel().receipt(carrier_id, source="60120000001")
        (row,) = await rig.rows()
        assert (row["state"], row["reason"], row["receipt_code"]) == (
            State.DELIVERED,
            Reason.RECEIPT,
            "DELIVRD",
        )
        (segment,) = await rig.rows(tables.segments)
        assert (segment["carrier_id"], segment["receipt_state"]) == (carrier_id, "delivered")
        (report,) = await rig.rows(tables.outbox)
        assert accepted.session_no in report["payload"]
        assert report["id"] == row["id"] == (submission_id(accepted.session_no) or 0) + 1


async def test_nothing_reaches_the_carrier_before_its_claim_is_committed(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        channel = rig.channel()
        submit = channel.submit
        seen: list[int] = []

        def watching(segments: object, now: float) -> None:
            query = tables.messages.select().with_only_columns(tables.messages.c.state)
            seen.extend(rig.store.read_now(lambda connection: connection.scalars(query).all()))
            submit(segments, now)  # type: ignore[arg-type]

        channel.submit = watching  # type: ignore[method-assign]
        await rig.accept(3)
        assert seen == [State.SENDING] * 3


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


async def test_a_request_the_balance_does_not_cover_changes_nothing(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        with pytest.raises(InsufficientFunds):
            await rig.accept(BALANCE // PRICE + 1)
        assert await rig.rows() == []
        assert await rig.balance() == (BALANCE, 0, 0)


async def test_a_permanent_refusal_ends_the_message_and_gives_the_money_back(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        rig.channel().refuse(0x0B, Disposition.PERMANENT)
        (row,) = await rig.rows()
        assert (row["state"], row["reason"], row["status"]) == (State.FAILED, Reason.REFUSED_BY_CARRIER, 0x0B)
        assert await rig.balance() == (BALANCE, 0, 0)
        assert len(await rig.rows(tables.outbox)) == 1


async def test_a_temporary_refusal_is_tried_again_when_its_back_off_is_over(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        channel = rig.channel()
        channel.refuse(0x08, Disposition.TEMPORARY)
        assert await states(rig) == [(State.HELD, Reason.RETRY_BACKOFF)]
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.HELD, Reason.RETRY_BACKOFF)]
        rig.clock.pass_(2.0)
        await rig.pipeline.sweeper.look(seldom=False)
        await channel.until_sent(1)
        channel.accept()
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)


async def test_a_message_refused_too_often_goes_to_the_next_channel_and_then_fails(tmp_path: Path) -> None:
    alpha, beta = channel_config("alpha"), channel_config("beta")
    async with flow(tmp_path / "g.db", alpha, beta, options=settings(max_attempts=2)) as rig:
        await rig.accept()
        rig.channel("alpha").refuse(0x08, Disposition.TEMPORARY)
        await rig.settled()
        rig.clock.pass_(10)
        await rig.pipeline.sweeper.look(seldom=False)
        await rig.channel("alpha").until_sent(1)
        rig.channel("alpha").refuse(0x08, Disposition.TEMPORARY)
        await rig.channel("beta").until_sent(1)
        rig.channel("beta").refuse(0x0A, Disposition.ROUTE)
        assert await states(rig) == [(State.FAILED, Reason.REFUSED_BY_CARRIER)]
        assert await rig.balance() == (BALANCE, 0, 0)


async def test_a_message_waits_for_the_first_channel_that_comes_up(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha"), channel_config("beta")) as rig:
        alpha, beta = rig.channel("alpha"), rig.channel("beta")
        alpha.up = beta.up = False
        await rig.accept(3)
        assert await states(rig) == [(State.QUEUED, Reason.CHANNEL_DOWN)] * 3
        beta.go(up=True)
        await beta.until_sent(3)
        assert not alpha.sent


async def test_a_message_past_its_validity_expires_although_no_channel_asks_for_it(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        rig.channel().up = False
        await rig.accept(2)
        rig.clock.pass_(86_400)
        await rig.pipeline.sweeper.look(seldom=False)
        assert await states(rig) == [(State.EXPIRED, Reason.VALIDITY_OVER)] * 2
        assert await rig.balance() == (BALANCE, 0, 0)
        assert len(await rig.rows(tables.outbox)) == 2


async def test_a_message_in_doubt_is_resent_once_and_charged_once(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        channel = rig.channel()
        channel.go(up=False)
        assert await states(rig) == [(State.HELD, Reason.RESENT_IN_DOUBT)]
        channel.go(up=True)
        rig.clock.pass_(2)
        await rig.pipeline.sweeper.look(seldom=False)
        await channel.until_sent(1)
        channel.accept()
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)
        assert [Reason(e["reason"]) for e in await rig.rows(tables.events)] == [Reason.NO_ANSWER]


async def test_a_late_answer_takes_a_message_out_of_doubt_before_it_is_resent(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        channel = rig.channel()
        (segment,) = channel.unanswered
        channel.answer([segment], fate=Fate.IN_DOUBT, message_id="")
        await rig.settled()
        channel.late(segment, "abc")
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        rig.clock.pass_(60)
        await rig.pipeline.sweeper.look(seldom=False)
        await rig.settled()
        assert len(channel.sent) == 1
        assert await channel.receipt("abc")
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)


async def test_a_late_answer_after_the_resend_is_a_duplicate_that_costs_nothing(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        channel = rig.channel()
        (first,) = channel.unanswered
        channel.answer([first], fate=Fate.IN_DOUBT, message_id="")
        await rig.settled()
        rig.clock.pass_(60)
        await rig.pipeline.sweeper.look(seldom=False)
        await channel.until_sent(1)
        channel.accept()
        channel.late(first, "abc")
        assert await channel.receipt("abc")
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)
        assert Reason.DUPLICATE in {Reason(event["reason"]) for event in await rig.rows(tables.events)}
        assert len(await rig.rows(tables.outbox)) == 1


async def test_in_doubt_may_wait_for_its_receipt_and_be_charged_by_it(tmp_path: Path) -> None:
    waits = channel_config("alpha", in_doubt={"verification": InDoubtPolicy.WAIT})
    async with flow(tmp_path / "g.db", waits) as rig:
        await rig.accept()
        rig.channel().go(up=False)
        assert await states(rig) == [(State.IN_DOUBT, Reason.WAITING_FOR_RECEIPT)]
        rig.channel().go(up=True)
        assert await rig.channel().receipt("77", source="60120000001")
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)


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


async def test_in_doubt_may_be_given_up_at_once(tmp_path: Path) -> None:
    fails = channel_config("alpha", in_doubt={"verification": InDoubtPolicy.FAIL})
    async with flow(tmp_path / "g.db", fails) as rig:
        await rig.accept()
        rig.channel().go(up=False)
        assert await states(rig) == [(State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP)]


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


async def test_t93_a_kept_receipt_outlives_a_restart(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt("1")
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        rig.channel().accept()
        await rig.pipeline.settler.idle()
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


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


async def test_receipts_are_found_in_the_store_when_memory_has_forgotten(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(3)
        ids = rig.channel().accept()
        await rig.settled()
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().receipt(*ids)
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)] * 3


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


async def test_a_message_of_which_the_carrier_took_a_part_is_charged_for_that_part(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=LONG)
        channel = rig.channel()
        one, two = channel.unanswered
        channel.answer([one])
        channel.answer(
            [two], fate=Fate.REFUSED, status=0x0B, disposition=Disposition.PERMANENT, message_id=""
        )
        assert await states(rig) == [(State.UNDELIVERED, Reason.PARTLY_SUBMITTED)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)


async def test_a_channel_without_receipts_and_an_answer_without_id_end_unknown_at_once(
    tmp_path: Path,
) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", receipts=False)) as rig:
        await rig.accept()
        rig.channel().accept()
        assert await states(rig) == [(State.UNKNOWN, Reason.NO_RECEIPTS_ASKED)]
    async with flow(tmp_path / "h.db") as rig:
        await rig.accept()
        rig.channel().answer(rig.channel().unanswered, message_id="")
        assert await states(rig) == [(State.UNKNOWN, Reason.EMPTY_CARRIER_ID)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)


async def test_a_backlog_beyond_memory_drains_completely_and_in_order(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", options=settings(memory_window=20)) as rig:
        channel = rig.channel()
        channel.up = False
        for batch in range(10):
            await rig.accept(30, first=batch * 30 + 1, purpose=Purpose.NOTIFICATION)
        channel.go(up=True)
        while len(channel.sent) < 300:
            await channel.until_sent(1)
            channel.accept()
            await rig.settled()
        channel.accept()
        assert [message_of(s).id for s in channel.sent] == sorted({message_of(s).id for s in channel.sent})
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)] * 300
