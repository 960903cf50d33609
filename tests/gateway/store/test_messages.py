"""What the flow asks the store: the queue in order, what is due, whose receipt this is."""

from functools import partial

import pytest

from gateway.domain.message import Message, Purpose, Reason, State
from gateway.ids import id_at
from gateway.store import messages as stored
from gateway.store.changes import Changes
from gateway.store.engine import Store
from tests.support.messages import NOON_MS, message, submission
from tests.support.rows import accepted, commit, segment, submission_row


def waiting(number: int, **changes: object) -> Message:
    return message(number, **{"state": State.QUEUED, "reason": Reason.WINDOW_FULL} | changes)


def ids(found: list[Message]) -> list[int]:
    return [one.id - 1_000 for one in found]


def test_a_message_comes_back_as_it_was_stored(store: Store) -> None:
    one = waiting(
        1, user_id="order-42", template_id="UTB1", text="own", channel="alpha", attempts=2, status=0xFFFFFFFF,
        sent_at=NOON_MS + 1, receipt_code="DELIVRD", purpose=Purpose.PROMOTION,
    )  # fmt: skip
    commit(store, accepted(one))
    found = store.read_now(
        partial(stored.queued_after, lane="alpha", purpose=Purpose.PROMOTION, after_id=0, limit=9)
    )
    assert found == [one]
    assert found[0].state is State.QUEUED
    assert found[0].submission.purpose is Purpose.VERIFICATION


def test_the_queue_comes_back_in_order_of_age_and_in_pieces(store: Store) -> None:
    commit(store, *(accepted(waiting(n, submission=submission(id=n))) for n in (5, 3, 4, 1, 2)))
    ask = partial(stored.queued_after, lane="alpha", purpose=Purpose.VERIFICATION)
    first = store.read_now(partial(ask, after_id=0, limit=3))
    second = store.read_now(partial(ask, after_id=first[-1].id, limit=3))
    assert (ids(first), ids(second)) == ([1, 2, 3], [4, 5])


def test_a_lane_is_its_channels_and_its_purpose(store: Store) -> None:
    mine, other_purpose = waiting(1), waiting(2, purpose=Purpose.PROMOTION)
    other_lane, sending, held = waiting(3, lane="alpha,beta"), waiting(4), waiting(5)
    sending.state, held.state = State.SENDING, State.HELD
    commit(store, accepted(mine, other_purpose, other_lane, sending, held))
    ask = partial(stored.queued_after, lane="alpha", purpose=Purpose.VERIFICATION, after_id=0, limit=9)
    assert ids(store.read_now(ask)) == [1]
    everything = partial(stored.waiting_in, lane="alpha", after_id=0, limit=9)
    assert ids(store.read_now(everything)) == [1, 2, 5]
    assert ids(store.read_now(partial(everything, limit=2))) == [1, 2]
    assert ids(store.read_now(partial(everything, after_id=1_002))) == [5]


def test_lanes_say_how_many_wait_and_since_when(store: Store) -> None:
    old, young = waiting(1, accepted_at=NOON_MS - 500), waiting(2)
    held, elsewhere, done = waiting(3, state=State.HELD), waiting(4, lane="beta"), waiting(5)
    done.state = State.DELIVERED
    commit(store, accepted(young, old, held, elsewhere, done))
    found = {
        (row.state, row.lane): (row.purpose, row.count, row.oldest) for row in store.read_now(stored.lanes)
    }
    assert found == {
        (State.QUEUED, "alpha"): (Purpose.VERIFICATION, 2, NOON_MS - 500),
        (State.HELD, "alpha"): (Purpose.VERIFICATION, 1, NOON_MS),
        (State.QUEUED, "beta"): (Purpose.VERIFICATION, 1, NOON_MS),
    }


