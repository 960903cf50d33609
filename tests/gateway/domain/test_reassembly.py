"""Parts in, messages out: any order, twice, late, never, and references that come round again."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.smpp.header import Place
from carriers.smpp.userdata import UserData
from gateway.domain.inbound import Completion
from gateway.domain.reassembly import REMEMBERED, Key, Part, Reassembly, Whole, digest_of

TIMEOUT = 60.0
_rows = count(1)


def part(
    number: int = 0, total: int = 3, body: str = "", *, reference: int = 7, source: str = "60123"
) -> Part:
    """Return a stored part, `number` 0: a message of one piece. Its octets name it unless `body` does."""
    octets = (body or f"{reference}/{number}").encode()
    place = Place(reference, total, number) if number else None
    data = UserData(place, 0, octets)
    return Part(next(_rows), "alpha", source, "10690001", 1_000, data, digest_of(0, octets))


class Machine(Reassembly):
    """A reassembly whose messages are numbered 1, 2, 3 …"""

    def __init__(self, capacity: int = 1_000) -> None:
        ids = count(1)
        super().__init__(TIMEOUT, capacity, lambda: next(ids))

    def adds(self, *parts: Part, now: float = 0.0) -> list[Whole]:
        for one in parts:
            self.add(one, now)
        return self.take()[0]


def bodies(whole: Whole) -> list[str]:
    return [whole.parts[number].data.body.decode() for number in sorted(whole.parts)]


def test_a_message_of_one_piece_is_whole_at_once() -> None:
    (whole,) = Machine().adds(part())
    assert (whole.completion, whole.total, whole.missing) == (Completion.WHOLE, 1, ())


@given(order=st.permutations(range(1, 6)))
def test_t84_parts_in_any_order_are_one_message(order: list[int]) -> None:
    machine = Machine()
    (whole,) = machine.adds(*(part(number, 5) for number in order))
    assert (whole.completion, bodies(whole)) == (Completion.JOINED, [f"7/{n}" for n in range(1, 6)])
    assert machine.held == 0
    assert machine.next_deadline() is None


def test_t84_the_key_is_channel_source_destination_reference_and_total() -> None:
    machine = Machine()
    strangers = [part(1, 2, source="60999"), part(1, 2, reference=8), part(1, 3)]
    assert machine.adds(part(1, 2), *strangers) == []
    (whole,) = machine.adds(part(2, 2))
    assert bodies(whole) == ["7/1", "7/2"]
    assert machine.held == 3


@given(data=st.data())
def test_t81_t84_three_hundred_messages_side_by_side_come_out_right(data: st.DataObject) -> None:
    keys = [(reference, f"60{handset}") for reference in range(20) for handset in range(15)]
    parts = [part(n, 2, f"{k}/{n}", reference=r, source=s) for k, (r, s) in enumerate(keys) for n in (1, 2)]
    shuffled = data.draw(st.randoms(use_true_random=False)).sample(parts, len(parts))
    wholes = Machine().adds(*shuffled)
    assert sorted(tuple(bodies(whole)) for whole in wholes) == sorted(
        (f"{k}/1", f"{k}/2") for k in range(len(keys))
    )


def test_t84_a_part_repeated_changes_nothing_and_is_known_for_what_it_is() -> None:
    machine = Machine()
    again = part(1, 2)
    (whole,) = machine.adds(part(1, 2), again, part(2, 2))
    assert bodies(whole) == ["7/1", "7/2"]
    assert whole.duplicates == (again.id,)
    late = part(2, 2)
    assert machine.adds(late) == []
    assert machine.take() == ([], [])


def test_t84_a_part_of_a_finished_message_repeated_is_a_repetition() -> None:
    machine = Machine()
    machine.adds(part(1, 2), part(2, 2))
    late = part(2, 2)
    machine.add(late, 1.0)
    assert machine.take() == ([], [(late.id, 1)])


def test_t84_other_octets_under_the_same_number_are_a_second_message_and_both_are_flagged() -> None:
    machine = Machine()
    first, second = machine.adds(part(1, 2, "a1"), part(1, 2, "b1"), part(2, 2, "a2"), part(2, 2, "b2"))
    assert (bodies(first), bodies(second)) == (["a1", "a2"], ["b1", "b2"])
    assert first.conflict
    assert second.conflict


def test_t84_a_missing_part_lets_the_rest_go_when_its_time_is_over() -> None:
    machine = Machine()
    assert machine.adds(part(3), part(1), now=10.0) == []
    assert machine.next_deadline() == 10.0 + TIMEOUT
    machine.expire(10.0 + TIMEOUT - 0.001)
    assert machine.take() == ([], [])
    machine.expire(10.0 + TIMEOUT)
    (whole,), _ = machine.take()
    assert (whole.completion, bodies(whole), whole.missing) == (Completion.TIMED_OUT, ["7/1", "7/3"], (2,))
    assert whole.first.data.place == Place(7, 3, 3)


def test_t84_what_comes_after_the_time_is_the_remainder_of_its_message() -> None:
    machine = Machine()
    machine.adds(part(1, 4), part(2, 4))
    machine.expire(TIMEOUT)
    machine.take()
    assert machine.adds(part(4, 4), now=61.0) == []
    (rest,) = machine.adds(part(3, 4), now=62.0)
    assert (rest.remainder_of, rest.completion, bodies(rest)) == (1, Completion.JOINED, ["7/3", "7/4"])
    assert rest.missing == ()


def test_a_remainder_that_stays_incomplete_goes_out_too() -> None:
    machine = Machine()
    machine.adds(part(1, 4))
    machine.expire(TIMEOUT)
    machine.adds(part(4, 4), now=61.0)
    machine.expire(61.0 + TIMEOUT)
    (rest,), _ = machine.take()
    assert (rest.remainder_of, rest.completion, rest.missing) == (1, Completion.TIMED_OUT, (2, 3))


def test_a_late_part_long_after_is_still_told() -> None:
    machine = Machine()
    machine.adds(part(1, 2))
    machine.expire(TIMEOUT)
    machine.take()
    now = TIMEOUT + REMEMBERED
    machine.adds(part(2, 2), now=now)
    machine.expire(now + TIMEOUT)
    (rest,), _ = machine.take()
    assert (rest.remainder_of, bodies(rest), rest.missing) == (None, ["7/2"], (1,))


@pytest.mark.parametrize("complete", [True, False])
def test_a_reference_used_again_is_a_new_message(complete: bool) -> None:
    machine = Machine()
    machine.adds(part(1, 2, "old1"), *([part(2, 2, "old2")] if complete else []))
    machine.expire(TIMEOUT)
    machine.take()
    (new,) = machine.adds(part(1, 2, "new1"), part(2, 2, "new2"), now=90.0)
    assert bodies(new) == ["new1", "new2"]
    assert new.remainder_of is None


def test_a_flood_of_first_parts_takes_no_more_memory_than_allowed_and_drops_nothing() -> None:
    machine = Machine(capacity=50)
    wholes = machine.adds(*(part(1, 255, reference=n) for n in range(1_000)))
    assert machine.held == 50
    assert [whole.completion for whole in wholes] == [Completion.MEMORY_FULL] * 950
    assert [bodies(whole) for whole in wholes] == [[f"{n}/1"] for n in range(950)]
    assert len(wholes[0].missing) == 254
    assert len(machine._finished) == len(machine._finished_by_key) == 50


def test_a_message_may_be_larger_than_the_memory() -> None:
    first, rest = Machine(capacity=2).adds(*(part(number, 5) for number in range(1, 6)))
    assert (bodies(first), first.completion) == (["7/1", "7/2", "7/3"], Completion.MEMORY_FULL)
    assert (bodies(rest), rest.remainder_of) == (["7/4", "7/5"], first.id)


def test_an_earlier_run_is_remembered() -> None:
    machine = Machine()
    key = Key("alpha", "60123", "10690001", 7, 2)
    machine.remember(key, 500, {1: part(1, 2).digest}, 0.0)
    repeated = part(1, 2)
    machine.add(repeated, 1.0)
    assert machine.take() == ([], [(repeated.id, 500)])
    (rest,) = machine.adds(part(2, 2), now=2.0)
    assert rest.remainder_of == 500


def test_a_message_whose_acknowledgement_may_be_lost_is_repeated_once_and_then_meant() -> None:
    machine = Machine()
    known = part()
    machine.unsure([(known.digest, 500)], 0.0)
    again = part()
    machine.add(again, 1.0)
    assert machine.take() == ([], [(again.id, 500)])
    assert len(machine.adds(part(), now=2.0)) == 1
    machine.unsure([(known.digest, 500)], 0.0)
    assert len(machine.adds(part(), now=REMEMBERED)) == 1


def test_deadlines_of_an_earlier_run_are_kept() -> None:
    machine = Machine()
    machine.add(part(1), 100.0, deadline=112.0)
    assert machine.next_deadline() == 112.0


@given(
    steps=st.lists(
        st.tuples(
            st.integers(1, 4), st.sampled_from(["x", "y"]), st.integers(0, 1), st.floats(0, 90), st.booleans()
        ),
        max_size=60,
    ),
    capacity=st.integers(1, 8),
)
def test_every_part_comes_out_exactly_once(
    steps: list[tuple[int, str, int, float, bool]], capacity: int
) -> None:
    machine = Machine(capacity)
    now, given_ids, seen = 0.0, [], []
    for number, body, reference, wait, expire in steps:
        one = part(number, 4, body, reference=reference)
        given_ids.append(one.id)
        machine.add(one, now)
        now += wait
        if expire:
            machine.expire(now)
        assert machine.held <= capacity
    machine.expire(now + TIMEOUT)
    wholes, repeats = machine.take()
    for whole in wholes:
        assert whole.parts
        assert set(whole.missing).isdisjoint(whole.parts)
        seen += [one.id for one in whole.parts.values()] + list(whole.duplicates)
    seen += [repeat.part_id for repeat in repeats]
    assert sorted(seen) == sorted(given_ids)
    assert machine.held == 0
