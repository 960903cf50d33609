"""What stands above a channel in tests: it keeps what is reported and lets a test wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from carriers.channel import Channel
from carriers.results import Answer, Arrivals, Fate, Inbound, Receipt, Segment
from carriers.smpp.text import encode_text
from config.schema import ChannelConfig, Concatenation, TimerConfig

QUICK = TimerConfig(  # real timers, so short that no test waits for one
    connect=5.0,
    bind=5.0,
    response=5.0,
    enquire_link=5.0,
    read=5.0,
    unbind=2.0,
    backoff_base=0.01,
    backoff_cap=0.05,
    backoff_credentials=0.05,
    stable_after=30.0,
)


def channel_config(port: int, **changes: object) -> ChannelConfig:
    """A channel to a carrier on this machine."""
    values: dict[str, object] = {
        "id": "acme-1",
        "host": "127.0.0.1",
        "port": port,
        "system_id": "acme",
        "password": "secret",
        "source": "Acme",
        "timers": QUICK,
    }
    return ChannelConfig(**(values | changes))  # type: ignore[arg-type]


def segments(*refs: object, text: str = "hello") -> list[Segment]:
    """One-segment messages, each to a number of its own, `ref` naming it."""
    part = encode_text(text, Concatenation.UDH8)[0]
    return [Segment(ref, f"60{index:09d}", part) for index, ref in enumerate(refs, 1)]


def long_message(name: str, parts: int, destination: str = "60123456789") -> list[Segment]:
    """A message of `parts` segments; their refs are `name` and the part's number."""
    encoded = encode_text("x" * (153 * parts), Concatenation.UDH8)
    assert len(encoded) == parts
    return [Segment((name, part.number), destination, part, concat_ref=1) for part in encoded]


class Upstream:
    """The sinks of one channel. Arrivals are acknowledged at once unless `hold` is set."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.receipts: list[Receipt] = []
        self.inbound: list[Inbound] = []
        self.held: list[Arrivals] = []
        self.hold = False
        self.states = 0
        self._changed = asyncio.Event()

    def answered(self, channel_id: str, answers: Sequence[Answer]) -> None:
        assert answers
        self.answers.extend(answers)
        self._changed.set()

    def arrived(self, channel_id: str, arrivals: Arrivals) -> None:
        self.receipts.extend(arrivals.receipts)
        self.inbound.extend(arrivals.inbound)
        if self.hold:
            self.held.append(arrivals)
        else:
            arrivals.reply(True)
        self._changed.set()

    def changed(self, channel_id: str) -> None:
        self.states += 1
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds; looked at whenever the channel reports something."""
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def refs(self, fate: Fate) -> list[object]:
        """The refs that ended so, in the order reported."""
        return [answer.ref for answer in self.answers if answer.fate is fate]


@asynccontextmanager
async def running(config: ChannelConfig, *, bound: bool = True) -> AsyncIterator[tuple[Channel, Upstream]]:
    """A channel at work; with `bound`, all its links are."""
    upstream = Upstream()
    channel = Channel(config, upstream.answered, upstream.arrived, upstream.changed)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(channel.run())
        if bound:
            await upstream.until(lambda: all(link.state == "bound" for link in channel.status().links))
        try:
            yield channel, upstream
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
