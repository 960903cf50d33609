"""Back-off doubles, is capped, and is spread."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.retry import backoff


def test_it_doubles_from_the_base_up_to_the_cap() -> None:
    waits = [backoff(n, 2.0, 60.0, chance=1.0) for n in range(1, 8)]
    assert waits == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


@given(attempts=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_chance_spreads_it_over_the_upper_half(attempts: int, chance: float) -> None:
    full = backoff(attempts, 2.0, 300.0, chance=1.0)
    assert full / 2 <= backoff(attempts, 2.0, 300.0, chance) <= full <= 300.0
