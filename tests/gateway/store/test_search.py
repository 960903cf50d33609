"""Messages found by number, account, state and time: all of them, in order, never by reading everything."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text

from gateway.domain.message import Message, State
from gateway.errors import Invalid
from gateway.ids import id_at, session_no
from gateway.store import search, tables
from gateway.store.changes import Changes
from gateway.store.engine import Store
from gateway.store.search import Wanted
from routing.number import NumberReader
from routing.plan import NumberPlan
from tests.support.messages import NOON_MS, message, submission
from tests.support.rows import ACCOUNT, commit, submission_row

HOUR = 3_600_000
ALICE, BOB = "60123456781", "60123456782"


def sent(at: int, phones: Sequence[str], **changes: Any) -> tuple[Changes, list[Message]]:
    """Return a submission accepted at this time, with a message to each of `phones`."""
    state = changes.pop("state", State.DELIVERED)
    own = changes.pop("own_user_id", None)
    first = id_at(at) + changes.pop("counter", 0)
    mine = submission(id=first, session_no=session_no(first), created_at=at, **changes)
    messages = [
        message(
            id=first + 1 + n, submission=mine, phone=phone, phone_given=phone, state=state, accepted_at=at,
            user_id=own,
        )
        for n, phone in enumerate(phones)
    ]  # fmt: skip
    row = submission_row(mine, messages=len(phones))
    return Changes(submissions=[row], messages=[one.row() for one in messages]), messages


def everything(store: Store, wanted: Wanted, limit: int = 3, before: int | None = None) -> list[int]:
    """Follow the pages to their end."""
    found: list[int] = []
    for _ in range(1_000):
        page = store.read_now(lambda c: search.page(c, wanted, limit, before))  # noqa: B023
        assert len(page.messages) <= limit
        found += [one.id for one in page.messages]
        if page.next is None:
            return found
        assert before is None or page.next < before
        before = page.next
    raise AssertionError("the pages come to no end")


def fits(one: Message, wanted: Wanted) -> bool:
    return (
        (not wanted.phones or one.phone in wanted.phones)
        and wanted.account_id in ("", one.submission.account_id)
        and wanted.user_id in ("", one.user_id or one.submission.user_id)
        and (not wanted.states or one.state in wanted.states)
        and (wanted.since is None or one.accepted_at >= wanted.since)
        and (wanted.until is None or one.accepted_at < wanted.until)
    )


STATES = st.sampled_from([State.QUEUED, State.HELD, State.SUBMITTED, State.DELIVERED, State.FAILED])
TIMES = st.integers(0, 50).map(lambda hours: NOON_MS + hours * HOUR)
PHONES = st.sampled_from([ALICE, BOB])
SENT = st.tuples(
    TIMES, st.lists(PHONES, min_size=1, max_size=4), STATES,
    st.sampled_from([ACCOUNT, "acc-two"]), st.sampled_from([None, "u1"]), st.sampled_from([None, "u2"]),
)  # fmt: skip
WANTED = st.builds(
    Wanted,
    phones=st.lists(PHONES, max_size=2, unique=True),
    account_id=st.sampled_from(["", ACCOUNT, "acc-two"]),
    user_id=st.sampled_from(["", "u1", "u2"]),
    states=st.lists(STATES, max_size=2, unique=True),
    since=st.none() | TIMES,
    until=st.none() | TIMES,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_=st.lists(SENT, max_size=12), wanted=WANTED, limit=st.integers(1, 5), scan=st.integers(1, 9))
def test_the_pages_together_are_all_that_fits_newest_first(
    store: Store, given_: list[Any], wanted: Wanted, limit: int, scan: int
) -> None:
    store.transaction(
        lambda c: [c.execute(text(f"DELETE FROM {name}")) for name in ("messages", "submissions")]
    )
    units, stored = [], []
    for number, (at, phones, state, account_id, user_id, own) in enumerate(given_):
        unit, messages = sent(
            at,
            phones,
            state=state,
            account_id=account_id,
            user_id=user_id,
            own_user_id=own,
            counter=number * 9,
        )
        units.append(unit)
        stored += messages
    commit(store, *units)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "SCAN", scan)
        patched.setattr(search, "SUBMISSIONS", scan)
        patched.setattr(search, "PIECE", 1 + scan // 2)
        found = everything(store, wanted, limit)
    assert found == sorted((one.id for one in stored if fits(one, wanted)), reverse=True)


def test_a_clock_that_was_put_back_hides_nothing(store: Store) -> None:
    ahead = id_at(NOON_MS + 5 * HOUR) - id_at(NOON_MS)
    unit, [one] = sent(NOON_MS, [ALICE], counter=ahead)
    commit(store, unit)
    within = Wanted(phones=[ALICE], since=NOON_MS, until=NOON_MS + 1)
    assert everything(store, within) == [one.id]
    assert everything(store, Wanted(phones=[ALICE], since=NOON_MS + 1)) == []


def test_a_number_that_was_blanked_is_found_by_nobody(store: Store) -> None:
    unit, [one] = sent(NOON_MS, [ALICE])
    commit(store, unit)
    store.transaction(lambda c: c.execute(text("UPDATE messages SET phone = NULL, phone_given = NULL")))
    assert everything(store, Wanted(phones=[ALICE])) == []
    assert everything(store, Wanted(account_id=ACCOUNT)) == [one.id]


@pytest.mark.parametrize("bound", [-(1 << 62), -1, 0, 253_402_300_799_000])
def test_no_time_and_no_place_is_too_far_off(store: Store, bound: int) -> None:
    unit, [one] = sent(NOON_MS, [ALICE])
    commit(store, unit)
    for wanted in (Wanted(since=bound), Wanted(until=bound)):
        expected = [one.id] if fits(one, wanted) else []
        assert everything(store, wanted) == expected
    assert everything(store, Wanted(), before=min(bound, (1 << 63) - 1)) == (
        [one.id] if bound > one.id else []
    )


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is asked of the database."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(store.reader, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(store.reader, "before_cursor_execute", note)


def plans(store: Store, wanted: Wanted) -> str:
    """Return how the database finds these messages."""
    with statements(store) as asked:
        store.read_now(lambda c: search.page(c, wanted, 50))
    explain = "EXPLAIN QUERY PLAN " if store.dialect == "sqlite" else "EXPLAIN "
    lines = []
    with store.reader.begin() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(explain + statement, parameters)
            lines += [str(row[-1]) for row in rows]
    return "\n".join(lines)


FOUND_BY = [
    (Wanted(phones=["60120000007"]), "ix_messages_phone"),
    (Wanted(phones=["60120000007", "60120000008"], states=[State.FAILED]), "ix_messages_phone"),
    (Wanted(phones=["60120000007"], account_id="acc-7", since=NOON_MS), "ix_messages_phone"),
    (Wanted(account_id="acc-7"), "ix_submissions_account"),
    (Wanted(account_id="acc-7", user_id="u1", states=[State.DELIVERED]), "ix_submissions_account"),
    (Wanted(account_id="acc-7", since=NOON_MS, until=NOON_MS + HOUR), "ix_submissions_account"),
    (Wanted(states=[State.QUEUED]), "ix_messages_open"),
]
MANY = 50_000


def multiply(store: Store) -> None:
    """Make many submissions of a message each out of one: other ids, numbers and accounts."""
    unit, _ = sent(NOON_MS, ["6012"])
    commit(store, unit)
    series = (
        f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY}) "
        if store.dialect == "sqlite"
        else f"WITH n(n) AS (SELECT generate_series(1, {MANY})) "
    )
    changed = {
        "id": "t.id + 2 * n", "submission_id": "t.submission_id + 2 * n", "account_id": "'acc-' || (n % 500)",
        "phone": "CAST(60120000000 + n AS TEXT)", "state": "CASE WHEN n % 5000 = 0 THEN 2 ELSE t.state END",
    }  # fmt: skip
    for table in (tables.submissions, tables.messages):
        names = [column.name for column in table.c]
        values = ", ".join(changed.get(name, f"t.{name}") for name in names)
        copy = f"INSERT INTO {table.name} ({', '.join(names)}) {series}SELECT {values} FROM {table.name} t, n"
        store.transaction(lambda c, copy=copy: c.execute(text(copy)))  # type: ignore[misc]
    with store.writer.connect() as connection:  # what autovacuum does within a minute
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def test_nothing_is_found_by_reading_a_whole_table(store: Store) -> None:
    multiply(store)
    for wanted, index in FOUND_BY:
        plan = plans(store, wanted)
        assert index in plan, (wanted, plan)
        for whole in ("SCAN messages", "SCAN submissions", "Seq Scan on messages", "Seq Scan on submissions"):
            assert whole not in plan, (wanted, plan)


def test_states_are_named_by_words() -> None:
    assert search.states_of("") == ()
    assert search.states_of("failed, In-Doubt") == (State.FAILED, State.IN_DOUBT)
    with pytest.raises(Invalid, match="'lost' is no state: accepted, queued"):
        search.states_of("failed,lost")


def test_a_number_is_asked_for_in_any_writing() -> None:
    reader = NumberReader(NumberPlan(), "CN")
    assert search.phones_of(reader, " ") == ()
    assert search.phones_of(reader, "0060 12-345 6781") == (ALICE,)
    with pytest.raises(Invalid, match="no telephone number"):
        search.phones_of(reader, "Alice")


def test_the_audit_is_told_what_was_looked_for_but_no_number() -> None:
    wanted = Wanted(phones=[ALICE], states=[State.FAILED])
    looked = search.looked(wanted, [message()], numbers=True, text=False)
    assert looked == {
        "phone": ["601******81"], "state": ["failed"], "messages": 1, "numbers": True, "text": False,
    }  # fmt: skip
