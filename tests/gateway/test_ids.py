"""Ids rise whatever the clock does, come in unbroken blocks, and travel inside session numbers."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import EPOCH_MS, IdSource, id_at, request_id, session_no, submission_id

NOW = 1_790_000_000_000


def test_a_block_has_no_gap_and_the_next_one_follows_it() -> None:
    ids = IdSource()
    first = ids.take(1_001, NOW)
    assert ids.take(1, NOW) == first + 1_001


def test_ids_tell_when_they_were_given_out() -> None:
    assert IdSource().take(1, NOW) == id_at(NOW) < id_at(NOW + 1)


def test_a_clock_that_steps_back_makes_no_id_twice() -> None:
    ids = IdSource()
    before = ids.take(5, NOW)
    assert ids.take(1, NOW - 3_600_000) == before + 5


def test_a_restart_continues_above_what_the_store_has() -> None:
    above = id_at(NOW + 60_000)
    assert IdSource(above).take(1, NOW) == above + 1


@given(taken=st.lists(st.tuples(st.integers(1, 2_000), st.integers(-10_000, 10_000)), min_size=1))
def test_no_two_blocks_ever_overlap(taken: list[tuple[int, int]]) -> None:
    ids = IdSource()
    end = 0
    for count, drift in taken:
        first = ids.take(count, NOW + drift)
        assert first > end
        end = first + count - 1


@given(st.integers(id_at(EPOCH_MS), (1 << 63) - 1))
def test_a_session_number_is_a_uuid_that_carries_its_id(number: int) -> None:
    session = session_no(number)
    assert uuid.UUID(session).version == 7
    assert uuid.UUID(session).variant == uuid.RFC_4122
    assert submission_id(session) == number


def test_two_session_numbers_for_one_id_differ() -> None:
    assert session_no(id_at(NOW)) != session_no(id_at(NOW))


@given(st.one_of(st.text(max_size=40), st.uuids(version=4).map(str), st.just("{" + session_no(1) + "}")))
def test_what_is_no_session_number_of_ours_carries_nothing(text: str) -> None:
    assert submission_id(text) is None


def test_a_request_is_named_by_a_random_uuid() -> None:
    names = {request_id() for _ in range(1_000)}
    assert len(names) == 1_000
    for name in names:
        assert str(uuid.UUID(name)) == name
        assert (uuid.UUID(name).version, uuid.UUID(name).variant) == (4, uuid.RFC_4122)
