"""Step 1 of 4: take a submission from a customer. Next: `dispatch`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from carriers.smpp.text import Unencodable
from gateway.domain.message import Message, Purpose, Reason, State, Submission
from gateway.domain.pricing import PriceList
from gateway.errors import Overloaded
from gateway.flow.context import Context
from gateway.flow.dispatch import Dispatcher
from gateway.flow.outcome import Outcomes
from gateway.flow.parts import PartCache
from gateway.flow.risk import Risk, Verdict
from gateway.flow.unit import Then, Unit
from gateway.ids import session_no
from gateway.live import Live
from routing.table import Choice, NoRoute, RouteTable

# Drawing up a thousand messages takes tens of milliseconds. Were a dozen such requests drawn up in one turn
# of the event loop, answers, receipts and other customers' codes would wait for all of them.
LARGE = 100  # recipients
LARGE_AT_ONCE = 2  # until they are committed; more would only queue in the journal

_WORDS = {purpose: purpose.name.lower() for purpose in Purpose}


@dataclass(slots=True)
class Recipient:
    """One number that passed every check; `given` is how the customer wrote it."""

    phone: str  # E.164 digits
    given: str
    country: str  # ISO 3166 region
    user_id: str | None = None


@dataclass(slots=True)
class Draft:
    """One text and those who get it."""

    template_id: str
    purpose: Purpose
    text: str
    recipients: list[Recipient]
    watched: list[Then] = field(default_factory=list)  # what rules that only watch note once it is accepted


@dataclass(slots=True)
class Request:
    """A submission that passed every check of the API."""

    account_id: str
    project_id: str
    user_id: str | None
    drafts: list[Draft]
    request_key: str  # what makes a repeated request the same
    answer: Callable[[str], str]  # session number → the answer, stored to be replayed


@dataclass(slots=True)
class Accepted:
    """The submission is stored: it survives power loss."""

    session_no: str
    answer: str


@dataclass(slots=True)
class _Way:
    """A text's way and price, worked out once for every country and route its recipients have."""

    choice: Choice | NoRoute
    lane: str
    segments: int
    price: int
    barred: Reason | None  # why there is no way, if there is none
    detail: str


