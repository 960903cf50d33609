"""Accepted means stored: checked, priced, reserved and claimed in one commit."""

import asyncio
import random
from pathlib import Path

import pytest

from config.schema import Concatenation
from gateway.domain.message import Purpose, State
from gateway.flow.accept import LARGE, LARGE_AT_ONCE, Draft, Recipient, Request
from gateway.flow.funds import InsufficientFunds
from gateway.store import tables, tables_stats
from tests.support.flow import ACCOUNT, BALANCE, PRICE, channel_config, flow


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


async def test_a_request_the_balance_does_not_cover_changes_nothing(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        with pytest.raises(InsufficientFunds):
            await rig.accept(BALANCE // PRICE + 1)
        assert await rig.rows() == []
        assert await rig.balance() == (BALANCE, 0, 0)


async def test_what_rules_only_watch_is_noted_of_what_is_accepted_alone(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        noted: list[str] = []

        def request(key: str, count: int) -> Request:
            people = [Recipient(f"6012{n:07d}", f"6012{n:07d}", "MY") for n in range(count)]
            watched = [lambda: noted.append(key)]
            draft = Draft("UTA000000000001", Purpose.NOTIFICATION, "hello", people, watched)
            return Request(ACCOUNT, "org-one", None, [draft], key * 32, lambda session: session)

        with pytest.raises(InsufficientFunds):
            await rig.pipeline.accept(request("a", BALANCE // PRICE + 1))
        await rig.pipeline.accept(request("b", 1))
        assert noted == ["b"]


async def test_large_requests_wait_for_each_other_and_small_ones_for_none(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        done: list[str] = []

        async def send(name: str, count: int, first: int) -> None:
            await rig.accept(count, first=first)
            done.append(name)

        async with asyncio.TaskGroup() as customers:
            for n in range(5):
                customers.create_task(send(f"campaign {n}", LARGE, 1_000 * n + 1))
            customers.create_task(send("code", 1, 9_000))
        assert sorted(done[: LARGE_AT_ONCE + 1]) == ["campaign 0", "campaign 1", "code"]
        assert len(await rig.rows()) == 5 * LARGE + 1


@pytest.mark.parametrize("alphabet", ["gsm", "gsm-packed", "latin1"])
@pytest.mark.parametrize("concatenation", list(Concatenation))
async def test_t80_as_many_segments_are_sent_as_were_accepted_charged_and_counted(
    tmp_path: Path, concatenation: Concatenation, alphabet: str
) -> None:
    chance = random.Random(f"{concatenation}/{alphabet}")
    pieces = ["a", "0", " ", "é", "€", "[", "你", "😀", "e\u0301"]
    texts = [
        "".join(chance.choices(pieces[: chance.choice([3, 6, 9])], k=chance.randrange(1, 500)))
        for _ in range(60)
    ]
    config = channel_config("alpha", concatenation=concatenation, default_alphabet=alphabet, window=1_000)
    async with flow(tmp_path / "g.db", config) as rig:
        await rig.accept_texts(*texts)
        channel = rig.channel()
        sent = sum(segment.part.weight for segment in channel.sent)
        channel.accept()
        rows = await rig.rows()
        assert sum(row["segments"] for row in rows) == sum(row["sent_segments"] for row in rows) == sent
        assert [row["price"] for row in rows] == [row["segments"] * PRICE for row in rows]
        assert await rig.balance() == (BALANCE - sent * PRICE, 0, sent * PRICE)
        assert sum(row["segments"] for row in await rig.rows(tables_stats.statistics)) == sent
