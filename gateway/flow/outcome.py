"""What a change of state means for the money and for the customer: one place, used by every step."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import orjson

from gateway.domain.account import Directory
from gateway.domain.message import Message, Purpose, Reason, State
from gateway.domain.report import status_item
from gateway.flow.context import Context
from gateway.flow.unit import Unit
from gateway.live import Live
from gateway.meters import Count
from gateway.store.changes import Row


class Outbox(Protocol):
    """Who delivers status reports; `flow.notify` in the running gateway."""

    def offer(self, rows: Sequence[Row]) -> None:
        """Take `OUTBOX` rows that are committed, in order."""


class Outcomes:
    """Writes captures, releases and status reports beside the moves that cause them."""

    def __init__(self, context: Context, directory: Live[Directory], outbox: Outbox) -> None:
        self._funds = context.funds
        self._directory = directory
        self._outbox = outbox
        self._metrics = context.metrics.messages
        self._final: dict[tuple[State, Reason], Count] = {}  # by what ended a message
        self._recall = context.settings.inbound.recall_days > 0
        self._language = context.settings.api.receipt_language  # of reports to accounts without their own

    def submitted(self, message: Message, unit: Unit, now_ms: int) -> None:
        """Capture what was reserved: the carrier took `message.sent_segments` of its segments.

        What was reserved for segments that were never taken goes back. Called once for a message.
        """
        price = message.price
        charge = price if message.sent_segments >= message.segments else (
            price * message.sent_segments // message.segments
        )  # fmt: skip
        message.charged = charge
        message.submitted_at = now_ms
        if self._recall and message.purpose is not Purpose.VERIFICATION:  # a code is not replied to
            account_id = message.submission.account_id
            unit.contacts.append((message.phone, message.channel or "", account_id, message.id, now_ms))
        unit.post(message, "capture", (price - charge, -price), now_ms)
        if charge != price:
            self._give_back(message, price - charge, unit)

    def finish(self, message: Message, state: State, reason: Reason, unit: Unit, now_ms: int) -> None:
        """Move `message` to a final state, release what was not captured, and report it.

        The row's move is written by the caller's unit as the message stands at the end.
        """
        if not message.submitted_at and not message.state.final:
            self._settle_money(message, reason, unit, now_ms)
        message.move(state, reason)
        message.final_at = now_ms
        self.count(message)
        self.report(message, message.id, unit, now_ms)

    def count(self, message: Message) -> None:
        """Count a message that reached its final state."""
        key = message.state, message.reason
        counted = self._final.get(key)
        if counted is None:
            counted = self._metrics.final.child(message.state.name.lower(), message.reason.name.lower())
            self._final[key] = counted
        counted.value += 1

    def _settle_money(self, message: Message, reason: Reason, unit: Unit, now_ms: int) -> None:
        if message.sent_segments:  # the carrier took some parts before the rest was given up
            self.submitted(message, unit, now_ms)
            return
        unit.post(message, "release", (message.price, -message.price), now_ms, reason.name)
        self._give_back(message, message.price, unit)

    def _give_back(self, message: Message, amount: int, unit: Unit) -> None:
        account_id = message.submission.account_id
        self._funds.add(account_id, amount)
        unit.undo.append(partial(self._funds.add, account_id, -amount))

    def report(self, message: Message, outbox_id: int, unit: Unit, now_ms: int) -> None:
        """Queue a status report, if the account has somewhere to send it or pulls them."""
        account = self._directory.value.accounts.get(message.submission.account_id)
        if account is None or not (account.callback_url or account.pull_reports):
            return
        payload = orjson.dumps(status_item(message, account.language or self._language)).decode()
        if account.callback_url:
            unit.outbox.append((outbox_id, account.id, message.id, payload, now_ms, now_ms, 0, None, None))
        if account.pull_reports:
            unit.pulls.append((account.id, message.id, payload, now_ms))

    def committed(self, unit: Unit) -> None:
        """Hand the reports of a committed unit on, then run what waited for it."""
        if unit.outbox:
            self._outbox.offer(unit.outbox)
        unit.committed()