def test_held_messages_come_when_they_are_due_longest_first(store: Store) -> None:
    held = [waiting(n, state=State.HELD, due_at=due) for n, due in ((1, 300), (2, 100), (3, 200), (4, 400))]
    queued = waiting(5, due_at=1)
    commit(store, accepted(*held, queued))
    assert ids(store.read_now(partial(stored.held_due, now_ms=300, limit=9))) == [2, 3, 1]
    assert ids(store.read_now(partial(stored.held_due, now_ms=300, limit=1))) == [2]


def test_what_was_being_sent_is_found_after_a_restart(store: Store) -> None:
    every = [waiting(n, state=state) for n, state in enumerate(State, 1)]
    commit(store, accepted(*every))
    assert [one.state for one in store.read_now(stored.in_flight)] == [State.SENDING, State.IN_DOUBT]


def test_a_half_sent_message_knows_the_parts_the_carrier_has(store: Store) -> None:
    half = waiting(1, segments=3, sent_segments=2)
    whole = waiting(2)
    rows = [segment(half.id, "a1", part=3), segment(half.id, "a2", part=1), segment(half.id, "a3", part=3)]
    commit(store, accepted(half, whole), Changes(segments=rows))
    found = store.read_now(partial(stored.waiting_in, lane="alpha", after_id=0, limit=9))
    assert [sorted(one.parts_done) for one in found] == [[1, 3], []]
    assert [one.concat_ref for one in found] == [7, None]  # the missing part must join the others


def test_receipts_find_their_segments_by_channel_and_id(store: Store) -> None:
    one, two = message(1, state=State.SUBMITTED), message(2, state=State.SUBMITTED)
    rows = [
        segment(1_001, "a1"),
        segment(1_002, "a1", channel="beta"),
        segment(1_002, "a1"),
        segment(1_001, "b"),
    ]
    commit(store, accepted(one, two), Changes(segments=rows))
    keys = [("alpha", "a1"), ("gamma", "a1"), ("alpha", "nobody")]
    found, owners = store.read_now(partial(stored.matched, keys=keys))
    assert [(row.channel, row.match_id, row.message_id, row.receipt_state) for row in found] == [
        ("alpha", "a1", 1_001, None),
        ("alpha", "a1", 1_002, None),
    ]
    assert owners == {1_001: one, 1_002: two}
    assert store.read_now(partial(stored.matched, keys=[])) == ([], {})


def test_segments_tell_the_receipt_they_have(store: Store) -> None:
    receipt = (1_001, 1, "a1", "delivered", "DELIVRD", "000", NOON_MS + 9)
    commit(
        store,
        accepted(message(1)),
        Changes(segments=[segment(1_001, "a1"), segment(1_001, "a2", part=2)], receipts=[receipt]),
    )
    found = store.read_now(partial(stored.segments_of, message_ids=[1_001, 7]))
    assert [(row.part, row.receipt_state) for row in found] == [(1, "delivered"), (2, None)]


class TestOverdue:
    def ask(
        self, store: Store, after: int, *, before: int, limit: int = 9, channel: str = "alpha"
    ) -> stored.Overdue:
        return store.read_now(lambda c: stored.overdue(c, channel, after, before, limit))

    @pytest.fixture
    def sent(self, store: Store) -> list[int]:
        """Six segments a second apart: one of another channel, one with its receipt; return their seqs."""
        rows = [segment(1_001, f"a{n}", part=n, at=n * 1_000) for n in range(1, 7)]
        rows[1] = segment(1_001, "a2", part=2, channel="beta", at=2_000)
        receipt = (1_001, 3, "a3", "delivered", "DELIVRD", "000", NOON_MS)
        commit(store, accepted(message(1, segments=6)), Changes(segments=rows, receipts=[receipt]))
        return [row.seq for row in store.read_now(partial(stored.segments_of, message_ids=[1_001]))]

    def test_nothing_is_due_in_an_empty_store(self, store: Store) -> None:
        assert self.ask(store, 0, before=NOON_MS) == stored.Overdue([], {}, 0)

    def test_what_waits_too_long_is_found_once(self, store: Store, sent: list[int]) -> None:
        found = self.ask(store, 0, before=5_000)
        assert [row.part for row in found.rows] == [1, 4]
        assert list(found.messages) == [1_001]
        assert found.reached == sent[3]  # the fifth was sent at 5,000: not before
        again = self.ask(store, found.reached, before=5_000)
        assert again == stored.Overdue([], {}, sent[3])
        assert [row.part for row in self.ask(store, again.reached, before=9_000).rows] == [5, 6]

    def test_a_full_answer_goes_on_where_it_ended(self, store: Store, sent: list[int]) -> None:
        found = self.ask(store, 0, before=9_000, limit=2)
        assert ([row.part for row in found.rows], found.reached) == ([1, 4], sent[3])
        assert [row.part for row in self.ask(store, found.reached, before=9_000, limit=9).rows] == [5, 6]

    def test_each_channel_has_its_own(self, store: Store, sent: list[int]) -> None:
        found = self.ask(store, 0, before=9_000, channel="beta")
        assert ([row.part for row in found.rows], found.reached) == ([2], sent[5])


