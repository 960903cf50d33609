"""Handsets' messages through the whole flow: stored, put together, owned, obeyed, forwarded."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, delete, insert, update

from carriers.results import Inbound
from carriers.smpp.userdata import UserData, read_user_data
from config.schema import InboundSettings
from gateway.domain.account import Account, Directory
from gateway.domain.inbound import Completion, Fate, Flag, Forwarding, Ownership, Wish
from gateway.domain.message import Purpose
from gateway.errors import StoreUnavailable
from gateway.flow import inbound as module
from gateway.store import inbound_desk, owned_numbers, revisions, tables
from gateway.store.changes import Changes
from gateway.store.tables_inbound import contacts, mo_messages
from tests.support.flow import ACCOUNT, Rig, SetClock, channel_config, flow, reply, reply_parts, settings
from tests.support.rows import BY

HANDSET = "60120000001"


async def seen(rig: Rig) -> list[dict[str, Any]]:
    """Let what arrived be finished; return the messages."""
    await rig.pipeline.settler.idle()
    await rig.pipeline.inbound.look()
    return await rig.rows(mo_messages)


async def callbacks(rig: Rig) -> list[dict[str, Any]]:
    return [orjson.loads(row["payload"]) for row in await rig.rows(tables.outbox) if row["message_id"] < 0]


async def owns(rig: Rig, number: str = "1069", *, extend: str = "", channel: str = "") -> None:
    """Give the test's account a number, as the command line does."""

    def add(connection: Connection) -> None:
        if not connection.execute(tables.projects.select()).first():
            project = {"id": "org-one", "account_id": ACCOUNT, "name": "One", "is_default": True}
            connection.execute(insert(tables.projects).values(**project, created_at=0))
        place = owned_numbers.Place(number, extend, channel)
        owned_numbers.add(connection, place, (ACCOUNT, ""), BY)

    await rig.store.write(add)


async def test_a_message_is_stored_acknowledged_owned_and_forwarded(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig)
        assert await rig.channel().brings(reply("你好", destination="+106988", source="+60120000001"))
        (found,) = await seen(rig)
        assert (found["text"], found["source"], found["extend_code"]) == ("你好", HANDSET, "88")
        assert Ownership(found["ownership"]) is Ownership.NUMBER
        assert (found["account_id"], found["project_id"]) == (ACCOUNT, "org-one")
        assert Completion(found["completion"]) is Completion.WHOLE
        assert await callbacks(rig) == [
            {
                "Phone": "(60)120000001",
                "ReplyContent": "你好",
                "ReplyTime": rig.clock.ms // 1000,
                "ExtendCode": "88",
            }
        ]
        (part,) = await rig.rows(tables.inbound_messages)
        assert (part["mo_id"], part["fate"]) == (found["id"], Fate.PART)


