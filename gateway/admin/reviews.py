"""`/review`: what customers handed in, decided upon by people; every decision is in the audit."""

from typing import Any, Literal

from pydantic import Field

from gateway.admin.call import Call
from gateway.admin.route import Route
from gateway.admin.schema import (
    Answer,
    Body,
    FileAnswer,
    Line,
    Paging,
    Reason,
    When,
    Word,
    cursor_of,
    position_in,
    when,
    when_or_none,
)
from gateway.domain.operator import Permission
from gateway.domain.review import Kind, Move, Review, word
from gateway.store import review_reads
from gateway.store.review_reads import Filter

Status = Literal["pending", "in-review", "approved", "rejected", "disabled", "all"]


class Wanted(Paging):
    """Which items."""

    kind: Literal["", "signature", "template", "qualification"] = ""
    status: Status = "in-review"
    account_id: Word = ""


class Item(Answer):
    """One item of the queue."""

    id: str
    kind: str
    account_id: str
    account: str
    project_id: str
    title: str
    status: str
    flags: list[str] = Field(description="What the automatic checks want somebody to look at.")
    version: int
    updated_at: When


class ItemList(Answer):
    """A page of the queue, the longest waiting first."""

    items: list[Item]
    next: str | None


class FindingView(Answer):
    """What an automatic check has to say."""

    rule: str
    severity: str
    reason: str
    where: str


class FileView(Answer):
    """A file that the item names; without a name it has been deleted."""

    what: str
    id: str
    name: str | None
    type: str | None
    size: int | None


class Earlier(Answer):
    """What the account handed in before with the same text."""

    id: str
    status: str
    reason: str
    deleted: bool


class Happened(Answer):
    """One line of the item's history."""

    at: When
    actor: str
    action: str
    reason: str
    before: Any
    after: Any


class ItemView(Item):
    """Everything known of an item."""

    content: dict[str, Any] = Field(description="What was handed in; the fields are those of its kind.")
    reason: str
    created_at: When
    decided_at: When | None
    deleted_at: When | None
    findings: list[FindingView]
    files: list[FileView]
    earlier: list[Earlier]
    history: list[Happened]


class Approval(Body):
    """What was seen, and why it is approved: needed for what was rejected or disabled."""

    version: int = Field(ge=1, description="The version that was looked at; another one is refused with 409.")
    reason: Reason = ""


class Refusal(Body):
    """What was seen, and what the customer is told."""

    version: int = Field(ge=1, description="The version that was looked at; another one is refused with 409.")
    reason: Line


class Decision(Answer):
    """An item just decided upon."""

    id: str
    status: str


async def list_items(call: Call, query: Wanted) -> ItemList:
    """List what waits for a decision, the longest first; or, by status, anything else."""
    statuses = tuple(Review) if query.status == "all" else (Review[query.status.replace("-", "_").upper()],)
    wanted = Filter(
        kinds=(Kind(query.kind),) if query.kind else tuple(Kind),
        statuses=statuses,
        account_id=query.account_id,
    )
    position = position_in(query.cursor, int, str)
    after = None if position is None else (int(position[0]), str(position[1]))
    found = await call.read(lambda c: review_reads.queue(c, wanted, query.limit, after))
    last = found[-1] if len(found) == query.limit else None
    return ItemList(
        items=[Item(**_summary(one)) for one in found],
        next=None if last is None else cursor_of(last["updated_at"], last["id"]),
    )


async def show_item(call: Call) -> ItemView:
    """Show everything known of an item: content, findings, files, what was before, history.

    Who looked at a qualification, and whether they saw its persons, is in the audit.
    """
    item_id = call.path["item_id"]
    found = await call.read(lambda c: review_reads.item(c, item_id))
    by, decides = call.by(), call.may(Permission.REVIEW_DECIDE)
    if found["kind"] == Kind.QUALIFICATION:
        await call.services.store.write(lambda c: review_reads.note_look(c, item_id, decides, by))
    summary = {name: found.pop(name) for name in Item.model_fields}
    history = [{**one, "at": when(one["at"])} for one in found.pop("history")]
    lists = {name: found.pop(name) for name in ("findings", "files", "earlier", "reason")}
    times = {name: found.pop(name) for name in ("created_at", "decided_at", "deleted_at")}
    return ItemView.model_validate(
        {
            **_summary(summary),
            **lists,
            **{name: when_or_none(moment) for name, moment in times.items()},
            "history": history,
            "content": found if decides else review_reads.without_persons(found),
        }
    )


async def approve_item(call: Call, body: Approval) -> Decision:
    """Approve an item: the next message may use it."""
    return await _decide(call, Move.APPROVE, body.version, body.reason)


async def reject_item(call: Call, body: Refusal) -> Decision:
    """Reject what is in review; the customer reads the reason and may hand in anew."""
    return await _decide(call, Move.REJECT, body.version, body.reason)


async def disable_item(call: Call, body: Refusal) -> Decision:
    """Disable an item: the next message cannot use it. The customer reads the reason."""
    return await _decide(call, Move.DISABLE, body.version, body.reason)


async def show_file(call: Call) -> FileAnswer:
    """Return a file that the item names, as an attachment."""
    item_id, file_id = call.path["item_id"], call.path["file_id"]
    handed = await call.services.papers.handed(lambda c: review_reads.file_of(c, item_id, file_id))
    by = call.by()
    await call.services.store.write(lambda c: review_reads.hand_out(c, item_id, file_id, by))
    return FileAnswer(path=handed.path, type=handed.type, name=handed.name)


async def _decide(call: Call, move: Move, version: int, reason: str) -> Decision:
    reviews = call.services.reviews
    work = reviews.decision(call.path["item_id"], move, call.by(reason), version)
    made = await call.change(work)
    reviews.count(made)
    return Decision(id=made.item_id, status=word(made.kind, made.after))


def _summary(shown: dict[str, Any]) -> dict[str, Any]:
    return {**shown, "updated_at": when(shown["updated_at"])}


_READ, _DECIDE = Permission.REVIEW_READ, Permission.REVIEW_DECIDE

ROUTES = (
    Route("GET", "/review", _READ, list_items),
    Route("GET", "/review/{item_id}", _READ, show_item),
    Route("POST", "/review/{item_id}/approve", _DECIDE, approve_item),
    Route("POST", "/review/{item_id}/reject", _DECIDE, reject_item),
    Route("POST", "/review/{item_id}/disable", _DECIDE, disable_item),
    Route("GET", "/review/{item_id}/files/{file_id}", _DECIDE, show_file),
)