def test_the_channels_that_have_taken_something_are_known(store: Store) -> None:
    assert store.read_now(stored.channels_used) == []
    taken = [segment(1_001, f"a{n}", part=n, channel=c) for n, c in enumerate(("beta", "alpha", "beta"), 1)]
    commit(store, accepted(message(1, segments=3)), Changes(segments=taken))
    assert store.read_now(stored.channels_used) == ["alpha", "beta"]


def test_kept_receipts_wait_for_their_answer(store: Store) -> None:
    kept = [(n, "alpha", f"a{n}", "{}", NOON_MS, False) for n in (1, 2, 3)]
    commit(store, accepted(message(1)), Changes(early=kept, early_matched=[(1,)]))
    for limit, newest in ((9, ["a3", "a2"]), (1, ["a3"])):
        found = store.read_now(partial(stored.early_unmatched, limit=limit))
        assert [row.match_id for row in found] == newest
    assert store.read_now(partial(stored.early_answered, after_id=0, limit=9)) == []
    commit(
        store,
        Changes(segments=[segment(1_001, "a1"), segment(1_001, "a3"), segment(1_001, "a2", channel="beta")]),
    )
    for after_id, ids in ((0, [3]), (2, [3]), (3, [])):
        answered = partial(stored.early_answered, after_id=after_id, limit=9)
        assert [row.id for row in store.read_now(answered)] == ids


def test_the_highest_id_is_of_any_kind(store: Store) -> None:
    assert store.read_now(stored.highest_id) == 0
    commit(store, accepted(message(1)))
    assert store.read_now(stored.highest_id) == 1_001
    commit(store, Changes(inbound=[(5_000, "alpha", "60", "1", 0, 0, "", "[]", NOON_MS, 1)]))
    assert store.read_now(stored.highest_id) == 5_000


def test_recent_requests_come_back_for_the_duplicate_window(store: Store) -> None:
    for n, age in ((1, 70_000), (2, 20_000), (3, 10_000)):
        at = NOON_MS - age
        row = submission_row(
            submission(id=id_at(at), created_at=at), request_key=f"{n:032x}", answer=f'{{"n":{n}}}'
        )
        commit(store, Changes(submissions=[row]))
    found = store.read_now(partial(stored.recent_requests, since_ms=NOON_MS - 60_000))
    assert found == [(f"{n:032x}", f'{{"n":{n}}}', NOON_MS - age) for n, age in ((2, 20_000), (3, 10_000))]


def test_marks_survive_and_move(store: Store) -> None:
    commit(store, Changes(marks=[("overdue:alpha", 5), ("overdue:beta", 2)]))
    commit(store, Changes(marks=[("overdue:alpha", 6)]), Changes(marks=[("overdue:alpha", 9)]))
    assert store.read_now(stored.marks) == {"overdue:alpha": 9, "overdue:beta": 2}
