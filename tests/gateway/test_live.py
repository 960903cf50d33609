"""A live value is swapped whole."""

from gateway.live import Live


def test_readers_see_the_new_value_after_the_swap_and_keep_the_old_one_they_hold() -> None:
    live = Live((1, 2))
    held = live.value
    live.value = (3, 4)
    assert (held, live.value) == ((1, 2), (3, 4))
