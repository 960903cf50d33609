"""Every metric, with its help text. One registry per process, handed down; nothing here is global.

Gauges that describe a moment (depths, windows, links) are filled in by a refresher just before a scrape.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, GCCollector, Info, ProcessCollector, generate_latest

from gateway.meters import NAMESPACE, Counts, Latencies, Levels

# from one commit on a fast disk to a response timeout
ANSWER_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# from a handset that is on to one that comes back after days
RECEIPT_SECONDS = (
    0.1,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    1800.0,
    7200.0,
    43200.0,
    86400.0,
    259200.0,
)
COMMIT_ROWS = (1, 4, 16, 64, 256, 1024, 4096, 16384)

Refresher = Callable[[], None]


class ApiMetrics:
    """The customers' side."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counts(
            registry,
            "api_requests",
            "API requests answered, by action and RetCode (0: done).",
            ("action", "code"),
        )
        self.seconds = Latencies(
            registry,
            "api_request_seconds",
            "Time from a request read to its answer.",
            ANSWER_SECONDS,
            ("action",),
        )
        self.replayed = Counts(registry, "api_replayed", "Repeated requests given the first one's answer.")
        self.pending = Levels(
            registry, "accept_pending", "Messages that wait for their accept to be committed."
        )


class MessageMetrics:
    """Messages on their way from accept to their final state."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.accepted = Counts(registry, "messages_accepted", "Messages accepted and stored.", ("purpose",))
        self.final = Counts(
            registry,
            "messages_final",
            "Messages that reached a final state, with the reason.",
            ("state", "reason"),
        )
        self.retried = Counts(
            registry, "messages_retried", "Messages put back to be sent again, with the reason.", ("reason",)
        )
        self.queued = Levels(
            registry,
            "queue_messages",
            "Messages waiting to be sent, by candidate channels (best first) and purpose; "
            "counted every 5 s, or as seldom as keeps counting below 5 % of the time.",
            ("channel", "purpose"),
        )
        self.oldest = Levels(
            registry,
            "queue_oldest_seconds",
            "Age of the oldest message of that queue.",
            ("channel", "purpose"),
        )
        self.held = Levels(registry, "messages_held", "Messages held back until a retry is due.")
        self.in_doubt = Levels(
            registry, "messages_in_doubt", "Messages sent and never answered, undecided now."
        )


class ChannelMetrics:
    """Carriers, seen from this side of the wire."""

    def __init__(self, registry: CollectorRegistry) -> None:
        channel, link = ("channel",), ("channel", "link")
        self.segments = Counts(
            registry, "segments", "submit_sm answered, by channel and command_status.", ("channel", "status")
        )
        self.segments_in_doubt = Counts(
            registry,
            "segments_in_doubt",
            "submit_sm that got no answer in time or lost their session.",
            channel,
        )
        self.segments_not_sent = Counts(
            registry, "segments_not_sent", "Segments a channel gave back unsent when it went down.", channel
        )
        self.answer_seconds = Latencies(
            registry, "answer_seconds", "Time from submit_sm to its answer.", ANSWER_SECONDS, channel
        )
        self.receipt_seconds = Latencies(
            registry,
            "receipt_seconds",
            "Time from the answer to the final receipt.",
            RECEIPT_SECONDS,
            channel,
        )
        self.receipts = Counts(
            registry, "receipts", "Delivery receipts, by message state.", ("channel", "state")
        )
        self.receipts_early = Counts(
            registry, "receipts_early", "Receipts kept because no answer has named their id yet.", channel
        )
        self.throttled = Counts(
            registry,
            "throttled",
            "Answers by which the carrier asked us to slow down.",
            ("channel", "status"),
        )
        self.unknown_status = Counts(
            registry, "unknown_status", "Answers whose command_status has no rule.", ("channel", "status")
        )
        self.protocol_faults = Counts(
            registry, "protocol_faults", "PDUs of the peer that broke the protocol.", channel
        )
        self.bind_failures = Counts(
            registry, "bind_failures", "Refused or failed binds, by class.", ("channel", "why")
        )
        self.in_flight = Levels(
            registry, "segments_in_flight", "submit_sm sent and not yet answered.", channel
        )
        self.window = Levels(registry, "window", "submit_sm the bound links may leave unanswered.", channel)
        self.rate = Levels(
            registry, "rate", "Segments a second the channel is paced at; 0: no limit.", channel
        )
        self.up = Levels(
            registry, "channel_up", "1 while at least one link of the channel can send.", channel
        )
        self.link_state = Levels(registry, "link_state", "1 for the state each link is in.", (*link, "state"))


class InboundMetrics:
    """Messages from handsets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        channel = ("channel",)
        self.parts = Counts(
            registry,
            "inbound_parts",
            "deliver_sm of handsets stored: messages, and parts of long ones.",
            channel,
        )
        self.messages = Counts(
            registry,
            "inbound_messages",
            "Messages of handsets finished, by how: whole, joined, timed_out, memory_full (parts missing).",
            ("channel", "completion"),
        )
        self.unowned = Counts(registry, "inbound_unowned", "Messages of handsets that nobody owns.", channel)
        self.duplicates = Counts(registry, "inbound_duplicates", "Parts that a carrier sent again.")
        self.wishes = Counts(
            registry, "inbound_wishes", "Messages that say a word to opt out or in.", ("wish",)
        )
        self.granted = Counts(registry, "inbound_wishes_granted", "Opt-outs added, or taken back.")
        self.waiting = Levels(registry, "inbound_parts_waiting", "Parts that wait for others.")


