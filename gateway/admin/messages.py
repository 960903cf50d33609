"""`/messages`: what became of one, and why; every look is in the audit."""

from typing import Any

from gateway.admin.call import Call
from gateway.admin.problem import refused
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Money, Query, When
from gateway.domain.operator import Permission
from gateway.flow.life import masked, readable
from gateway.store import audit, reads
from gateway.store.audit import Entry


class What(Query):
    """How much of it."""

    text: bool = False  # the text too, which may hold a code; for those who may see numbers


class Step(Answer):
    """One step of a message's life."""

    at: When
    state: str
    reason: str
    detail: str


class Part(Answer):
    """One segment and its receipt."""

    part: int
    channel: str
    carrier_id: str
    submitted_at: When
    receipt_state: str | None
    receipt_code: str | None
    receipt_error: str | None
    receipt_at: When | None


class LedgerLine(Answer):
    """One posting."""

    kind: str
    amount: Money
    reserved: Money
    at: When
    note: str


class Report(Answer):
    """One status report to the customer."""

    created_at: When
    next_at: When
    attempts: int
    done_at: When | None
    outcome: str | None


class MessageLife(Answer):
    """A message's whole life."""

    id: int
    session_no: str
    account_id: str
    project_id: str
    purpose: str
    template_id: str
    user_id: str | None
    phone: str | None
    phone_given: str | None
    text: str | None
    country: str
    segments: int
    price: Money
    charged: Money
    state: str
    reason: str
    final: bool
    lane: str
    channel: str | None
    attempts: int
    command_status: int  # of the last answer; 0: the carrier took it, or was never asked
    command_status_name: str | None  # as SMPP names it; null for 0
    receipt_code: str | None
    accepted_at: When
    expires_at: When
    due_at: When | None
    sent_at: When | None
    submitted_at: When | None
    final_at: When | None
    parts: list[Part]
    timeline: list[Step]
    ledger: list[LedgerLine]
    callbacks: list[Report]


class MessageLives(Answer):
    """The message, or each message of the session; numbers are masked for who may not see them."""

    messages: list[MessageLife]


async def show_messages(call: Call, query: What) -> MessageLives:
    """Show the whole life of a message, by its id, or of every message of a session, by its SessionNo."""
    clear = call.may(Permission.NUMBERS_READ)
    if query.text and not clear:
        raise refused(f"{call.actor.role} has no {Permission.NUMBERS_READ}, so no texts either")
    wanted = call.path["message"].strip()
    found = await call.read(lambda c: reads.message_life(c, wanted))
    after = {"messages": len(found), "numbers": clear, "text": query.text}
    entry, by = Entry("message.show", "message", wanted, None, after), call.by()
    await call.change(lambda c: audit.record(c, by.actor, entry, by.now_ms))
    return MessageLives(messages=[_view(life, clear=clear, text=query.text) for life in found])


def _view(life: dict[str, Any], *, clear: bool, text: bool) -> MessageLife:
    told = readable(life if text else {**life, "text": None})
    return MessageLife.model_validate(told if clear else masked(told))


ROUTES = (Route("GET", "/messages/{message}", Permission.MESSAGES_READ, show_messages),)
