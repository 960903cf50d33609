"""Numbers with flags: what a dict would say, in a quarter of its memory."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.numbermap import FLAG_BITS, NumberMap

numbers = st.integers(1, 40) | st.integers(1, 10**15 - 1)
flags = st.integers(0, (1 << FLAG_BITS) - 1)


@given(st.lists(st.tuples(numbers, flags), max_size=300), st.lists(numbers, max_size=20))
def test_it_says_what_a_dict_says(written: list[tuple[int, int]], others: list[int]) -> None:
    numbers, plain = NumberMap(), dict[int, int]()
    for number, value in written:
        numbers[number] = plain[number] = value
    kept = {number: value for number, value in plain.items() if value}
    assert dict(numbers.items()) == kept
    assert len(numbers) == len(kept)
    assert [numbers[number] for number in (*plain, *others)] == [
        kept.get(number, 0) for number in (*plain, *others)
    ]


def test_numbers_in_a_row_are_kept_apart() -> None:
    numbers = NumberMap()
    for number in range(8613800000000, 8613800020000):
        numbers[number] = number % 7 + 1
    assert all(numbers[number] == number % 7 + 1 for number in range(8613800000000, 8613800020000))
    assert numbers[8613800020000] == 0


def test_numbers_that_come_and_go_take_no_more_room() -> None:
    numbers = NumberMap()
    tracemalloc.start()
    for round_ in range(20):
        for number in range(round_ * 1_000, round_ * 1_000 + 1_000):
            numbers[number + 1] = 1
        for number in range(round_ * 1_000, round_ * 1_000 + 1_000):
            numbers[number + 1] = 0
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(numbers) == 0
    assert taken < 150_000


def test_a_hundred_thousand_numbers_take_less_than_25_bytes_each() -> None:
    tracemalloc.start()
    numbers = NumberMap()
    for number in range(100_000):
        numbers[8613000000000 + number * 37] = 1
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / 100_000 < 25
