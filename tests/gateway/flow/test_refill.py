"""What memory does not hold comes back from the store, all of it, in order."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.message import Purpose, Reason, State
from gateway.errors import StoreUnavailable
from gateway.flow import refill
from tests.support.flow import flow, message_of, settings, states


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


async def test_a_store_that_cannot_be_read_for_a_while_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refill, "STORE_RETRY", 0.0)
    async with flow(tmp_path / "g.db", options=settings(memory_window=4)) as rig:
        channel = rig.channel()
        channel.up = False
        await rig.accept(10)
        read, refused = rig.store.read, asyncio.Event()

        async def broken(query: Any) -> Any:
            monkeypatch.setattr(rig.store, "read", read)
            refused.set()
            raise StoreUnavailable("the server is away")

        monkeypatch.setattr(rig.store, "read", broken)
        channel.go(up=True)
        await refused.wait()
        await channel.until_sent(10)
