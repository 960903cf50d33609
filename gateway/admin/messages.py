"""`/messages`: finding them, what became of one, and why; every look is in the audit."""

from typing import Any

from pydantic import Field

from gateway.admin.call import Call
from gateway.admin.problem import refused
from gateway.admin.route import Route
from gateway.admin.schema import (
    Answer,
    Money,
    Paging,
    Query,
    When,
    Word,
    cursor_of,
    position_in,
    unix_ms,
)
from gateway.domain.operator import Permission
from gateway.flow.life import masked, readable
from gateway.store import audit, reads, search
from gateway.store.audit import Entry
from gateway.store.search import Wanted


class What(Query):
    """How much of it."""

    text: bool = False  # the text too, which may hold a code; for those who may see numbers


class Search(Paging):
    """Which messages; what is not given matches everything."""

    phone: Word = Field("", description="Whom they went to: +86…, 0086…, (86)… or as dialled at home.")
    account_id: Word = ""
    user_id: Word = Field("", description="The customer's own id; name the account too.")
    state: Word = Field("", description="queued, delivered, failed, …; several with commas.")
    since: When | None = None
    until: When | None = Field(None, description="Exclusive.")
    text: bool = False  # the texts too; for those who may see numbers


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


class MessageFacts(Answer):
    """What is known of a message without its steps."""

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


class MessageLife(MessageFacts):
    """A message's whole life."""

    parts: list[Part]
    timeline: list[Step]
    ledger: list[LedgerLine]
    callbacks: list[Report]


class MessageLives(Answer):
    """The message, or each message of the session; numbers are masked for who may not see them."""

    messages: list[MessageLife]


class MessagePage(Answer):
    """A page of messages, newest first; numbers are masked for who may not see them.

    A page may be short, or empty, and still have a `next`: so much was looked through.
    """

    items: list[MessageFacts]
    next: str | None


async def list_messages(call: Call, query: Search) -> MessagePage:
    """Find messages, the newest first."""
    clear = _clear(call, text=query.text)
    wanted = Wanted(
        phones=search.phones_of(call.services.numbers, query.phone),
        account_id=query.account_id,
        user_id=query.user_id,
        states=search.states_of(query.state),
        since=unix_ms(query.since),
        until=unix_ms(query.until),
    )
    (before_id,) = position_in(query.cursor, int) or (None,)
    page = await call.read(lambda c: search.page(c, wanted, query.limit, before_id))
    after, by = search.looked(wanted, page.messages, clear, query.text), call.by()
    entry = Entry("message.list", "message", "*", None, after)
    await call.change(lambda c: audit.record(c, by.actor, entry, by.now_ms))
    return MessagePage(
        items=[
            MessageFacts.model_validate(_told(reads.facts(one), clear=clear, text=query.text))
            for one in page.messages
        ],
        next=None if page.next is None else cursor_of(page.next),
    )


async def show_messages(call: Call, query: What) -> MessageLives:
    """Show the whole life of a message, by its id, or of every message of a session, by its SessionNo."""
    clear = _clear(call, text=query.text)
    wanted = call.path["message"].strip()
    found = await call.read(lambda c: reads.message_life(c, wanted))
    after = {"messages": len(found), "numbers": clear, "text": query.text}
    entry, by = Entry("message.show", "message", wanted, None, after), call.by()
    await call.change(lambda c: audit.record(c, by.actor, entry, by.now_ms))
    lives = [_told(life, clear=clear, text=query.text) for life in found]
    return MessageLives(messages=[MessageLife.model_validate(life) for life in lives])


def _clear(call: Call, *, text: bool) -> bool:
    """Return whether who asks may see numbers; raises `Problem` if they want texts and may not."""
    clear = call.may(Permission.NUMBERS_READ)
    if text and not clear:
        raise refused(f"{call.actor.role} has no {Permission.NUMBERS_READ}, so no texts either")
    return clear


def _told(life: dict[str, Any], *, clear: bool, text: bool) -> dict[str, Any]:
    told: dict[str, Any] = readable(life if text else {**life, "text": None})
    return told if clear else masked(told)


ROUTES = (
    Route("GET", "/messages", Permission.MESSAGES_READ, list_messages),
    Route("GET", "/messages/{message}", Permission.MESSAGES_READ, show_messages),
)
