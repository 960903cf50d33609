"""Order, window and rate of a channel by hand: links are counters, time is a number."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from carriers.results import Segment
from carriers.sender import Sender
from carriers.smpp.text import Part, encode_text
from config.schema import Concatenation

WINDOW = 4


class Line:
    """A link: it keeps what it is given until the test answers it."""

    def __init__(self, window: int = WINDOW) -> None:
        self.window = window
        self.open: list[Segment] = []
        self.sent: list[Segment] = []

    @property
    def room(self) -> int:
        return self.window - len(self.open)

    def submit(self, segments: Sequence[Segment], now: float) -> None:
        assert len(segments) <= self.room
        self.open.extend(segments)
        self.sent.extend(segments)


def message(name: int, parts: int = 1) -> list[Segment]:
    text = "x" * (153 * parts if parts > 1 else 10)
    return [Segment((name, part.number), "60123", part) for part in encode_text(text)]


def sender(*lines: Line, rate: float = 0.0) -> Sender:
    made = Sender(WINDOW, rate)
    for line in lines:
        made.join(line)
    return made


def names(segments: Sequence[Segment]) -> list[object]:
    return [segment.ref for segment in segments]


def test_what_fits_goes_and_the_rest_waits_in_order() -> None:
    line = Line()
    sending = sender(line)
    sending.queue.add([segment for name in range(6) for segment in message(name)], 0.0)
    assert sending.pump(0.0) is None
    assert names(line.sent) == [(0, 1), (1, 1), (2, 1), (3, 1)]
    line.open.clear()
    sending.pump(0.0)
    assert names(line.sent)[4:] == [(4, 1), (5, 1)]


def test_a_throttled_segment_gets_its_old_place() -> None:
    line = Line()
    sending = sender(line)
    sending.queue.add([segment for name in range(6) for segment in message(name)], 0.0)
    sending.pump(0.0)
    second, first = line.open[1], line.open[0]
    line.open.clear()
    sending.queue.put_back(second)
    sending.queue.put_back(first)
    sending.pump(0.0)
    assert names(line.sent)[4:] == [(0, 1), (1, 1), (4, 1), (5, 1)]


def test_room_counts_what_waits_here() -> None:
    line = Line()
    sending = sender(line)
    assert sending.room(0.0) == 4
    sending.queue.add(message(1) + message(2), 0.0)
    assert sending.room(0.0) == 2
    sending.pump(0.0)
    assert sending.room(0.0) == 2
    sending.leave(line)
    assert (sending.room(0.0), bool(sending)) == (0, False)


def test_t43_with_a_rate_hardly_more_than_it_is_taken() -> None:
    sending = sender(Line(window=1_000), rate=100.0)
    assert 10 <= sending.room(0.0) <= 21  # a tenth of a second now, a tenth ahead
    sending.queue.add([segment for name in range(300) for segment in message(name)], 0.0)
    assert sending.room(0.0) == 0
    more_at = sending.pump(0.0)
    assert more_at is not None
    assert more_at > 0.0


def test_t42_nothing_is_taken_or_sent_during_a_pause() -> None:
    line = Line()
    sending = sender(line)
    sending.throttle.throttled(0.0)
    sending.queue.add(message(1), 0.0)
    assert sending.room(0.0) == 0
    more_at = sending.pump(0.0)
    assert more_at == sending.throttle.paused_until
    assert line.sent == []
    sending.pump(more_at)
    assert names(line.sent) == [(1, 1)]


def test_a_heavy_part_counts_its_segments_against_the_rate() -> None:
    line = Line(window=10)
    sending = sender(line, rate=10.0)
    (part,) = encode_text("x" * 153 * 5, Concatenation.PAYLOAD)
    assert isinstance(part, Part)
    sending.queue.add([Segment(name, "60123", part) for name in range(4)], 0.0)
    now, times = 0.0, []
    while len(sending.queue):
        before = len(line.sent)
        more_at = sending.pump(now)
        times += [now] * (len(line.sent) - before)
        now = more_at if more_at is not None else now
    assert all(later - earlier >= 0.99 for earlier, later in zip(times, times[2:], strict=False))


def test_t82_a_message_that_does_not_fit_waits_or_goes_by_another_link() -> None:
    one, two = Line(), Line()
    sending = sender(one, two)
    sending.queue.add(message(1, 3) + message(2, 3), 0.0)
    sending.pump(0.0)
    assert {name for name, _ in names(one.sent)} != {name for name, _ in names(two.sent)}  # type: ignore[misc]
    sending.queue.add(message(3, 3), 0.0)
    sending.pump(0.0)  # one place left on each: no link can take it whole
    assert len(sending.queue) == 3
    two.open.clear()
    sending.pump(0.0)
    assert names(two.sent)[3:] == [(3, 1), (3, 2), (3, 3)]


def test_t82_a_message_longer_than_the_window_still_goes_by_one_link() -> None:
    lines = [Line(), Line()]
    sending = sender(*lines)
    sending.queue.add(message(1, 10), 0.0)
    for _ in range(5):
        sending.pump(0.0)
        for line in lines:
            line.open.clear()
    assert sorted(len(line.sent) for line in lines) == [0, 10]


def test_links_of_equal_room_take_turns() -> None:
    lines = [Line(), Line(), Line()]
    sending = sender(*lines)
    for name in range(9):
        sending.queue.add(message(name), 0.0)
        sending.pump(0.0)
        for line in lines:
            line.open.clear()
    assert [len(line.sent) for line in lines] == [3, 3, 3]


@given(
    links=st.integers(1, 3),
    sizes=st.lists(st.integers(1, 6), max_size=20),
    answers=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=200),
)
def test_nothing_is_lost_doubled_or_out_of_order(
    links: int, sizes: list[int], answers: list[tuple[int, bool]]
) -> None:
    """Links answer in any order, sometimes refusing for speed; every part is taken once, parts ascend."""
    lines = [Line() for _ in range(links)]
    sending = sender(*lines)
    done: list[Segment] = []
    for name, size in enumerate(sizes):
        sending.queue.add(message(name, size), 0.0)
    sending.pump(0.0)
    for index, refused in [*answers, *[(index, False) for _ in range(200) for index in range(3)]]:
        line = lines[index % links]
        if line.open:
            segment = line.open.pop(0)
            if refused:
                sending.queue.put_back(segment)
            else:
                done.append(segment)
        sending.pump(0.0)
    assert sorted(names(done)) == [(name, n + 1) for name, size in enumerate(sizes) for n in range(size)]  # type: ignore[type-var]
    if not any(refused for _, refused in answers):
        for line in lines:
            orders = [segment.order for segment in line.sent]
            assert all(earlier < later for earlier, later in pairwise(orders))
