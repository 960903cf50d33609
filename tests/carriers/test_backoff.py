"""Back-off as arithmetic: no loop, no waiting."""

from itertools import pairwise
from random import Random

from carriers.backoff import Backoff
from config.schema import TimerConfig

TIMERS = TimerConfig(backoff_base=1.0, backoff_cap=60.0, backoff_credentials=90.0, stable_after=30.0)


class NoJitter(Random):
    def uniform(self, a: float, b: float) -> float:
        return b


def test_t29_the_wait_doubles_up_to_the_cap() -> None:
    backoff = Backoff(TIMERS, NoJitter())
    assert [backoff.after_end(0.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_t29_jitter_takes_up_to_half_off() -> None:
    waits = [Backoff(TIMERS, Random(seed)).after_end(0.0) for seed in range(200)]
    assert all(0.5 <= wait <= 1.0 for wait in waits)
    assert len(set(waits)) > 100


def test_t29_only_a_stable_bind_starts_over() -> None:
    backoff = Backoff(TIMERS, NoJitter())
    for now in (0.0, 10.0, 20.0):  # binds and falls at once: flapping
        backoff.bound(now)
        flapping = backoff.after_end(now + 1.0)
    assert flapping == 4
    backoff.bound(100.0)
    assert backoff.after_end(130.0) == 1


def test_t29_a_failed_connect_after_a_stable_bind_counts_again() -> None:
    backoff = Backoff(TIMERS, NoJitter())
    backoff.bound(0.0)
    waits = [backoff.after_end(40.0), backoff.after_end(41.0), backoff.after_end(43.0)]
    assert all(later == 2 * earlier for earlier, later in pairwise(waits))


def test_t27_refused_credentials_wait_long() -> None:
    backoff = Backoff(TIMERS, NoJitter())
    assert backoff.after_end(0.0, credentials=True) == 90


def test_the_wait_stays_finite_after_months_of_failure() -> None:
    backoff = Backoff(TIMERS, NoJitter())
    assert [backoff.after_end(0.0) for _ in range(5_000)][-1] == 60
