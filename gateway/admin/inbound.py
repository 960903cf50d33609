"""`/inbound`, `/numbers`: what handsets sent, and whose the numbers are that they write to."""

from typing import Any

from pydantic import Field

from gateway.admin.call import Call
from gateway.admin.problem import refused
from gateway.admin.route import Route
from gateway.admin.schema import (
    Answer,
    Body,
    Paging,
    Query,
    Reason,
    When,
    Why,
    Word,
    cursor_of,
    position_in,
    when,
    when_or_none,
)
from gateway.domain.numbers import OwnedNumber, bare, handset
from gateway.domain.operator import Permission
from gateway.errors import NotFound
from gateway.flow.wishes import OBEY
from gateway.logs import mask_number
from gateway.store import audit, inbound_desk, owned_numbers
from gateway.store.audit import Entry
from gateway.store.inbound_desk import View, Wanted
from gateway.store.owned_numbers import Place, known_channel


class ReplyQuery(Paging):
    """Which messages of handsets are listed."""

    unowned: bool = False
    account_id: Word = ""
    channel: Word = ""
    source: Word = Field("", description="The handset, as it is written anywhere.")


class ReplyView(Answer):
    """A handset's message; its number is masked for who may not see numbers."""

    id: int
    channel: str
    source: str | None
    destination: str
    received_at: When
    completed_at: When
    account_id: str | None
    project_id: str | None
    ownership: str
    extend_code: str
    message_id: int | None
    total: int
    missing: list[int]
    completion: str
    flags: list[str]
    remainder_of: int | None
    wish: str
    forwarding: str


class ReplyPage(Answer):
    """Messages of handsets, the newest first; `next` continues the list."""

    items: list[ReplyView]
    next: str | None


class PartView(Answer):
    """One `deliver_sm` of a message."""

    id: int
    received_at: When
    fate: str
    data_coding: int
    esm_class: int


class CallbackView(Answer):
    """The message on its way to the customer."""

    created_at: When
    next_at: When
    attempts: int
    done_at: When | None
    outcome: str | None


class WholeReply(ReplyView):
    """A handset's message with its parts and its callback."""

    text: str | None
    data_hex: str | None
    parts: list[PartView]
    callbacks: list[CallbackView]


class What(Query):
    """How much of it."""

    text: bool = False  # what it says too; for those who may see numbers


class Assignment(Body):
    """Whom a message is given to."""

    account_id: str
    project_id: str = Field("", description="Empty: the account's default project.")
    reason: Reason = ""


class NewNumber(Body):
    """A number to be given to an account."""

    account_id: str
    project_id: str = Field("", description="Empty: the account's default project.")
    number: str = Field(description='As the carrier writes it; "*": whatever comes by `channel`.')
    extend: str = Field("", description="Only extend codes that begin so.")
    channel: str = Field("", description="Only what comes by it.")
    reason: Reason = ""


class NumberQuery(Query):
    """Which numbers are listed."""

    account_id: Word = ""


class NumberView(Answer):
    """An owned number; `number` and `channel` are `*` for any."""

    id: int
    channel: str
    number: str
    extend: str
    account_id: str
    project_id: str


class NumberList(Answer):
    """Owned numbers, by number."""

    items: list[NumberView]


async def list_replies(call: Call, query: ReplyQuery) -> ReplyPage:
    """List messages of handsets, the newest first."""
    position = position_in(query.cursor, int)
    wanted = Wanted(
        unowned=query.unowned,
        account_id=query.account_id or None,
        channel=query.channel or None,
        source=handset(query.source) if query.source else None,
        before_id=position[0] if position else None,
    )
    found = await call.read(lambda c: inbound_desk.listed(c, wanted, query.limit + 1))
    items = [_reply(one, clear=call.may(Permission.NUMBERS_READ)) for one in found[: query.limit]]
    more = len(found) > query.limit
    return ReplyPage(items=items, next=cursor_of(items[-1].id) if more else None)


