"""What a channel tells about itself: for readiness, metrics and people."""

from collections import Counter
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum

from carriers.smpp.status import status_name


class LinkState(StrEnum):
    """Where one bind is."""

    CONNECTING = "connecting"
    BINDING = "binding"
    BOUND = "bound"
    UNBINDING = "unbinding"  # no more requests; what is in flight may still be answered
    WAITING = "waiting"  # for the back-off to end
    STOPPED = "stopped"


@dataclass(slots=True)
class LinkStatus:
    """One bind of a channel."""

    name: str  # "1", "2" …; of a pair "1/tx" and "1/rx"
    state: LinkState
    since: float  # monotonic seconds at which it came up, or went down
    in_flight: int
    window: int  # 0 for a receiver
    last_error: str  # why it last ended or could not connect; "" if it never did


@dataclass(slots=True)
class Counters:
    """What happened on a channel since start."""

    sent: int = 0  # submit_sm given to links, repeats included
    accepted: int = 0
    refused: int = 0  # throttling left out
    throttled: Counter[int] = field(default_factory=Counter)  # answers that asked for patience, by status
    in_doubt: int = 0
    not_sent: int = 0
    late: int = 0  # answers that came after their segment was in doubt
    receipts: int = 0
    inbound: int = 0
    arrivals_put_off: int = 0  # answered with a temporary error: too many waited for the store already
    alerts: int = 0
    outbinds: int = 0
    binds: int = 0
    bind_failures: Counter[str] = field(default_factory=Counter)  # by class
    faults: Counter[str] = field(default_factory=Counter)  # of the peer, by kind


@dataclass(slots=True)
class ChannelStatus:
    """One channel, as of now."""

    up: bool
    links: list[LinkStatus]
    queued: int  # taken and not yet sent
    in_flight: int
    window: int
    rate: float  # segments a second it is paced at now; 0: no limit
    paused_for: float  # seconds until it may send again; 0: it may
    counters: Counters

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain values, ready for JSON."""
        values = asdict(replace(self, counters=Counters()))  # asdict garbles a Counter that counts
        counters = {each.name: getattr(self.counters, each.name) for each in fields(Counters)}
        counters["throttled"] = {status_name(status): n for status, n in self.counters.throttled.items()}
        return {**values, "counters": counters}