async def test_t84_parts_in_any_order_over_several_reads_are_one_message(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        one, two, three = reply_parts("I ", "am ", "long")
        for part in (three, one):
            assert await rig.channel().brings(part)
        assert await seen(rig) == []
        assert await rig.channel().brings(two)
        (found,) = await seen(rig)
        assert (found["text"], found["total"]) == ("I am long", 3)
        assert Completion(found["completion"]) is Completion.JOINED


async def test_t84_the_timeout_delivers_what_came_and_says_what_is_missing(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig)
        one, two, three = reply_parts("first", "second", "third")
        await rig.channel().brings(one, three)
        rig.clock.pass_(59.9)
        assert await seen(rig) == []
        rig.clock.pass_(0.1)
        (found,) = await seen(rig)
        assert Completion(found["completion"]) is Completion.TIMED_OUT
        assert (found["text"], found["missing"]) == ("first[…]third", "2")
        assert (await callbacks(rig))[0]["MissingParts"] == [2]
        await rig.channel().brings(two)
        rest = (await seen(rig))[1]
        assert (rest["text"], rest["remainder_of"]) == ("[…]second[…]", found["id"])
        assert Flag.REMAINDER in Flag(rest["flags"])


async def test_t84_parts_that_wait_go_on_after_a_restart_with_what_is_left_of_their_time(
    tmp_path: Path,
) -> None:
    clock = SetClock()
    one, two = reply_parts("half ", "and half")
    async with flow(tmp_path / "g.db", clock=clock) as rig:
        await rig.channel().brings(one)
        clock.pass_(30)
    async with flow(tmp_path / "g.db", clock=clock) as rig:
        assert await rig.channel().brings(two)
        (found,) = await seen(rig)
        assert found["text"] == "half and half"
        await rig.channel().brings(*reply_parts("again", "lost", reference=8)[:1])
        clock.pass_(30)
    async with flow(tmp_path / "g.db", clock=clock) as rig:
        clock.pass_(29.9)
        assert len(await seen(rig)) == 1
        clock.pass_(0.1)
        assert [row["missing"] for row in await seen(rig)] == ["", "2"]


async def test_t84_after_a_long_outage_the_carrier_has_a_moment_to_bring_the_rest(tmp_path: Path) -> None:
    clock = SetClock()
    one, two = reply_parts("half ", "and half")
    async with flow(tmp_path / "g.db", clock=clock) as rig:
        await rig.channel().brings(one)
    clock.pass_(3_600)
    async with flow(tmp_path / "g.db", clock=clock) as rig:
        clock.pass_(module.GRACE - 1)
        await rig.channel().brings(two)
        assert [row["text"] for row in await seen(rig)] == ["half and half"]


async def test_a_carrier_that_repeats_what_was_stored_but_never_acknowledged_makes_no_second_message(
    tmp_path: Path,
) -> None:
    one, two = reply_parts("long ", "one")
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig)
        await rig.channel().brings(one, two, reply("short"))
        assert len(await seen(rig)) == 2
    async with flow(tmp_path / "g.db") as rig:
        await rig.channel().brings(two, reply("short"))
        rig.clock.pass_(60)
        assert [row["text"] for row in await seen(rig)] == ["long one", "short"]
        assert len(await callbacks(rig)) == 2
        fates = [Fate(row["fate"]) for row in await rig.rows(tables.inbound_messages)]
        assert fates == [Fate.PART] * 3 + [Fate.DUPLICATE] * 2
        await rig.channel().brings(reply("short"))
        assert len(await seen(rig)) == 3, "said twice is meant twice"