class StoreMetrics:
    """The writer and its group commits."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.commit_rows = Latencies(registry, "commit_rows", "Rows written by one commit.", COMMIT_ROWS)
        self.commit_seconds = Latencies(
            registry, "commit_seconds", "Time of one commit, its statements included.", ANSWER_SECONDS
        )
        self.failures = Counts(registry, "commit_failures", "Commits that failed and were rolled back.")
        self.pending_rows = Levels(registry, "journal_pending_rows", "Rows that wait for the next commit.")
        self.retention = Counts(registry, "retention_rows", "Finished rows redacted or purged.", ("action",))


class CallbackMetrics:
    """Status reports and replies on their way to customers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reports = Counts(
            registry, "callback_reports", "Status reports and replies, by what became of them.", ("outcome",)
        )
        self.posts = Counts(registry, "callback_posts", "Callback POSTs, by result.", ("result",))
        self.seconds = Latencies(registry, "callback_seconds", "Time of one callback POST.", ANSWER_SECONDS)
        self.waiting = Levels(
            registry, "callback_waiting", "Status reports and replies not yet delivered, kept in memory."
        )
        self.failing = Levels(registry, "callback_endpoints_failing", "Endpoints whose last POST failed.")


class ReviewMetrics:
    """What customers hand in, and what becomes of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.moves = Counts(
            registry,
            "review_moves",
            "Moves of signatures, templates and qualifications under review.",
            ("kind", "move", "by"),
        )
        self.waiting = Levels(registry, "review_waiting", "What waits for a reviewer.", ("kind",))


class RiskMetrics:
    """What the rules of risk control do."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.verdicts = Counts(
            registry,
            "risk_verdicts",
            "Messages a rule stopped or held (mode on), or would have (mode monitor).",
            ("rule", "mode"),
        )
        self.numbers = Levels(
            registry, "risk_listed_numbers", "Numbers on blacklists, opt-outs, allow-lists."
        )
        self.remembered = Levels(
            registry, "risk_history", "Messages remembered for the rates, by kind.", ("kind",)
        )
        self.lost = Levels(
            registry,
            "risk_history_lost",
            "Messages forgotten before their day was over, since start: [risk] history is too small.",
            ("kind",),
        )


class AdminMetrics:
    """The operators' door."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counts(
            registry,
            "admin_requests",
            "Requests of the admin API, by endpoint and HTTP status.",
            ("method", "path", "status"),
        )
        self.logins = Counts(
            registry, "admin_logins", "Log-ins of operators: ok, refused, locked or busy.", ("result",)
        )
        self.denials = Counts(
            registry,
            "admin_denials",
            "Requests of the admin API refused: credentials, csrf, password_change or permission.",
            ("reason",),
        )


class ProcessMetrics:
    """The process itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tasks = Levels(registry, "tasks", "asyncio tasks that live now.")
        self.clock_behind = Levels(
            registry,
            "clock_behind_seconds",
            "How far the machine's clock is ahead of the gateway's, which follows it without a step.",
        )


class Metrics:
    """All of them, and the page a scrape gets."""

    def __init__(self, version: str = "") -> None:
        self.registry = registry = CollectorRegistry()
        self.api = ApiMetrics(registry)
        self.messages = MessageMetrics(registry)
        self.channels = ChannelMetrics(registry)
        self.inbound = InboundMetrics(registry)
        self.store = StoreMetrics(registry)
        self.callbacks = CallbackMetrics(registry)
        self.review = ReviewMetrics(registry)
        self.risk = RiskMetrics(registry)
        self.admin = AdminMetrics(registry)
        self.process = ProcessMetrics(registry)
        self.groups = (
            self.api, self.messages, self.channels, self.inbound, self.store, self.callbacks, self.review,
            self.risk, self.admin, self.process,
        )  # fmt: skip
        self._refreshers: list[Refresher] = []
        Info("build", "The running version.", namespace=NAMESPACE, registry=registry).info(
            {"version": version}
        )
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

    def before_scrape(self, refresher: Refresher) -> None:
        """Call `refresher` before every scrape, to set levels that only matter then."""
        self._refreshers.append(refresher)

    def render(self) -> bytes:
        """Return the exposition page."""
        for refresher in self._refreshers:
            refresher()
        return generate_latest(self.registry)
