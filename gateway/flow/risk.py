"""Risk control at accept: which recipients get nothing, which have to wait, and why.

Decided and counted in one turn of the event loop, so two requests at once cannot both have the last place.
What a unit counted is taken back if it is not committed. Time runs by the monotonic clock, set to unix time
when the counts are loaded: a step of the clock neither frees a number nor locks it.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from config.limits import Hours
from config.schema import RiskRule
from gateway.domain.history import Entry
from gateway.domain.hours import opens_at
from gateway.domain.lists import ALLOWED_FLAG, BLOCKED_FLAGS, OPTED_OUT_FLAGS
from gateway.domain.message import Message, Purpose, Reason, State
from gateway.domain.numbermap import NumberMap
from gateway.domain.risk import DAY_MS, Cap, Frequency, Policies, Policy, entry_of, recipient_key
from gateway.domain.words import WordList
from gateway.flow.context import Context
from gateway.flow.lists import LiveLists
from gateway.flow.texts import TextGuard, WordFile
from gateway.flow.unit import Unit
from gateway.flow.verdicts import Verdicts
from gateway.live import Live
from gateway.store.risk import accepted_since, load_policies
from routing.zones import zones_of

_LISTS = (
    (RiskRule.BLACKLIST, BLOCKED_FLAGS, Reason.BLACKLISTED),
    (RiskRule.OPTOUT, OPTED_OUT_FLAGS, Reason.OPTED_OUT),
)
_PAGE = 20_000  # messages in one read of the counts
_NEVER = 1 << 62  # an id above all


@dataclass(slots=True)
class Verdict:
    """What becomes of a message that is not simply taken."""

    message: Message
    reason: Reason
    detail: str
    due_at: int = 0  # unix ms: it is held until then; 0: it ends here


@dataclass(slots=True)
class _Judged:
    """What is the same for every recipient of a text."""

    policy: Policy
    caps: Sequence[Cap]
    lists: tuple[NumberMap, ...]
    purpose: Purpose
    account_id: str
    entry: Entry
    hours: Hours | None


class Risk:
    """Everything risk control knows while the gateway runs."""

    def __init__(self, context: Context) -> None:
        """Know nothing yet: `load` before the first message."""
        settings = context.settings.risk
        self._store = context.store
        self._clock = context.clock
        self._metrics = context.metrics.risk
        self._offset = 0
        self._everybody = Policy.of(settings)
        self.policies = Live(Policies(self._everybody))
        self.lists = LiveLists(context)
        self.verdicts = Verdicts(context)
        self.frequency = Frequency(settings.history)
        words = Live(WordList())
        self.word_file = WordFile(settings.words, words)
        self.texts = TextGuard(self.policies, words, self.verdicts)
        self._known: dict[tuple[tuple[str, ...], Hours], int | None] = {}  # when promotion may go next
        self._minute = 0  # of which that is true
        context.metrics.before_scrape(self._set_levels)

    # -- what is known

    async def load(self) -> None:
        """Read settings, lists, words, and what was accepted within the last day.

        Raises `StoreUnavailable`, and `Invalid` for a file of words that cannot be used.
        """
        await self.word_file.load()
        await self.reload()
        await self.lists.load()
        await self._count_again()

    async def reload(self) -> None:
        """Read the accounts' own settings again."""
        load = partial(load_policies, everybody=self._everybody)
        self.policies.value = await self._store.read(load)

    async def _count_again(self) -> None:
        """Count what was accepted within the last day as if it had just been."""
        now_ms = self._clock.now_ms()
        self._offset = now_ms - int(self._clock.monotonic() * 1000)
        await self._count_those(Purpose.VERIFICATION, Purpose.VERIFICATION, now_ms)
        await self._count_those(Purpose.NOTIFICATION, Purpose.PROMOTION, now_ms)

    async def _count_those(self, first: Purpose, last: Purpose, now_ms: int) -> None:
        """Count messages of purposes that are remembered together: of no others, however many they are."""
        who, before = array("q"), _NEVER
        entries = tuple(array("q") for _ in Entry._fields)
        latest = now_ms  # what was written before something is not younger than that, whatever the clock said
        newest = partial(
            accepted_since, since_ms=now_ms - DAY_MS, limit=_PAGE, purposes=(int(first), int(last))
        )
        while rows := await self._store.read(partial(newest, before_id=before)):
            for before, account_id, _, phone, template_id, text, at in rows:  # noqa: B007 — the last id
                latest = min(latest, at)
                who.append(recipient_key(account_id, phone))
                for column, value in zip(entries, entry_of(latest, template_id, text), strict=True):
                    column.append(value)
            if len(who) >= self.frequency.verification.size:
                break
        for n in reversed(range(len(who))):
            self.frequency.add(who[n], first, Entry(*(column[n] for column in entries)))

    # -- what it decides

    def check(
        self, messages: Sequence[Message], text: str, template_id: str, unit: Unit
    ) -> Sequence[Verdict]:
        """Judge the new messages of one text, and count those that are taken.

        Returns a verdict for each that is not simply taken. Messages that have ended already are passed over.
        """
        submission, purpose = messages[0].submission, messages[0].purpose
        account_id = submission.account_id
        policy = self.policies.value.of(account_id)
        judged = _Judged(
            policy,
            policy.verification_caps if purpose is Purpose.VERIFICATION else policy.other_caps,
            self.lists.index.of(account_id, submission.project_id),
            purpose,
            account_id,
            entry_of(self._offset + int(self._clock.monotonic() * 1000), template_id, text),
            policy.hours if purpose is Purpose.PROMOTION else None,
        )
        if not (judged.caps or judged.lists or judged.hours):
            return ()
        counted: list[int] = []
        verdicts: list[Verdict] = []
        for message in messages:
            if message.state is not State.ACCEPTED:
                continue
            who = recipient_key(account_id, message.phone) if judged.caps else 0
            verdict = self._judge(message, who, judged, unit)
            if verdict is not None:
                verdicts.append(verdict)
                if not verdict.due_at:
                    continue
            if who:
                counted.append(self.frequency.add(who, purpose, judged.entry))
        if counted:
            unit.undo.append(partial(self.frequency.ring(purpose).drop, counted))
        return verdicts

    def _judge(self, message: Message, who: int, judged: _Judged, unit: Unit) -> Verdict | None:
        flags = 0
        if judged.lists:
            phone = int(message.phone)
            for numbers in judged.lists:
                flags |= numbers[phone]
            if flags and (verdict := self._listed(message, flags, judged, unit)) is not None:
                return verdict
        if who and not flags & ALLOWED_FLAG:
            for cap in self.frequency.over(who, judged.purpose, judged.entry, judged.caps):
                detail = f"{cap.rule.value} {judged.policy.values[cap.rule]}"
                self._note(message, cap.rule, detail, judged.policy, unit)
                if cap.enforced:
                    return Verdict(message, Reason.RATE_LIMITED, detail)
        if judged.hours is not None:
            return self._outside(message, judged.hours, judged, unit)
        return None

    def _listed(self, message: Message, flags: int, judged: _Judged, unit: Unit) -> Verdict | None:
        for rule, stopped, reason in _LISTS:
            if flags & stopped[judged.purpose] and judged.policy.runs(rule):
                self._note(message, rule, rule.value, judged.policy, unit)
                if judged.policy.enforces(rule):
                    return Verdict(message, reason, rule.value)
        return None

    def _outside(self, message: Message, hours: Hours, judged: _Judged, unit: Unit) -> Verdict | None:
        begins = self._begins(message.phone, hours, message.accepted_at)
        if begins == 0:
            return None
        detail = f"{RiskRule.HOURS.value} {judged.policy.values[RiskRule.HOURS]}"
        if begins is None:
            detail += "; the time zones the number may be in share no such minute"
        self._note(message, RiskRule.HOURS, detail, judged.policy, unit)
        if not judged.policy.enforces(RiskRule.HOURS):
            return None
        return Verdict(message, Reason.OUTSIDE_HOURS, detail, 0 if hours.refuse else begins or 0)

    def _note(self, message: Message, rule: RiskRule, detail: str, policy: Policy, unit: Unit) -> None:
        """Note a verdict once the unit it belongs to is committed."""
        account_id, mode = message.submission.account_id, policy.modes[rule]
        note = partial(self.verdicts.note, account_id, rule, mode, phone=message.phone, detail=detail)
        unit.then.append(note)

    def stopped(self, message: Message, unit: Unit) -> Reason | None:
        """Return why a message that had to wait goes out no more: its number was put on a list meanwhile.

        One that a carrier was given before goes on: it may be on the handset already.
        """
        if message.sent_at is not None or not message.phone:
            return None
        account_id = message.submission.account_id
        lists = self.lists.index.of(account_id, message.submission.project_id)
        if not lists:
            return None
        flags, phone = 0, int(message.phone)
        for numbers in lists:
            flags |= numbers[phone]
        if flags:
            policy = self.policies.value.of(account_id)
            for rule, stopping, reason in _LISTS:
                if flags & stopping[message.purpose] and policy.enforces(rule):
                    self._note(message, rule, rule.value, policy, unit)
                    return reason
        return None

    def held_until(self, message: Message, now_ms: int) -> int:
        """Return until when an accepted message must wait for the recipient's day; 0: it may be sent now.

        Never longer than it is valid: then it ends as expired.
        """
        if message.purpose is not Purpose.PROMOTION:
            return 0
        hours = self.policies.value.of(message.submission.account_id).closing_hours
        if hours is None or not message.phone:
            return 0
        begins = self._begins(message.phone, hours, now_ms)
        return message.expires_at if begins is None else min(begins, message.expires_at)

    def _begins(self, phone: str, hours: Hours, now_ms: int) -> int | None:
        """Return what `opens_at` does, worked out once a minute for every set of zones."""
        minute = now_ms // 60_000
        if minute != self._minute:
            self._minute, self._known = minute, {}
        key = (zones_of(phone), hours)
        if key not in self._known:
            self._known[key] = opens_at(now_ms, *key)
        return self._known[key]

    def _set_levels(self) -> None:
        for kind, ring in (("verification", self.frequency.verification), ("other", self.frequency.others)):
            self._metrics.remembered.set(len(ring), kind)
            self._metrics.lost.set(ring.lost, kind)
