"""A queue that never changes the order it was given."""

from hypothesis import given
from hypothesis import strategies as st

from carriers.results import Segment
from carriers.sendqueue import SendQueue
from carriers.smpp.text import Part


def segments(*refs: int, weight: int = 1) -> list[Segment]:
    return [Segment(ref, "60123", Part(0, b"x", weight=weight)) for ref in refs]


def refs(taken: list[Segment]) -> list[object]:
    return [segment.ref for segment in taken]


def test_what_is_put_back_goes_before_what_followed_it() -> None:
    queue = SendQueue()
    queue.add(segments(1, 2, 3, 4, 5), now=7.0)
    taken = queue.take(3)
    for segment in (taken[2], taken[0]):
        queue.put_back(segment)
    assert refs(queue.take(9)) == [1, 3, 4, 5]
    assert taken[0].given_at == 7.0  # its first time, however often it goes


def test_a_heavy_segment_goes_alone() -> None:
    queue = SendQueue()
    queue.add(segments(1) + segments(2, weight=3) + segments(3), now=0.0)
    assert [refs(queue.take(9)) for _ in range(3)] == [[1], [2], [3]]
    assert queue.head() is None


def test_clearing_returns_everything_in_order() -> None:
    queue = SendQueue()
    queue.add(segments(1, 2, 3), now=0.0)
    queue.untake(queue.take(2))
    assert len(queue) == 3
    assert refs(queue.clear()) == [1, 2, 3]
    assert len(queue) == 0


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "put back", "untake"]), st.integers(1, 5))))
def test_the_head_is_always_the_oldest(steps: list[tuple[str, int]]) -> None:
    queue, out, given_so_far = SendQueue(), [], 0
    for step, count in steps:
        if step == "add":
            queue.add(segments(*range(given_so_far, given_so_far + count)), now=0.0)
            given_so_far += count
        elif step == "take":
            out += queue.take(count)
        elif step == "untake":
            queue.untake(queue.take(count))
        elif out:
            queue.put_back(out.pop(count % len(out)))
        inside = sorted(set(range(given_so_far)) - {segment.ref for segment in out})
        head = queue.head()
        assert (head.ref if head else None) == (inside[0] if inside else None)
        assert len(queue) == len(inside)
