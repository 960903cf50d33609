"""Log-ins from inside: hashing off the event loop, bounded, and nothing told to the log."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from config.schema import AdminSettings
from gateway.domain.operator import Role
from gateway.errors import Overloaded
from gateway.flow import login
from gateway.flow.login import Hashing, LockedOut, LoginRefused, Logins
from gateway.metrics import Metrics
from gateway.store import operators
from gateway.store.engine import Store
from gateway.store.operators import NewPassword
from tests.support.admin import CHEAP, PASSWORD, cheaper
from tests.support.database import prepared_store
from tests.support.flow import SetClock
from tests.support.messages import NOON_MS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = prepared_store(tmp_path)
    stored = NewPassword(CHEAP.hash(PASSWORD.encode()))
    store.transaction(lambda c: operators.add(c, "alice", Role.VIEWER, stored, NOON_MS, created_by="test"))
    yield store
    store.close()


@pytest.fixture
def logins(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logins]:
    cheaper(monkeypatch)
    made = Logins(store, AdminSettings(), SetClock(), Metrics().admin)
    yield made
    made.close()


async def test_hashing_runs_beside_the_event_loop_one_at_a_time() -> None:
    hashing, gate, threads = Hashing(), threading.Event(), []
    busy, loop = asyncio.Event(), asyncio.get_running_loop()

    def work() -> None:
        threads.append(threading.current_thread())
        loop.call_soon_threadsafe(busy.set)
        assert gate.wait(10)

    async def one() -> None:
        async with hashing.place():
            await hashing.run(work)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(one())
        await busy.wait()  # the loop turns while the thread is at work
        assert len(threads) == 1
        gate.set()
    assert len(set(threads)) == 1
    assert threads[0] is not threading.main_thread()
    hashing.close()


async def test_beyond_the_queue_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "MAX_WAITING", 2)
    hashing = Hashing()
    async with hashing.place(), hashing.place():
        with pytest.raises(Overloaded):
            async with hashing.place():
                pass
    async with hashing.place():
        pass
    hashing.close()


async def test_a_busy_log_in_is_not_counted_as_a_failure(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "MAX_WAITING", 0)
    for _ in range(9):
        with pytest.raises(Overloaded):
            await logins.login("alice", "wrong", "192.0.2.7")
    monkeypatch.undo()
    cheaper(monkeypatch)
    assert (await logins.login("alice", PASSWORD, "192.0.2.7")).operator.name == "alice"


async def test_neither_name_nor_password_reaches_the_log(logins: Logins) -> None:
    with structlog.testing.capture_logs() as lines, pytest.raises(LoginRefused):
        await logins.login("my-password-in-the-wrong-field", "hunter2hunter2", "192.0.2.7")
    assert [line["event"] for line in lines] == ["log-in refused"]
    assert "my-password" not in str(lines)
    assert "hunter2" not in str(lines)


async def test_who_is_locked_out_costs_no_hashing(logins: Logins, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        with pytest.raises(LoginRefused):
            await logins.login("alice", "wrong", "192.0.2.7")
    monkeypatch.setattr(login, "verify_password", lambda *_: pytest.fail("looked at"))
    with pytest.raises(LockedOut):
        await logins.login("alice", PASSWORD, "192.0.2.7")


async def test_an_attacker_at_another_address_does_not_lock_an_operator_out(logins: Logins) -> None:
    for _ in range(30):
        with pytest.raises((LoginRefused, LockedOut)):
            await logins.login("alice", "wrong", "198.51.100.1")
    assert (await logins.login("alice", PASSWORD, "192.0.2.7")).operator.name == "alice"


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_a_name_under_siege_is_slowed_whether_or_not_it_exists(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    cheaper(monkeypatch)
    settings = AdminSettings(lockout_name_failures=3, lockout_name_pause=7)
    clock = SetClock()
    logins = Logins(store, settings, clock, Metrics().admin)
    for number in range(3):
        with pytest.raises(LoginRefused):
            await logins.login(name, "wrong", f"198.51.100.{number}")
    with pytest.raises(LockedOut) as slowed:
        await logins.login(name, "wrong", "198.51.100.9")
    assert slowed.value.seconds == 7
    clock.pass_(7)
    with pytest.raises(LoginRefused):
        await logins.login(name, "wrong", "198.51.100.9")
    logins.close()


def test_what_was_opened_does_not_print_its_secret(logins: Logins) -> None:
    opened = asyncio.run(logins.login("alice", PASSWORD, "192.0.2.7"))
    assert opened.secret not in repr(opened)
