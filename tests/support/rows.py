"""Rows for store tests, and the short way to get them committed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, func, insert, select

from gateway.domain.inbound import Completion, Flag, Forwarding, MoMessage, Ownership, Wish
from gateway.domain.message import Message, Submission
from gateway.domain.operator import Actor, ActorKind, Role
from gateway.errors import GatewayError
from gateway.store import tables
from gateway.store.audit import By
from gateway.store.changes import Changes, Row
from gateway.store.committer import Committer
from gateway.store.engine import Store
from tests.support.messages import NOON_MS

ACCOUNT = "acc-one"
BY = By(actor=Actor("cli:tester", ActorKind.CLI, Role.ADMIN, via="tester@here"), now_ms=NOON_MS)


def open_account(store: Store, account_id: str = ACCOUNT) -> str:
    """Make an account and nothing else of it."""
    row = {"id": account_id, "name": account_id, "created_at": NOON_MS}
    store.transaction(lambda connection: connection.execute(insert(tables.accounts).values(row)))
    return account_id


def commit(store: Store, *units: Changes) -> None:
    """Commit `units` as one batch; raises the first error."""
    for outcome in outcomes(store, *units):
        if outcome is not None:
            raise outcome


def outcomes(store: Store, *units: Changes) -> Sequence[Exception | None]:
    """Commit `units` as one batch and return what became of each."""
    committer = Committer(store)
    try:
        return committer.commit(units)
    finally:
        committer.close()


def refused(outcome: Exception | None, kind: type[GatewayError]) -> bool:
    """Whether `outcome` is an error of this kind."""
    return isinstance(outcome, kind)


def submission_row(submission: Submission, **changes: Any) -> Row:
    """Return the `SUBMISSION` row of one message's worth."""
    rest = {"messages": 1, "price": 50_000, "request_key": "00" * 16, "answer": '{"RetCode":0}'} | changes
    s = submission
    return (
        s.id, s.session_no, s.account_id, s.project_id, int(s.purpose), s.template_id, s.user_id, s.text,
        rest["messages"], rest["price"], rest["request_key"], rest["answer"], s.created_at,
    )  # fmt: skip


def accepted(*messages: Message, **changes: Any) -> Changes:
    """Return the unit that stores `messages` and their submissions."""
    submissions = {message.submission.id: message.submission for message in messages}
    return Changes(
        submissions=[submission_row(submission, **changes) for submission in submissions.values()],
        messages=[message.row() for message in messages],
    )


def segment(
    message_id: int, match_id: str, *, part: int = 1, channel: str = "alpha", at: int = NOON_MS
) -> Row:
    """Return the `SEGMENT` row of a segment the carrier took."""
    return (message_id, part, channel, match_id.upper(), match_id, at, 7)


def ledger_row(
    kind: str, amount: int, reserved: int = 0, *, message_id: int | None = None, account_id: str = ACCOUNT
) -> Row:
    """Return a `LEDGER` row."""
    return (account_id, kind, amount, reserved, None, message_id, NOON_MS, "")


def outbox_row(id_: int, account_id: str = ACCOUNT, payload: str | None = "{}") -> Row:
    """Return the `OUTBOX` row of a report nobody has sent yet."""
    return (id_, account_id, id_, payload, NOON_MS, NOON_MS, 0, None, None)


def mo_message(id_: int, **changes: Any) -> MoMessage:
    """Return a handset's message, owned and queued unless `changes` say otherwise."""
    fields: dict[str, Any] = {
        "id": id_,
        "channel": "alpha",
        "source": "60123456789",
        "destination": "1069",
        "text": "hello",
        "data_hex": None,
        "data_coding": 0,
        "total": 1,
        "missing": "",
        "completion": Completion.WHOLE,
        "flags": Flag(0),
        "remainder_of": None,
        "received_at": NOON_MS,
        "completed_at": NOON_MS,
        "account_id": ACCOUNT,
        "project_id": "org-one",
        "ownership": Ownership.NUMBER,
        "extend_code": "",
        "message_id": None,
        "wish": Wish.NONE,
        "phone_given": "(60)123456789",
        "user_id": None,
        "forwarding": Forwarding.QUEUED,
    }
    return MoMessage(**fields | changes)


def row_count(store: Store, table: Table) -> int:
    """Return how many rows `table` has."""
    return store.read_now(lambda connection: connection.scalar(select(func.count()).select_from(table))) or 0


def all_rows(store: Store, table: Table) -> list[dict[str, Any]]:
    """Return every row of `table`, by its first column and then its key: PostgreSQL moves what is updated."""
    query = select(table).order_by(table.c[0], *table.primary_key)
    return store.read_now(lambda connection: [dict(row._mapping) for row in connection.execute(query)])
