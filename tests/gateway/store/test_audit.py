"""The audit: written with the change, never altered, found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import DBAPIError

from gateway.domain.operator import SYSTEM, Actor, ActorKind, Role
from gateway.store import audit
from gateway.store import tables_operators as tables
from gateway.store.audit import Entry, Filter
from gateway.store.engine import Store
from tests.support.messages import NOON_MS
from tests.support.rows import row_count

ALICE = Actor("alice", ActorKind.OPERATOR, Role.OPERATOR, "192.0.2.7", "")


def write(store: Store, action: str = "account.callback", subject: str = "acc-one", **more: object) -> int:
    actor = more.pop("actor", ALICE)
    at = more.pop("at", NOON_MS)
    entry = Entry(action, action.partition(".")[0], subject, **more)
    return store.transaction(lambda c: audit.record(c, actor, entry, at))


def read(store: Store, limit: int = 50, before_id: int | None = None, **wanted: object) -> list[audit.Record]:
    return list(store.read_now(lambda c: audit.page(c, Filter(**wanted), limit, before_id)))


def test_who_when_why_before_and_after_are_kept(store: Store) -> None:
    before, after = {"callback_url": None}, {"callback_url": "https://acme.example/sms"}
    id_ = write(store, before=before, after=after, reason=" ticket 7 ")
    (found,) = read(store)
    assert found == audit.Record(
        id_, NOON_MS, "alice", "operator", "", "192.0.2.7", "account.callback", "account", "acc-one",
        before, after, "ticket 7",
    )  # fmt: skip


def test_what_is_new_has_no_before_and_what_is_gone_no_after(store: Store) -> None:
    write(store, after={"name": "Acme"})
    write(store, before={"name": "Acme"})
    gone, new = read(store)
    assert (new.before, new.after) == (None, {"name": "Acme"})
    assert (gone.before, gone.after) == ({"name": "Acme"}, None)


def test_a_change_that_is_rolled_back_was_never_made(store: Store) -> None:
    def refused(connection: Connection) -> None:
        audit.record(connection, ALICE, Entry("account.create", "account", "acc-one"), NOON_MS)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 — ours, from three lines above
        store.transaction(refused)
    assert row_count(store, tables.audit) == 0


@pytest.mark.parametrize("statement", [update(tables.audit).values(actor="bob"), delete(tables.audit)])
def test_nothing_written_can_be_altered_or_taken_away(store: Store, statement: object) -> None:
    write(store)
    with pytest.raises(DBAPIError, match="never changed"):
        store.transaction(lambda c: c.execute(statement))
    (found,) = read(store)
    assert found.actor == "alice"


def test_it_is_read_newest_first_a_page_at_a_time(store: Store) -> None:
    ids = [write(store, subject=f"acc-{number}") for number in range(5)]
    first = read(store, limit=2)
    second = read(store, limit=2, before_id=first[-1].id)
    last = read(store, limit=2, before_id=second[-1].id)
    assert [found.id for found in (*first, *second, *last)] == ids[::-1]
    assert read(store, limit=2, before_id=ids[0]) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"actor": "system"}, ["SIG1"]),
        ({"actor": "nobody"}, []),
        ({"action": "account.credit"}, ["acc-two"]),
        ({"action": "account."}, ["acc-two", "acc-one"]),
        ({"action": "account"}, []),
        ({"action": "a%."}, []),
        ({"subject_kind": "signature"}, ["SIG1"]),
        ({"subject_id": "acc-one"}, ["acc-one"]),
        ({"since": NOON_MS + 1}, ["SIG1", "acc-two"]),
        ({"until": NOON_MS + 2, "since": NOON_MS + 1}, ["acc-two"]),
        ({}, ["SIG1", "acc-two", "acc-one"]),
    ],
)
def test_it_is_filtered(store: Store, wanted: dict[str, object], found: list[str]) -> None:
    write(store, "account.create", "acc-one")
    write(store, "account.credit", "acc-two", at=NOON_MS + 1)
    write(store, "signature.approve", "SIG1", at=NOON_MS + 2, actor=SYSTEM)
    assert [row.subject_id for row in read(store, **wanted)] == found


def test_a_secret_is_never_written(store: Store) -> None:
    write(store, after={"name": "alice", "password_hash": "$argon2id$x", "key": {"private_key": "abc"}})
    (found,) = read(store)
    assert found.after == {"name": "alice", "password_hash": "[hidden]", "key": {"private_key": "[hidden]"}}


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
    ),
    st.sampled_from(["password", "Private_Key", "client_secret", "csrf_token"]),
)
def test_a_secret_is_hidden_however_deep_it_stands(rest: object, name: str) -> None:
    hidden = audit.hide_secrets({"a": [{"b": {name: "0penSesame!!"}}], "rest": rest})
    assert hidden["a"] == [{"b": {name: "[hidden]"}}]
    assert "0penSesame!!" not in str(hidden)


def test_a_reason_is_bounded_and_any_text_survives(store: Store) -> None:
    write(store, reason="\0" + "被拒" * 400, after={"text": "【Acme】 \x00 ' \" 😀"})
    (found,) = read(store)
    assert len(found.reason) == audit.MAX_REASON
    assert found.after == {"text": "【Acme】 \x00 ' \" 😀"}
