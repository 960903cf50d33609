"""What the carrier answers, or does not, decides what becomes of a message and its price."""

import json
from pathlib import Path

from carriers.results import Disposition, Fate
from config.schema import InDoubtPolicy
from gateway.domain.message import Reason, State
from gateway.store import tables
from gateway.store.changes import Changes
from tests.support.flow import (
    ACCOUNT,
    BALANCE,
    LONG,
    PRICE,
    channel_config,
    flow,
    message_of,
    settings,
    states,
)
from tests.support.messages import NOON_MS


async def test_t54_a_permanent_refusal_ends_the_message_and_gives_the_money_back(tmp_path: Path) -> None:
    alpha, beta = channel_config("alpha"), channel_config("beta")
    async with flow(tmp_path / "g.db", alpha, beta) as rig:
        await rig.accept()
        rig.channel("alpha").refuse(0x0B, Disposition.PERMANENT)
        (row,) = await rig.rows()
        assert (row["state"], row["reason"], row["status"]) == (State.FAILED, Reason.REFUSED_BY_CARRIER, 0x0B)
        assert await rig.balance() == (BALANCE, 0, 0)
        assert not rig.channel("beta").unanswered, "no other carrier is asked"
        (report,) = await rig.rows(tables.outbox)
        told = json.loads(report["payload"])
        assert (told["ReceiptResult"], told["ReceiptCode"]) == ("Fail", "REFUSED_BY_CARRIER")


async def test_a_temporary_refusal_is_tried_again_when_its_back_off_is_over(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        channel = rig.channel()
        channel.refuse(0x08, Disposition.TEMPORARY)
        assert await states(rig) == [(State.HELD, Reason.RETRY_BACKOFF)]
        (event,) = await rig.rows(tables.events)
        assert event["detail"] == "alpha answered ESME_RSYSERR (System Error)"
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


async def test_in_doubt_may_be_given_up_at_once(tmp_path: Path) -> None:
    fails = channel_config("alpha", in_doubt={"verification": InDoubtPolicy.FAIL})
    async with flow(tmp_path / "g.db", fails) as rig:
        await rig.accept()
        rig.channel().go(up=False)
        assert await states(rig) == [(State.UNKNOWN, Reason.IN_DOUBT_GIVEN_UP)]


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


async def test_a_late_refusal_says_nothing_of_the_attempt_that_follows(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        channel = rig.channel()
        (first,) = channel.unanswered
        channel.answer([first], fate=Fate.IN_DOUBT, message_id="")
        await rig.settled()
        rig.clock.pass_(60)
        await rig.pipeline.sweeper.look(seldom=False)
        await channel.until_sent(1)
        channel.late(first, fate=Fate.REFUSED, status=0x0B, disposition=Disposition.PERMANENT)
        assert await states(rig) == [(State.SENDING, Reason.CLAIMED_FROM_QUEUE)]
        channel.accept()
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)


async def test_a_late_answer_to_one_part_does_not_stand_for_another(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(text=LONG)
        channel = rig.channel()
        one, two = channel.unanswered
        channel.answer([one], fate=Fate.IN_DOUBT, message_id="")
        channel.late(one, message_id="abc")
        assert await states(rig) == [(State.SENDING, Reason.CLAIMED_AT_ACCEPT)]
        channel.answer([two])
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]


async def test_a_message_half_taken_waits_for_the_channel_that_has_the_other_half(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha"), channel_config("beta")) as rig:
        await rig.accept(text=LONG)
        alpha, beta = rig.channel("alpha"), rig.channel("beta")
        one, two = alpha.unanswered
        alpha.answer([one])
        alpha.up = False
        alpha.answer([two], fate=Fate.NOT_SENT, message_id="")
        await rig.settled()
        assert not beta.sent
        alpha.go(up=True)
        (again,) = await alpha.until_sent(1)
        assert again.part.number == 2


async def test_a_part_taken_late_keeps_the_rest_from_another_channel(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha"), channel_config("beta")) as rig:
        await rig.accept(text=LONG)
        alpha, beta = rig.channel("alpha"), rig.channel("beta")
        one, two = alpha.unanswered
        beta.up = False
        alpha.go(up=False)
        await rig.settled()
        rig.clock.pass_(60)
        await rig.pipeline.sweeper.look(seldom=False)
        alpha.late(one, message_id="abc")
        beta.go(up=True)
        await rig.settled()
        assert not beta.sent
        alpha.go(up=True)
        (again,) = await alpha.until_sent(1)
        assert again.part.number == two.part.number
        alpha.accept()
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]


async def test_a_message_the_store_refuses_does_not_cost_the_others_their_answers(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(3)
        refused = message_of(rig.channel().unanswered[1]).id
        planted = (
            ACCOUNT,
            "capture",
            0,
            0,
            None,
            refused,
            NOON_MS,
            "planted",
        )  # its own will be one too many
        await rig.pipeline.context.journal.append(Changes(ledger=[planted]))
        rig.channel().accept()
        assert [state for state, _ in await states(rig)] == [State.SUBMITTED, State.SENDING, State.SUBMITTED]
        await rig.accept(10, first=500)  # and the channel still works
        assert len(rig.channel().unanswered) == 10


async def test_a_fault_with_one_answer_does_not_cost_the_others_theirs(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(3)
        message_of(rig.channel().unanswered[1]).price = "a bug"  # type: ignore[assignment]
        rig.channel().accept()
        found = [state for state, _ in await states(rig)]
        assert (found[0], found[2]) == (State.SUBMITTED, State.SUBMITTED)


async def test_t53_a_status_nobody_knows_is_counted_and_named_by_its_range(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        rig.channel().refuse(0x455, Disposition.TEMPORARY)
        page = rig.pipeline.context.metrics.render().decode()
        assert 'scloud_unknown_status_total{channel="alpha",status="vendor"} 1.0' in page
        assert 'scloud_segments_total{channel="alpha",status="other"} 1.0' in page
