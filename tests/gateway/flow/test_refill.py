"""What memory does not hold comes back from the store, all of it, in order."""

from pathlib import Path

from gateway.domain.message import Purpose, Reason, State
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
