"""The system clock: what it does when somebody sets the machine's."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.clock import SLEW, SystemClock

NOON = 1_763_294_400
HOUR = 3_600.0


class Machine:
    """A machine whose clock anybody may set; time passes when told."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON * 10**9, 5 * 10**9
        self.clock = SystemClock(lambda: self.wall, lambda: self.steady)

    def pass_(self, seconds: float) -> None:
        self.wall += round(seconds * 10**9)
        self.steady += round(seconds * 10**9)

    def live(self, seconds: int) -> None:
        """Let time pass with somebody looking at the clock all the while."""
        for _ in range(seconds * 4):
            self.pass_(0.25)
            self.clock.now_ms()

    def set(self, by: float) -> None:
        self.wall += round(by * 10**9)

    @property
    def now(self) -> float:
        return self.clock.now_ms() / 1000


def test_wall_time_is_unix_milliseconds() -> None:
    before = time.time() * 1000
    assert before - 1 <= SystemClock().now_ms() <= time.time() * 1000 + 1


def test_monotonic_time_never_steps_back() -> None:
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()


def test_left_alone_it_is_the_wall() -> None:
    machine = Machine()
    machine.live(3_600)
    machine.pass_(86_400)
    assert machine.now == machine.wall / 10**9 == NOON + 3_600 + 86_400
    assert machine.clock.behind() == 0


def test_a_step_ahead_is_no_jump_and_is_made_up_at_a_tenth() -> None:
    machine = Machine()
    machine.set(HOUR)
    machine.live(1)
    before = machine.now
    machine.live(10)
    assert machine.now == pytest.approx(before + 11, abs=0.001)
    assert machine.clock.behind() == pytest.approx(HOUR - 1, abs=0.2)
    machine.live(36_000)
    assert machine.clock.behind() == pytest.approx(0, abs=1e-6)


def test_a_step_back_slows_it_down() -> None:
    machine = Machine()
    machine.set(-HOUR)
    machine.live(1)
    before = machine.now
    machine.live(10)
    assert machine.now == pytest.approx(before + 9, abs=0.001)
    machine.live(36_000)
    assert machine.clock.behind() == pytest.approx(0, abs=1e-6)


def test_a_few_milliseconds_are_followed_within_a_second() -> None:
    machine = Machine()
    machine.live(2)
    machine.set(0.05)
    machine.live(2)
    assert machine.clock.behind() == pytest.approx(0, abs=1e-6)


def test_a_step_is_told_once_and_each_one_is() -> None:
    machine = Machine()
    with capture_logs() as told:
        machine.live(100)
        machine.set(0.5)
        machine.live(100)
        assert not told
        machine.set(60)
        machine.live(100)
        machine.set(-200)
        machine.live(100)
    assert [round(line["behind"]) for line in told] == [60, -150]
    assert {line["log_level"] for line in told} == {"warning"}


@given(
    moves=st.lists(
        st.tuples(st.floats(0, 30), st.sampled_from([0.0] * 6 + [-86_400.0, -1.0, 0.01, 1.0, 3e7])),
        max_size=60,
    )
)
def test_whatever_is_done_to_the_wall_it_goes_on_neither_standing_nor_jumping(
    moves: list[tuple[float, float]],
) -> None:
    machine = Machine()
    before = machine.now
    for passed, step in moves:
        machine.set(step)
        machine.pass_(passed)
        now = machine.now
        assert passed * (1 - SLEW) - 0.002 <= now - before <= passed * (1 + SLEW) + 0.002
        before = now
