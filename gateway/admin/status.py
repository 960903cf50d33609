"""`/status` and `/channels`: how the gateway is now."""

from typing import Any

from gateway.admin.call import Call
from gateway.admin.route import Route
from gateway.admin.schema import Answer
from gateway.domain.operator import Permission


class Queue(Answer):
    """Messages that wait in one lane, of one purpose."""

    lane: str  # candidate channels in order of preference
    purpose: str
    state: str
    messages: int
    oldest_seconds: float


class Status(Answer):
    """The gateway as a whole."""

    version: str
    ready: bool
    reasons: list[str]  # why it takes no submissions
    in_doubt: int  # segments sent and never answered
    pending_rows: int  # wait for their commit
    queues: list[Queue]


class ChannelView(Answer):
    """One channel: its links, windows, rate, and what happened on it since start."""

    id: str
    up: bool
    queued: int  # segments the channel has taken and not yet sent
    waiting: int = 0  # messages in the store that may go by it
    in_flight: int
    window: int
    rate: float
    paused_for: float
    links: list[dict[str, Any]]
    counters: dict[str, Any]


class ChannelList(Answer):
    """Every channel, by id."""

    items: list[ChannelView]


async def show_status(call: Call) -> Status:
    """Show whether submissions are taken, what waits, and how long."""
    return Status.model_validate(call.services.status())


async def list_channels(call: Call) -> ChannelList:
    """Show every channel as it is now."""
    channels = call.services.channels()
    return ChannelList(
        items=[ChannelView.model_validate({"id": id_, **channels[id_]}) for id_ in sorted(channels)]
    )


ROUTES = (
    Route("GET", "/status", Permission.STATUS_READ, show_status),
    Route("GET", "/channels", Permission.STATUS_READ, list_channels),
)
