"""The queues: a bounded prefix of each lane in memory, the rest in the store, always in order of age.

A lane is one list of candidate channels and one purpose. Ids rise with time, so "older" is "smaller id".
`tail` is the highest id that memory has ever taken: what is above it is still to be loaded.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator
from operator import attrgetter

from gateway.domain.message import Message, Purpose, State

LaneKey = tuple[str, Purpose]

_by_id = attrgetter("id")


class Lane:
    """Waiting messages with the same candidate channels and purpose."""

    __slots__ = (
        "ahead",
        "candidates",
        "coming",
        "limit",
        "loading",
        "missed",
        "purpose",
        "ready",
        "spilled",
        "tail",
    )

    def __init__(self, key: LaneKey, limit: int, *, spilled: bool) -> None:
        """`spilled`: the store may hold messages that memory does not."""
        lane, self.purpose = key
        self.candidates = tuple(lane.split(","))
        self.limit = limit
        self.ready: deque[Message] = deque()
        self.spilled = spilled
        self.missed = False  # something was left to the store since the last load began
        self.loading = False
        self.tail = 0
        self.ahead: set[int] = set()  # ids above `tail` that memory has taken all the same
        self.coming = 0  # messages that will be pushed once their commit is through

    def __repr__(self) -> str:
        more = " and more in the store" if self.spilled else ""
        return f"<Lane {','.join(self.candidates)}/{self.purpose.name} {len(self.ready)} ready{more}>"

    @property
    def idle(self) -> bool:
        """Whether nobody waits here, so that a new message may go at once."""
        return not self.ready and not self.spilled and not self.coming

    def passed(self, message_id: int) -> None:
        """Note that the message with this id went by without waiting; nothing older may be coming."""
        self.tail = max(self.tail, message_id)

    def push(self, message: Message) -> None:
        """Queue a newly stored message; in order of id. Past the limit it is left to the store."""
        if message.id <= self.tail or message.id in self.ahead:
            return  # a load that ran in between has brought it already
        if self.spilled or len(self.ready) >= self.limit:
            self.spilled = self.missed = True
            return
        self._insert(message)
        self.tail = message.id
        if self.ahead:
            self.ahead = {id_ for id_ in self.ahead if id_ > self.tail}

    def came(self, message: Message) -> None:
        """Queue a message that `coming` counts: its commit is through."""
        self.coming -= 1
        self.push(message)

    def requeue(self, message: Message) -> None:
        """Queue a message that was taken out before, at its place by age, whatever the limit.

        Its move may not be committed yet, so it cannot be left to the store: a load could miss it.
        """
        if message.id <= self.tail or not (self.spilled or self.coming):
            self.passed(message.id)
        else:
            self.ahead.add(message.id)  # older ones may still be in the store, or on their way there
        self._insert(message)

    def _insert(self, message: Message) -> None:
        if not self.ready or message.id > self.ready[-1].id:
            self.ready.append(message)
        else:
            insort(self.ready, message, key=_by_id)

    def wants_load(self) -> bool:
        """Whether the store should be asked for more now."""
        return self.spilled and not self.loading and len(self.ready) <= self.limit // 2

    def begin_load(self) -> int:
        """Start a load; return how many to ask for, with ids above `tail`."""
        self.loading = True
        self.missed = False
        return self.limit - len(self.ready)

    def end_load(self, loaded: Iterable[Message], *, complete: bool) -> None:
        """Take what a load brought; `complete`: the store had no more than this."""
        self.loading = False
        for message in loaded:
            if message.id > self.tail:
                self.tail = message.id
                if message.id in self.ahead:
                    self.ahead.discard(message.id)
                else:
                    self._insert(message)
        if complete and not self.missed:
            self.spilled = False

    def take(self) -> Message | None:
        """Remove and return the oldest message that still waits."""
        while self.ready:
            message = self.ready.popleft()
            if message.state is State.QUEUED:
                return message
        return None

    def take_expired(self, now_ms: int) -> list[Message]:
        """Remove and return the messages at the head whose validity is over.

        What waits behind the head, in memory or in the store, comes to it in its turn.
        """
        expired: list[Message] = []
        while self.ready and self.ready[0].expires_at <= now_ms:
            message = self.ready.popleft()
            if message.state is State.QUEUED:
                expired.append(message)
        return expired


class Lanes:
    """All lanes, by key and by channel in order of purpose."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lanes: dict[LaneKey, Lane] = {}
        self._by_channel: dict[str, list[Lane]] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    def get(self, lane: str, purpose: Purpose, *, spilled: bool = False) -> Lane:
        """Return the lane, made on first use; `spilled` applies to a new one."""
        key = (lane, purpose)
        found = self._lanes.get(key)
        if found is None:
            found = self._lanes[key] = Lane(key, self._limit, spilled=spilled)
            for channel in found.candidates:
                lanes = self._by_channel.setdefault(channel, [])
                lanes.append(found)
                lanes.sort(key=attrgetter("purpose"))
        return found

    def of_channel(self, channel_id: str) -> list[Lane]:
        """Return the lanes that name this channel, most urgent purpose first."""
        return self._by_channel.get(channel_id, [])
