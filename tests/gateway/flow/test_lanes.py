"""A lane keeps the oldest messages in memory, leaves the rest to the store, and never loses its place."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.message import Message, Purpose, Reason, State
from gateway.flow.lanes import Lane, Lanes
from tests.support.messages import NOON_MS, message

KEY = ("alpha,beta", Purpose.NOTIFICATION)


def queued(number: int, **changes: object) -> Message:
    waiting = message(number, **changes)
    waiting.move(State.QUEUED, Reason.WINDOW_FULL)
    return waiting


def drained(lane: Lane) -> Iterator[int]:
    while (taken := lane.take()) is not None:
        yield taken.id


def test_a_lane_gives_back_what_it_got_in_order() -> None:
    lane = Lane(KEY, 10, spilled=False)
    for number in (1, 2, 3):
        lane.push(queued(number))
    assert list(drained(lane)) == [1001, 1002, 1003]
    assert lane.idle


def test_past_its_limit_messages_are_left_to_the_store_and_later_ones_with_them() -> None:
    lane = Lane(KEY, 2, spilled=False)
    for number in (1, 2, 3):
        lane.push(queued(number))
    assert [m.id for m in lane.ready] == [1001, 1002]
    assert lane.spilled
    lane.take()
    lane.push(queued(4))  # there is room, but 3 is older
    assert [m.id for m in lane.ready] == [1002]


def test_a_load_that_brings_everything_ends_the_spill() -> None:
    lane = Lane(KEY, 4, spilled=True)
    assert lane.wants_load()
    asked = lane.begin_load()
    assert not lane.wants_load()
    lane.end_load([queued(1), queued(2)], complete=asked > 2)
    assert not lane.spilled
    lane.push(queued(3))
    assert list(drained(lane)) == [1001, 1002, 1003]


def test_a_message_committed_while_a_load_ran_is_loaded_by_the_next_one() -> None:
    lane = Lane(KEY, 4, spilled=True)
    lane.begin_load()
    lane.push(queued(3))  # after the load's snapshot
    lane.end_load([queued(1), queued(2)], complete=True)
    assert lane.spilled
    lane.begin_load()
    lane.end_load([queued(3)], complete=True)
    assert list(drained(lane)) == [1001, 1002, 1003]
    assert not lane.spilled


def test_a_message_that_a_load_has_brought_already_is_not_queued_twice() -> None:
    lane = Lane(KEY, 4, spilled=True)
    lane.begin_load()
    lane.end_load([queued(1)], complete=True)
    lane.push(queued(1))  # its commit is reported after the load saw it
    assert list(drained(lane)) == [1001]


def test_what_comes_back_takes_its_place_by_age_whatever_the_limit() -> None:
    lane = Lane(KEY, 2, spilled=False)
    first, second, third = queued(1), queued(2), queued(3)
    lane.push(first)
    lane.push(second)
    assert lane.take() is first
    lane.push(third)
    lane.requeue(first)
    assert list(drained(lane)) == [1001, 1002, 1003]


def test_what_comes_from_another_lane_stays_in_memory_and_older_ones_go_before_it() -> None:
    lane = Lane(KEY, 2, spilled=True)
    moved = queued(9)
    lane.requeue(moved)  # its move is not committed yet: the store may not show it here
    lane.begin_load()
    lane.end_load([queued(5), queued(9)], complete=True)
    assert list(drained(lane)) == [1005, 1009]
    assert not lane.spilled


def test_what_came_from_another_lane_and_left_again_is_not_loaded_as_well() -> None:
    lane = Lane(KEY, 2, spilled=True)
    lane.requeue(queued(9))
    assert lane.take() is not None
    lane.begin_load()
    lane.end_load([queued(5), queued(9)], complete=True)
    assert list(drained(lane)) == [1005]


def test_what_comes_from_another_lane_does_not_hide_what_is_still_being_committed() -> None:
    lane = Lane(KEY, 10, spilled=False)
    lane.coming = 2  # 1 and 2
    assert not lane.idle
    lane.requeue(queued(3))
    for number in (1, 2):
        lane.coming -= 1
        lane.push(queued(number))
    assert list(drained(lane)) == [1001, 1002, 1003]
    assert not lane.ahead - {1003}
    lane.push(queued(4))
    assert not lane.ahead


def test_a_message_that_no_longer_waits_is_passed_over() -> None:
    lane = Lane(KEY, 4, spilled=False)
    answered_late, waiting = queued(1), queued(2)
    lane.push(answered_late)
    lane.push(waiting)
    answered_late.move(State.SUBMITTED, Reason.LATE_ANSWER)
    assert lane.take() is waiting


def test_only_the_head_of_the_queue_expires() -> None:
    lane = Lane(KEY, 4, spilled=False)
    old, fresh = queued(1, expires_at=NOON_MS), queued(2, expires_at=NOON_MS + 1)
    lane.push(old)
    lane.push(fresh)
    assert lane.take_expired(NOON_MS) == [old]
    assert list(drained(lane)) == [fresh.id]


def test_a_channel_sees_its_lanes_most_urgent_purpose_first() -> None:
    lanes = Lanes(10)
    promotion = lanes.get("alpha", Purpose.PROMOTION)
    verification = lanes.get("beta,alpha", Purpose.VERIFICATION)
    assert lanes.of_channel("alpha") == [verification, promotion]
    assert lanes.of_channel("beta") == [verification]
    assert lanes.get("alpha", Purpose.PROMOTION) is promotion


@given(
    limit=st.integers(2, 6),
    steps=st.lists(st.sampled_from(["accept", "take", "load", "return"]), max_size=60),
)
def test_whatever_happens_each_message_is_taken_once_and_none_is_forgotten(
    limit: int, steps: list[str]
) -> None:
    """The store is a list here; the lane must agree with it at the end."""
    lane = Lane(KEY, limit, spilled=False)
    stored: dict[int, Message] = {}
    taken: list[Message] = []
    number = 0
    for step in steps:
        if step == "accept":
            number += 1
            fresh = queued(number)
            stored[fresh.id] = fresh
            lane.push(fresh)
        elif step == "take" and (got := lane.take()) is not None:
            assert stored.pop(got.id) is got
            taken.append(got)
        elif step == "load" and lane.wants_load():
            load(lane, stored)
        elif step == "return" and taken:
            back = taken.pop()
            stored[back.id] = back
            lane.requeue(back)
    while stored:
        if lane.wants_load():
            load(lane, stored)
        got = lane.take()
        assert got is not None
        assert stored.pop(got.id) is got
    assert lane.take() is None


def load(lane: Lane, stored: dict[int, Message]) -> None:
    after, limit = lane.tail, lane.begin_load()
    rows = sorted((m for m in stored.values() if m.id > after), key=lambda m: m.id)[:limit]
    lane.end_load(rows, complete=len(rows) < limit)


def test_only_what_is_past_its_validity_expires_whatever_was_answered_before_it() -> None:
    lane = Lane(KEY, 10, spilled=False)
    answered, due, later = queued(1, expires_at=5), queued(2, expires_at=6), queued(3, expires_at=9)
    for one in (answered, due, later):
        lane.push(one)
    answered.move(State.SUBMITTED, Reason.LATE_ANSWER)
    assert lane.take_expired(5) == []
    assert lane.take_expired(6) == [due]
    assert lane.take() is later
