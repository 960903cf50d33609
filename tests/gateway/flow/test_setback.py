"""What the carrier did not take, or did not answer, decides what becomes of a message and its price."""

import json
from pathlib import Path

from carriers.results import Disposition, Fate
from config.schema import InDoubtPolicy
from gateway.domain.message import Reason, State
from gateway.store import tables
from tests.support.flow import (
    BALANCE,
    LONG,
    PRICE,
    channel_config,
    flow,
    settings,
    states,
)


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