async def show_reply(call: Call, query: What) -> WholeReply:
    """Show one message of a handset: whose it is and why, its parts, its callback."""
    clear = call.may(Permission.NUMBERS_READ)
    if query.text and not clear:
        raise refused(f"{call.actor.role} has no {Permission.NUMBERS_READ}, so no texts either")
    id_ = _id(call.path["id"])
    found = await call.read(lambda c: inbound_desk.one(c, id_))
    entry = Entry("inbound.show", "inbound", str(id_), None, {"numbers": clear, "text": query.text})
    by = call.by()
    await call.change(lambda c: audit.record(c, by.actor, entry, by.now_ms))
    parts = [
        PartView(
            id=part["id"],
            received_at=when(part["received_at"]),
            fate=part["fate"],
            data_coding=part["data_coding"],
            esm_class=part["esm_class"],
        )
        for part in found["parts"]
    ]
    callbacks = [
        CallbackView(
            created_at=when(one["created_at"]),
            next_at=when(one["next_at"]),
            attempts=one["attempts"],
            done_at=when_or_none(one["done_at"]),
            outcome=one["outcome"],
        )
        for one in found["callbacks"]
    ]
    view = _reply(found, clear=clear).model_dump()
    text, data_hex = (found["text"], found["data_hex"]) if query.text else (None, None)
    return WholeReply(**view, text=text, data_hex=data_hex, parts=parts, callbacks=callbacks)


async def assign_reply(call: Call, body: Assignment) -> ReplyView:
    """Give an unowned message to an account, which is told of it; what it wishes is done."""
    by, owner = call.by(body.reason), (body.account_id, body.project_id)
    id_ = _id(call.path["id"])
    given = await call.change(lambda c: inbound_desk.assign(c, id_, owner, OBEY, by))
    return _reply(given, clear=call.may(Permission.NUMBERS_READ))


async def list_owned(call: Call, query: NumberQuery) -> NumberList:
    """List whose the numbers are that handsets write to."""
    found = await call.read(lambda c: owned_numbers.everything(c, query.account_id or None))
    return NumberList(items=[_number(one) for one in found])


async def add_number(call: Call, body: NewNumber) -> NumberView:
    """Give a number, and every longer one that begins with it, to an account."""
    place = Place("" if body.number == "*" else bare(body.number), body.extend, body.channel)
    if body.channel:
        known_channel(body.channel, call.services.channels())
    by, owner = call.by(body.reason), (body.account_id, body.project_id)
    return _number(await call.change(lambda c: owned_numbers.add(c, place, owner, by)))


async def remove_number(call: Call, body: Why) -> NumberView:
    """Take a number from its account; what handsets send to it is kept, and is nobody's."""
    by, id_ = call.by(body.reason), _id(call.path["id"])
    return _number(await call.change(lambda c: owned_numbers.remove(c, id_, by)))


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise NotFound(f"there is no {text}")
    return int(text)


def _reply(view: View, *, clear: bool) -> ReplyView:
    source = view["source"]
    told: dict[str, Any] = {name: view[name] for name in ReplyView.model_fields}
    told |= {"received_at": when(view["received_at"]), "completed_at": when(view["completed_at"])}
    return ReplyView(**told | {"source": source if clear or source is None else mask_number(source)})


def _number(one: OwnedNumber) -> NumberView:
    return NumberView(
        id=one.id,
        channel=one.channel or "*",
        number=one.number or "*",
        extend=one.extend,
        account_id=one.account_id,
        project_id=one.project_id,
    )


ROUTES = (
    Route("GET", "/inbound", Permission.MESSAGES_READ, list_replies),
    Route("GET", "/inbound/{id}", Permission.MESSAGES_READ, show_reply),
    Route("POST", "/inbound/{id}/assign", Permission.ACCOUNTS_WRITE, assign_reply),
    Route("GET", "/numbers", Permission.ACCOUNTS_READ, list_owned),
    Route("POST", "/numbers", Permission.ACCOUNTS_WRITE, add_number, status=201),
    Route("POST", "/numbers/{id}/remove", Permission.ACCOUNTS_WRITE, remove_number),
)