async def test_within_one_run_the_same_words_again_are_a_new_message(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.channel().brings(reply("yes"), reply("yes"))
        assert [row["text"] for row in await seen(rig)] == ["yes", "yes"]


async def test_a_message_without_an_owner_is_kept_and_forwarded_once_it_is_assigned(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.channel().brings(reply("anybody?"))
        (found,) = await seen(rig)
        assert (found["account_id"], found["forwarding"]) == (None, Forwarding.NONE)
        assert await callbacks(rig) == []
        await owns(rig, "999")
        give = rig.store.write(lambda c: inbound_desk.assign(c, found["id"], (ACCOUNT, ""), {}, BY))
        assert (await give)["ownership"] == "assigned"
        rig.pipeline.inbound.look_for_assigned()
        (given,) = await seen(rig)
        assert Forwarding(given["forwarding"]) is Forwarding.QUEUED
        assert [item["ReplyContent"] for item in await callbacks(rig)] == ["anybody?"]
        rig.pipeline.inbound.look_for_assigned()
        await seen(rig)
        assert len(await callbacks(rig)) == 1


async def test_what_was_assigned_while_the_gateway_was_away_is_forwarded_at_the_next_start(
    tmp_path: Path,
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.channel().brings(reply("anybody?"))
        (found,) = await seen(rig)
        await owns(rig, "999")
        await rig.store.write(lambda c: inbound_desk.assign(c, found["id"], (ACCOUNT, ""), {}, BY))
    async with flow(tmp_path / "g.db") as rig:
        await seen(rig)
        assert len(await callbacks(rig)) == 1


async def sent(rig: Rig, **more: Any) -> int:
    """Send a promotion to the handset and let the carrier take it; return the message's id."""
    await rig.accept(purpose=Purpose.PROMOTION, **more)
    rig.channel().accept()
    await rig.settled()
    return int((await rig.rows())[-1]["id"])


async def test_nobodys_number_belongs_to_whoever_wrote_to_the_handset_last(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", source="1069")) as rig:
        message = await sent(rig)
        await rig.store.write(lambda c: c.execute(update(tables.submissions).values(user_id="order-42")))
        await rig.channel().brings(reply("hello", destination="106977"))
        (found,) = await seen(rig)
        assert Ownership(found["ownership"]) is Ownership.LAST_MESSAGE
        assert (found["account_id"], found["project_id"]) == (ACCOUNT, "org-one")
        assert (found["message_id"], found["extend_code"]) == (message, "77")
        (item,) = await callbacks(rig)
        assert (item["UserId"], item["Phone"]) == ("order-42", "(60)120000001")


async def test_the_last_message_is_recalled_for_some_days_only(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await sent(rig)
        rig.clock.pass_(7 * 86_400 + 1)
        await rig.channel().brings(reply("hello"))
        assert [row["account_id"] for row in await seen(rig)] == [None]


async def test_a_channels_owner_gets_what_nobody_wrote_for(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig, "", channel="alpha")
        await rig.channel().brings(reply("hello"))
        (found,) = await seen(rig)
        assert (Ownership(found["ownership"]), found["extend_code"]) == (Ownership.CHANNEL, "")
        await sent(rig)
        await rig.channel().brings(reply("hello"))
        assert Ownership((await seen(rig))[1]["ownership"]) is Ownership.LAST_MESSAGE


async def test_codes_are_not_remembered_for_replies_and_nothing_is_when_told_so(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(purpose=Purpose.VERIFICATION)
        rig.channel().accept()
        assert await rig.rows(contacts) == []
        await sent(rig)
        await sent(rig)
        (contact,) = await rig.rows(contacts)
        assert (contact["phone"], contact["channel"], contact["account_id"]) == (HANDSET, "alpha", ACCOUNT)
        assert contact["message_id"] == (await rig.rows())[-1]["id"]
    off = settings()
    object.__setattr__(off, "inbound", InboundSettings(recall_days=0))
    async with flow(tmp_path / "h.db", options=off) as rig:
        await sent(rig)
        assert await rig.rows(contacts) == []


class Lists:
    """Remembers what it was asked to do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, str, str]] = []

    def doing(self, what: str) -> Callable[[Connection, str, str, str, int], bool]:
        def obey(connection: Connection, account: str, project: str, phone: str, now_ms: int) -> bool:
            self.done.append((what, account, project, phone))
            return True

        return obey


async def test_a_wish_is_done_with_the_message_and_the_message_is_forwarded_all_the_same(
    tmp_path: Path,
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        lists = Lists()
        rig.pipeline.inbound._obey = {Wish.OPT_OUT: lists.doing("out"), Wish.OPT_IN: lists.doing("in")}
        await owns(rig)
        await rig.channel().brings(reply(" stop "), reply("退订"), reply("START"), reply("stop it"))
        assert [Wish(row["wish"]) for row in await seen(rig)] == [1, 1, 2, 0]
        who = (ACCOUNT, "org-one", HANDSET)
        assert lists.done == [("out", *who), ("out", *who), ("in", *who)]
        assert len(await callbacks(rig)) == 4
        assert rig.pipeline.context.metrics.inbound.granted.child().value == 3


async def test_a_wish_of_an_unowned_message_is_done_once_it_is_somebodys(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        lists = Lists()
        obey = {Wish.OPT_OUT: lists.doing("out")}
        rig.pipeline.inbound._obey = obey
        await rig.channel().brings(reply("STOP"))
        (found,) = await seen(rig)
        assert lists.done == []
        await owns(rig, "999")
        await rig.store.write(lambda c: inbound_desk.assign(c, found["id"], (ACCOUNT, ""), obey, BY))
        assert lists.done == [("out", ACCOUNT, "org-one", HANDSET)]


async def test_a_wish_that_cannot_be_done_keeps_its_message_from_being_finished(tmp_path: Path) -> None:
    """Both or neither: a message that says it opted somebody out has done so."""
    async with flow(tmp_path / "g.db") as rig:

        def fails(*_: object) -> bool:
            raise StoreUnavailable("not now")

        rig.pipeline.inbound._obey = {Wish.OPT_OUT: fails}
        await owns(rig)
        await rig.channel().brings(reply("STOP"))
        with pytest.raises(StoreUnavailable):
            await seen(rig)
        assert await rig.rows(mo_messages) == []
        rig.pipeline.inbound._obey = {}
        assert len(await seen(rig)) == 1


@pytest.mark.parametrize("country", ["MY", "60"])
@pytest.mark.parametrize(("source", "ton"), [("0120000001", 2), ("120000001", 2), ("0120000001", 0)])
async def test_a_national_sender_is_the_handset_we_wrote_to(
    tmp_path: Path, source: str, ton: int, country: str
) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha", country=country)) as rig:
        lists = Lists()
        rig.pipeline.inbound._obey = {Wish.OPT_OUT: lists.doing("out")}
        await rig.accept(purpose=Purpose.NOTIFICATION)
        rig.channel().accept()
        stop = replace(reply("STOP", source=source), source_ton=ton)
        assert await rig.channel().brings(stop)
        (found,) = await seen(rig)
        (sent,) = await rig.rows()
        assert (found["source"], found["message_id"], found["flags"]) == (HANDSET, sent["id"], 0)
        assert Ownership(found["ownership"]) is Ownership.LAST_MESSAGE
        assert lists.done == [("out", ACCOUNT, "org-one", HANDSET)]
        assert [item["Phone"] for item in await callbacks(rig)] == ["(60)120000001"]


async def test_a_national_sender_nobody_can_place_is_kept_as_it_came_and_flagged(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig)
        national = [replace(one, source_ton=2) for one in reply_parts("He", "llo", source="120000001")]
        await rig.channel().brings(national[0])
    async with flow(tmp_path / "g.db") as rig:  # its type of number outlives a restart
        await rig.channel().brings(national[1])
        (found,) = await seen(rig)
        assert (found["text"], found["source"]) == ("Hello", "120000001")
        assert Flag(found["flags"]) is Flag.NATIONAL
        assert [item["Phone"] for item in await callbacks(rig)] == ["120000001"]


async def test_a_national_sender_is_placed_once_its_channels_country_is_known(tmp_path: Path) -> None:
    first, second = (replace(one, source_ton=2) for one in reply_parts("He", "llo", source="0120000001"))
    async with flow(tmp_path / "g.db") as rig:
        await rig.channel().brings(first)
    async with flow(tmp_path / "g.db", channel_config("alpha", country="MY")) as rig:
        await rig.channel().brings(second)
        (found,) = await seen(rig)
        assert (found["text"], found["source"], found["flags"]) == ("Hello", HANDSET, 0)


async def test_half_a_message_is_no_wish(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig)
        await rig.channel().brings(reply_parts("STOP", "ping by later")[0])
        rig.clock.pass_(60)
        (found,) = await seen(rig)
        assert Wish(found["wish"]) is Wish.NONE


async def test_an_account_without_a_url_is_told_nothing_and_the_message_says_so(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        rig.directory.value = Directory.of([Account(ACCOUNT, "One", True, None, None, {})], [])
        await owns(rig)
        await rig.channel().brings(reply("hello"))
        (found,) = await seen(rig)
        assert Forwarding(found["forwarding"]) is Forwarding.NO_URL
        assert await callbacks(rig) == []


async def test_data_is_told_in_hexadecimal(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig)
        await rig.channel().brings(Inbound(HANDSET, "1069", 4, 0, b"\x00\xff"))
        (found,) = await seen(rig)
        assert (found["text"], found["data_hex"], Flag(found["flags"])) == (None, "00ff", Flag.BINARY)
        assert (await callbacks(rig))[0]["ReplyContent"] == "00ff"


async def test_a_header_that_cannot_be_loses_nothing(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.channel().brings(Inbound(HANDSET, "1069", 3, 0x40, b"\x7fall of it"))
        (found,) = await seen(rig)
        assert found["text"].endswith("all of it")
        assert Flag(found["flags"]) is Flag.BAD_HEADER


async def test_a_message_the_store_refuses_does_not_keep_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig)
        await rig.channel().brings(reply("one"), reply("two"))
        await rig.pipeline.settler.idle()
        first = rig.pipeline.inbound._unfinished[0].id
        planted = (first, ACCOUNT, first, "{}", 0, 0, 0, None, None)
        await rig.pipeline.context.journal.append(Changes(outbox=[planted]))
        assert [row["text"] for row in await seen(rig)] == ["two"]
        waiting = [row for row in await rig.rows(tables.inbound_messages) if row["mo_id"] is None]
        assert len(waiting) == 1
        await rig.store.write(lambda c: c.execute(delete(tables.outbox)))
    async with flow(tmp_path / "g.db") as rig:
        assert sorted(row["text"] for row in await seen(rig)) == ["one", "two"]


async def test_a_store_that_is_away_delays_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.channel().brings(reply("one"), reply("two"))
        with monkeypatch.context() as away:

            async def unavailable(work: object) -> None:
                raise StoreUnavailable("gone")

            away.setattr(rig.store, "write", unavailable)
            with pytest.raises(StoreUnavailable):
                await seen(rig)
        assert [row["text"] for row in await seen(rig)] == ["one", "two"]


async def test_when_too_much_waits_carriers_are_asked_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_UNFINISHED", 1)
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().brings(reply("one"))
        await rig.pipeline.settler.idle()
        assert not await rig.channel().brings(reply("two"))
        assert [row["text"] for row in await seen(rig)] == ["one"]
        assert await rig.channel().brings(reply("two"))


async def test_the_loop_finishes_what_comes_without_being_asked(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", helpers=("settle", "inbound")) as rig:
        await owns(rig)
        await rig.channel().brings(*reply_parts("run", "ning"))
        while not (found := await rig.rows(mo_messages)):
            pass
        assert found[0]["text"] == "running"


async def test_a_new_number_counts_from_the_next_message_on(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.channel().brings(reply("before"))
        await seen(rig)
        await owns(rig)
        assert (await rig.store.read(revisions.current))[revisions.INBOUND] == 1
        await rig.channel().brings(reply("after"))
        assert [row["account_id"] for row in await seen(rig)] == [None, ACCOUNT]


async def test_a_thousand_first_parts_that_never_go_on_stay_within_memory_and_are_all_told(
    tmp_path: Path,
) -> None:
    small = settings()
    object.__setattr__(small, "inbound", InboundSettings(max_waiting=100))
    async with flow(tmp_path / "g.db", options=small) as rig:
        firsts = [
            reply_parts("first", "never", source=f"60{n // 256}", reference=n % 256)[0] for n in range(1_000)
        ]
        assert await rig.channel().brings(*firsts)
        assert len(await seen(rig)) == 900
        assert rig.pipeline.inbound._parts.held == 100
        rig.clock.pass_(60)
        assert len(await seen(rig)) == 1_000


async def test_a_message_of_long_ago_is_not_taken_for_a_repetition_after_a_restart(tmp_path: Path) -> None:
    clock = SetClock()
    async with flow(tmp_path / "g.db", clock=clock) as rig:
        await rig.channel().brings(*reply_parts("same ", "words"))
        clock.pass_(3_600)
        await rig.channel().brings(reply("later"))
        await seen(rig)
    async with flow(tmp_path / "g.db", clock=clock) as rig:
        await rig.channel().brings(*reply_parts("same ", "words"))
        assert [row["text"] for row in await seen(rig)] == ["same words", "later", "same words"]


async def test_what_cannot_be_read_stays_and_stops_nothing_not_even_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a handset makes go wrong in here, the gateway goes on, and starts again."""

    def breaks(esm_class: int, data_coding: int, payload: bytes, tlvs: object, alphabet: str) -> UserData:
        if payload == b"\0b\0a\0d":
            raise ZeroDivisionError
        return read_user_data(esm_class, data_coding, payload, (), alphabet)

    monkeypatch.setattr(module, "read_user_data", breaks)
    async with flow(tmp_path / "g.db") as rig:
        assert await rig.channel().brings(reply("bad"), reply("good"))
        assert [row["text"] for row in await seen(rig)] == ["good"]
    async with flow(tmp_path / "g.db") as rig:
        monkeypatch.setattr(rig.pipeline.inbound._owners, "_contents", None)
        await rig.channel().brings(reply("worse"))
        assert [row["text"] for row in await seen(rig)] == ["good"]
    monkeypatch.undo()
    async with flow(tmp_path / "g.db") as rig:
        assert sorted(row["text"] for row in await seen(rig)) == ["bad", "good", "worse"]


async def test_what_a_lost_link_could_not_acknowledge_comes_again_and_is_told_once(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owns(rig)
        assert await rig.channel().brings(reply("yes"), *reply_parts("long ", "one"), answered=False)
        assert await rig.channel().brings(reply("other"))
        await rig.channel().brings(reply("yes"), *reply_parts("long ", "one"))
        assert sorted(row["text"] for row in await seen(rig)) == ["long one", "other", "yes"]
        await rig.channel().brings(reply("yes"))
        assert len(await callbacks(rig)) == 3
        assert len(await seen(rig)) == 4, "once more is once more"