class Accept:
    """Accepts submissions; built once with everything it needs."""

    def __init__(
        self,
        context: Context,
        parts: PartCache,
        dispatcher: Dispatcher,
        outcomes: Outcomes,
        routes: Live[RouteTable],
        prices: Live[PriceList],
        risk: Risk,
    ) -> None:
        self._parts = parts
        self._risk = risk
        self._journal = context.journal
        self._funds = context.funds
        self._ids = context.ids
        self._clock = context.clock
        self._dispatcher = dispatcher
        self._outcomes = outcomes
        self._routes = routes
        self._prices = prices
        settings, metrics = context.settings, context.metrics.messages
        self._validity = {p: int(settings.delivery.validity[p.name.lower()] * 1000) for p in Purpose}
        self._accepted = {p: metrics.accepted.child(p.name.lower()) for p in Purpose}
        self._max_pending = settings.http.max_pending
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def __call__(self, request: Request) -> Accepted:
        """Price, route, reserve and journal: when it returns, the submission survives a crash.

        Raises `InsufficientFunds` (all or none), `Overloaded` and `StoreUnavailable`; then nothing happened.
        A recipient without route or price, or stopped by risk control, is accepted and fails at once,
        uncharged, with its reason.
        """
        if self._journal.pending_rows > self._max_pending:
            raise Overloaded("too many messages wait for their commit")
        count = sum([len(draft.recipients) for draft in request.drafts])
        if count < LARGE:
            accepted, waiter = self._take(request, count)
            await waiter
        else:
            async with self._large:
                accepted, waiter = self._take(request, count)
                await waiter
        for draft in request.drafts:
            self._accepted[draft.purpose].value += len(draft.recipients)
        return accepted

    def _take(self, request: Request, count: int) -> tuple[Accepted, "asyncio.Future[None]"]:
        """Return what was accepted, and what to wait for before anybody is told."""
        now_ms = self._clock.now_ms()
        unit = Unit()
        try:
            submission, messages = self._draw_up(request, count, unit, now_ms)
            price = sum([message.price for message in messages])
            self._funds.reserve(request.account_id, price)
        except Exception:
            unit.failed()
            raise
        unit.undo.append(partial(self._funds.add, request.account_id, price))
        answer = request.answer(submission.session_no)
        unit.submissions.append(
            (
                submission.id,
                submission.session_no,
                submission.account_id,
                submission.project_id,
                int(submission.purpose),
                submission.template_id,
                submission.user_id,
                submission.text,
                len(messages),
                price,
                request.request_key,
                answer,
                now_ms,
            )
        )
        unit.ledger.append((request.account_id, "reserve", -price, price, submission.id, None, now_ms, ""))
        unit.new_messages = messages
        self._dispatcher.place([m for m in messages if m.state is State.ACCEPTED], unit)
        return Accepted(submission.session_no, answer), self._commit(unit)

    def _commit(self, unit: Unit) -> "asyncio.Future[None]":
        """Journal the unit; what follows its commit happens even if nobody waits for it any more."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: Exception | None) -> None:
            try:
                if error is None:
                    self._outcomes.committed(unit)
                else:
                    unit.failed()
            finally:
                if not waiter.cancelled():
                    if error is None:
                        waiter.set_result(None)
                    else:
                        waiter.set_exception(error)

        self._journal.post(unit, done, yields=True)
        return waiter

    def _draw_up(
        self, request: Request, count: int, unit: Unit, now_ms: int
    ) -> tuple[Submission, list[Message]]:
        """Return the submission and its `count` messages, ids taken, in the order of the request."""
        drafts = request.drafts
        first = self._ids.take(count + 1, now_ms)
        submission = Submission(
            id=first,
            session_no=session_no(first),
            account_id=request.account_id,
            project_id=request.project_id,
            purpose=drafts[0].purpose,
            template_id=drafts[0].template_id,
            user_id=request.user_id,
            text=drafts[0].text if len(drafts) == 1 else None,
            created_at=now_ms,
        )
        messages: list[Message] = []
        for draft in drafts:
            self._draft(draft, submission, messages, unit)
            unit.then += draft.watched
        return submission, messages

    def _draft(self, draft: Draft, submission: Submission, messages: list[Message], unit: Unit) -> None:
        choose = self._routes.value.choose
        account_id, purpose, now_ms = submission.account_id, draft.purpose, submission.created_at
        text = None if submission.text is not None else draft.text
        template_id = None if draft.template_id == submission.template_id else draft.template_id
        expires_at = now_ms + self._validity[purpose]
        word = _WORDS[purpose]
        known: dict[tuple[str, int], _Way] = {}  # decisions by identity: each way keeps its own alive
        message_id = submission.id + len(messages)
        for recipient in draft.recipients:
            message_id += 1
            choice = choose(recipient.country, recipient.phone, word, account_id)
            key = (recipient.country, id(choice))
            way = known.get(key)
            if way is None:
                way = known[key] = self._way(draft, recipient.country, choice)
            message = Message(
                message_id, submission, purpose, recipient.phone, recipient.given, recipient.user_id,
                template_id, text, recipient.country, way.segments, way.price, now_ms, expires_at,
                lane=way.lane,
            )  # fmt: skip
            messages.append(message)
            if way.barred is not None:
                self._refuse(message, way.barred, way.detail, unit)
        new = messages if len(messages) == len(draft.recipients) else messages[-len(draft.recipients) :]
        for verdict in self._risk.check(new, draft.text, draft.template_id, unit):
            self._bar(verdict, unit)

    def _way(self, draft: Draft, country: str, choice: Choice | NoRoute) -> _Way:
        if isinstance(choice, NoRoute):
            return _Way(choice, "", 1, 0, Reason.NO_ROUTE, choice.reason)
        # the first candidate's way of joining parts decides what is counted, once and for all
        try:
            segments = self._parts.count(draft.text, choice.channels[0])
        except Unencodable as error:
            return _Way(choice, "", 1, 0, Reason.UNENCODABLE, str(error))
        price = self._prices.value.price(country, draft.purpose, segments)
        if price is None:
            return _Way(choice, "", segments, 0, Reason.NO_PRICE, f"{country} {draft.purpose.name.lower()}")
        return _Way(choice, ",".join(choice.channels), segments, price, None, "")

    def _bar(self, verdict: Verdict, unit: Unit) -> None:
        """End a message that risk control stops, or hold it; its validity begins once it may be sent."""
        message = verdict.message
        if not verdict.due_at:
            message.price = 0
            self._refuse(message, verdict.reason, verdict.detail, unit)
            return
        message.move(State.HELD, verdict.reason)
        message.due_at = verdict.due_at
        message.expires_at += verdict.due_at - message.accepted_at
        unit.event(message.id, message.accepted_at, State.HELD, verdict.reason, verdict.detail)

    def _refuse(self, message: Message, reason: Reason, detail: str, unit: Unit) -> None:
        """End a message that goes nowhere; its price is 0, so nothing is reserved for it."""
        now_ms = message.accepted_at
        message.state, message.reason, message.final_at = State.FAILED, reason, now_ms
        unit.event(message.id, now_ms, State.FAILED, reason, detail)
        self._outcomes.report(message, message.id, unit, now_ms)
        self._outcomes.count(message)
