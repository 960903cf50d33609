"""Lock-out: guessing is slow for everybody, for as long as it takes, and a restart changes nothing."""

from concurrent.futures import ThreadPoolExecutor

from gateway.store import login_attempts
from gateway.store import tables_operators as tables
from gateway.store.engine import Store, open_store
from gateway.store.login_attempts import Attempt, Lockout
from tests.support.messages import NOON_MS
from tests.support.rows import all_rows, row_count

LOCKOUT = Lockout(per_operator=3, per_address=5, period=60_000)
ALICE = Attempt("alice", "192.0.2.7")


def begin(store: Store, attempt: Attempt = ALICE, now: int = NOON_MS) -> int:
    return store.transaction(lambda c: login_attempts.begin(c, attempt, LOCKOUT, now))


def locked(store: Store, attempt: Attempt = ALICE, now: int = NOON_MS) -> int:
    return store.read_now(lambda c: login_attempts.locked_for(c, attempt, LOCKOUT, now))


def succeed(store: Store, attempt: Attempt = ALICE, now: int = NOON_MS) -> None:
    store.transaction(lambda c: login_attempts.succeeded(c, attempt, LOCKOUT, now))


def test_a_name_is_locked_after_its_failures_wherever_they_came_from(store: Store) -> None:
    for number in range(3):
        assert begin(store, Attempt("alice", f"192.0.2.{number}")) == 0
    assert begin(store, Attempt("alice", "192.0.2.9")) == 60_000
    assert locked(store, Attempt("alice", "192.0.2.9"), NOON_MS + 1_000) == 59_000
    assert begin(store, Attempt("bob", "192.0.2.9")) == 0


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


def test_a_good_log_in_forgets_the_names_failures_and_its_own_of_the_address(store: Store) -> None:
    begin(store, Attempt("bob", "192.0.2.7"))
    for _ in range(4):
        assert begin(store) == 0
        succeed(store)
    address = next(row for row in all_rows(store, tables.login_attempts))
    assert locked(store) == 0
    assert row_count(store, tables.login_attempts) == 2  # bob, and the address that has his failure alone
    assert address["failures"] == 1


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
    for _ in range(3):
        begin(store)
    store.transaction(lambda c: login_attempts.forget(c, "alice"))
    assert begin(store) == 0


def test_old_failures_do_not_pile_up(store: Store) -> None:
    for number in range(4):
        begin(store, Attempt(f"name{number}", f"192.0.2.{number}"))
    later = NOON_MS + 60_000
    begin(store, now=later)
    succeed(store, now=later)
    assert row_count(store, tables.login_attempts) == 1
