"""Lock-out: guessing is slow for everybody, for as long as it takes, and a restart changes nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.store import login_attempts
from gateway.store import tables_operators as tables
from gateway.store.engine import Store, open_store
from gateway.store.login_attempts import Attempt, Lockout
from tests.support.messages import NOON_MS
from tests.support.rows import all_rows, row_count

LOCKOUT = Lockout(per_operator=3, per_address=5, per_name=8, period=60_000, pause=2_000)
DAY = 86_400_000
ALICE = Attempt("alice", "192.0.2.7")


def begin(store: Store, attempt: Attempt = ALICE, now: int = NOON_MS) -> int:
    return store.transaction(lambda c: login_attempts.begin(c, attempt, LOCKOUT, now))


def locked(store: Store, attempt: Attempt = ALICE, now: int = NOON_MS) -> int:
    return store.read_now(lambda c: login_attempts.locked_for(c, attempt, LOCKOUT, now))


def succeed(store: Store, attempt: Attempt = ALICE, now: int = NOON_MS) -> None:
    store.transaction(lambda c: login_attempts.succeeded(c, attempt, LOCKOUT, now))


def besiege(store: Store, name: str = "alice") -> None:
    """Fail as often as the name may, from everywhere."""
    for number in range(LOCKOUT.per_name):
        assert begin(store, Attempt(name, f"198.51.100.{number}")) == 0


def test_a_name_is_locked_where_it_failed_and_nowhere_else(store: Store) -> None:
    for _ in range(3):
        assert begin(store) == 0
    assert begin(store) == 60_000
    assert locked(store, now=NOON_MS + 1_000) == 59_000
    assert begin(store, Attempt("bob", "192.0.2.7")) == 0
    elsewhere = Attempt("alice", "192.0.2.8")
    assert (locked(store, elsewhere), begin(store, elsewhere)) == (0, 0)


def test_a_name_that_fails_everywhere_is_slowed_and_not_locked(store: Store) -> None:
    besiege(store)
    stranger = Attempt("alice", "192.0.2.9")
    assert locked(store, stranger, NOON_MS + 500) == 1_500
    assert begin(store, stranger, NOON_MS + 500) == 1_500
    assert begin(store, stranger, NOON_MS + 2_000) == 0  # one look in each pause, whoever comes
    assert begin(store, Attempt("alice", "192.0.2.10"), NOON_MS + 2_000) == 2_000
    assert begin(store, Attempt("bob", "192.0.2.10")) == 0


def test_whoever_logged_in_from_there_before_is_not_slowed_by_what_others_do(store: Store) -> None:
    begin(store)
    succeed(store)
    besiege(store)
    assert (locked(store), begin(store)) == (0, 0)
    assert begin(store, Attempt("bob", ALICE.address)) == 0
    # at that address, too, guesses are few
    assert [begin(store) for _ in range(3)] == [0, 0, 60_000]


def test_an_address_is_not_known_forever_nor_after_a_new_password(store: Store) -> None:
    for number, later in enumerate((30 * DAY, 1)):
        begin(store)
        succeed(store)
        if number:
            store.transaction(lambda c: login_attempts.forget(c, "alice"))
        attacked = NOON_MS + later
        for other in range(LOCKOUT.per_name):
            begin(store, Attempt("alice", f"198.51.100.{other}"), attacked)
        assert begin(store, now=attacked) == 2_000


def test_a_good_log_in_does_not_give_a_siege_a_fresh_start(store: Store) -> None:
    begin(store)
    succeed(store)
    besiege(store)
    begin(store)
    succeed(store)
    assert begin(store, Attempt("alice", "192.0.2.9")) == 2_000


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("2001:db8:7::1", "2001:db8:7:0:ffff::9"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::2%eth0"),
        ("", ""),
    ],
)
def test_what_one_client_can_choose_freely_is_one_address(store: Store, address: str, same: str) -> None:
    for _ in range(3):
        assert begin(store, Attempt("alice", address)) == 0
    assert begin(store, Attempt("alice", same)) == 60_000
    assert begin(store, Attempt("alice", "2001:db8:8::1")) == 0


def test_an_address_is_locked_after_its_failures_whatever_the_names(store: Store) -> None:
    for number in range(5):
        assert begin(store, Attempt(f"name{number}", "192.0.2.7")) == 0
    assert begin(store, Attempt("carol", "192.0.2.7")) == 60_000
    assert begin(store, Attempt("carol", "192.0.2.8")) == 0


def test_waiting_it_out_gives_a_fresh_start(store: Store) -> None:
    for _ in range(3):
        begin(store)
    assert begin(store, now=NOON_MS + 59_999) == 1
    assert [begin(store, now=NOON_MS + 60_000) for _ in range(4)] == [0, 0, 0, 60_000]


def test_asking_while_locked_does_not_make_it_longer(store: Store) -> None:
    for _ in range(3):
        begin(store)
    for later in (10_000, 20_000, 50_000):
        assert begin(store, now=NOON_MS + later) == 60_000 - later


def test_a_good_log_in_forgets_the_names_failures_there_and_its_own_elsewhere(store: Store) -> None:
    bob = Attempt("bob", ALICE.address)
    begin(store, bob)
    for _ in range(4):
        assert begin(store) == 0
        succeed(store)
    assert locked(store) == 0
    failures = {row["key"]: row["failures"] for row in all_rows(store, tables.login_attempts)}
    counted = {count.key: failures.pop(count.key, 0) for count in ALICE.counts(LOCKOUT)}
    address = {count.key for count in ALICE.counts(LOCKOUT)} & {count.key for count in bob.counts(LOCKOUT)}
    assert {key: count for key, count in counted.items() if count} == dict.fromkeys(address, 1)  # bob's
    assert failures.pop(ALICE.known) == login_attempts.KNOWN
    assert list(failures.values()) == [1, 1]  # bob, there and everywhere


def test_the_lock_survives_a_restart(store: Store, url: str) -> None:
    for _ in range(3):
        begin(store)
    again = open_store(url)
    assert begin(again) == 60_000
    again.close()


def test_of_many_guesses_at_once_no_more_than_the_limit_are_looked_at(store: Store) -> None:
    with ThreadPoolExecutor(6) as threads:
        waits = list(threads.map(lambda _: begin(store), range(12)))
    assert waits.count(0) == 3


def test_a_clock_set_back_does_not_lock_anybody_out_for_hours(store: Store) -> None:
    for _ in range(3):
        begin(store, now=NOON_MS + 7_200_000)
    assert begin(store) == 60_000
    assert begin(store, now=NOON_MS + 60_000) == 0


def test_what_was_typed_as_a_name_is_not_kept(store: Store) -> None:
    begin(store, Attempt("my real password", "192.0.2.7"))
    assert "my real password" not in str(all_rows(store, tables.login_attempts))


def test_a_new_password_opens_the_lock(store: Store) -> None:
    besiege(store)
    for _ in range(3):
        begin(store, now=NOON_MS + 10_000)
    assert begin(store, now=NOON_MS + 10_000) > 0
    begin(store, Attempt("bob", "192.0.2.8"))
    store.transaction(lambda c: login_attempts.forget(c, "alice"))
    assert begin(store, now=NOON_MS + 10_000) == 0
    assert begin(store, Attempt("alice", "192.0.2.9"), NOON_MS + 10_000) == 0
    assert row_count(store, tables.login_attempts) == LOCKOUT.per_name + 8  # addresses, and of alice and bob


def test_old_failures_do_not_pile_up(store: Store) -> None:
    for number in range(4):
        begin(store, Attempt(f"name{number}", f"192.0.2.{number}"))
    later = NOON_MS + 60_000
    begin(store, now=later)
    succeed(store, now=later)
    keys = {row["key"] for row in all_rows(store, tables.login_attempts)}
    assert keys == {ALICE.known} | {count.key for count in ALICE.counts(LOCKOUT)} - {ALICE.pair}
    for after in (30 * DAY, 31 * DAY):
        begin(store, Attempt("bob", "192.0.2.8"), later + after)
        succeed(store, Attempt("bob", "192.0.2.8"), later + after)
    assert ALICE.known not in {row["key"] for row in all_rows(store, tables.login_attempts)}
