"""What the carrier took is charged once and remembered, whenever its answer comes."""

from pathlib import Path

from carriers.results import Disposition, Fate
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
    states,
)
from tests.support.messages import NOON_MS


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
