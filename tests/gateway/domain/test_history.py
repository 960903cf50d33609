"""What was accepted lately: exact as long as it is remembered, and never more than there is room for."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from config.limits import MOST
from gateway.domain.history import Entry, History, key

SPAN = 1_000

steps = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 120), st.integers(0, 2), st.booleans()), max_size=120
)


@given(steps, st.integers(1, 3_000))
def test_it_finds_what_a_list_finds(steps: Sequence[tuple[int, int, int, bool]], span: int) -> None:
    history = History(256, SPAN)
    written: list[tuple[int, Entry]] = []
    now = 0
    for who, passed, text, taken_back in steps:
        now += passed
        entry = Entry(now, 7, text)
        number = history.add(who + 1, entry)
        if taken_back:
            history.drop([number])
        else:
            written.append((who + 1, entry))
        for one in range(1, 8):
            found = [entry for owner, entry in reversed(written) if owner == one and entry.at > now - span]
            assert list(history.recent(one, now - span)) == found


def test_numbers_that_share_a_bucket_do_not_mix() -> None:
    history = History(16, SPAN)
    for who in (8, 16, 24, 8):
        history.add(who, Entry(who, 0, 0))
    assert [entry.at for entry in history.recent(8, 0)] == [8, 8]
    assert [entry.at for entry in history.recent(16, 0)] == [16]


def test_no_more_is_found_than_any_limit_may_allow() -> None:
    history = History(4_096, SPAN)
    for at in range(2 * MOST):
        history.add(7, Entry(at, 0, 0))
    assert [entry.at for entry in history.recent(7, 0)] == list(range(2 * MOST - 1, MOST - 1, -1))


def test_a_full_ring_forgets_the_oldest_and_counts_what_was_not_old_enough() -> None:
    history = History(4, SPAN)
    for at in range(4):
        history.add(at + 1, Entry(at, 0, 0))
    history.add(9, Entry(SPAN, 0, 0))  # the one it takes the place of is just old enough
    assert history.lost == 0
    history.add(9, Entry(SPAN, 0, 0))
    assert history.lost == 1
    assert list(history.recent(2, -1)) == []
    assert len(history) == 4
    assert [entry.at for entry in history.recent(9, 0)] == [SPAN, SPAN]


def test_what_was_driven_out_cannot_be_taken_back_any_more() -> None:
    history = History(2, SPAN)
    first = history.add(1, Entry(1, 0, 0))
    for _ in range(2):
        history.add(2, Entry(2, 0, 0))
    history.drop([first])
    assert len(history.recent(2, 0)) == 2


@given(st.integers(2, 40), st.lists(st.integers(1, 9), max_size=200))
def test_any_size_holds_at_least_that_many(size: int, owners: list[int]) -> None:
    history = History(size, SPAN)
    for at, who in enumerate(owners, 1):
        history.add(who, Entry(at, 0, 0))
    newest = list(enumerate(owners, 1))[-size:]
    for who in range(1, 10):
        found = [entry.at for entry in history.recent(who, 0)]
        assert [at for at, owner in reversed(newest) if owner == who] == found[
            : sum(w == who for _, w in newest)
        ]


def test_a_key_tells_accounts_apart_and_is_never_the_one_of_nobody() -> None:
    assert key("acc-1", "6012") != key("acc-2", "6012")
    assert key("acc-1", "6012") == key("acc-1", "6012")
    assert key() != 0
