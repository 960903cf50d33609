"""The duplicate window: the first answer for every repetition, and nothing kept of refusals."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.flow.replay import BRIEF, Answer, ReplayWindow, request_key
from tests.support.scloud import FakeClock

KEY = request_key("public", "0" * 40)
OTHER = request_key("public", "1" * 40)


def body(number: int, code: int = 0) -> bytes:
    return b'{"RetCode":%d,"SessionNo":"answer %d"}' % (code, number)


class Work:
    """Counts how often it is done; can be held up."""

    def __init__(self, *, stored: bool = True, code: int = 0, brief: bool = False) -> None:
        self.done = 0
        self.code = code
        self.stored = stored
        self.brief = brief
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()

    async def __call__(self) -> Answer:
        self.begun.set()
        await self.gate.wait()
        self.done += 1
        return Answer(body(self.done, self.code), self.code, stored=self.stored, brief=self.brief)


async def test_a_repetition_gets_the_first_answer() -> None:
    window, work = ReplayWindow(60.0, FakeClock()), Work()
    first = await window.once(KEY, work)
    again = await window.once(KEY, work)
    assert (first.body, first.replayed) == (body(1), False)
    assert (again.body, again.replayed) == (body(1), True)
    assert (await window.once(OTHER, work)).body == body(2)


async def test_a_repetition_has_the_code_of_the_first_answer() -> None:
    window, work = ReplayWindow(60.0, FakeClock()), Work(code=18046)
    assert (await window.once(KEY, work)).code == 18046
    assert (await window.once(KEY, work)).code == 18046
    assert work.done == 1


async def test_the_window_ends() -> None:
    clock, work = FakeClock(), Work()
    window = ReplayWindow(60.0, clock)
    await window.once(KEY, work)
    clock.seconds += 60.0
    assert (await window.once(KEY, work)).replayed
    clock.seconds += 2.0
    assert not (await window.once(KEY, work)).replayed
    assert work.done == 2


async def test_numbers_on_the_allow_list_may_get_the_same_again_after_seconds() -> None:
    clock, work = FakeClock(), Work(brief=True)
    window = ReplayWindow(60.0, clock)
    await window.once(KEY, work)
    clock.seconds += BRIEF - 0.1
    assert (await window.once(KEY, work)).replayed
    clock.seconds += 0.1
    assert not (await window.once(KEY, work)).replayed
    clock.seconds += BRIEF - 0.1  # the second answer has a window of its own
    assert (await window.once(KEY, work)).replayed
    assert work.done == 2


async def test_memory_is_given_back() -> None:
    clock = FakeClock()
    window = ReplayWindow(60.0, clock)
    for number in range(1000):
        await window.once(request_key("public", str(number)), Work())
        clock.seconds += 1.0
    assert 60 <= len(window) <= 64


async def test_refusals_are_not_kept() -> None:
    window, work = ReplayWindow(60.0, FakeClock()), Work(stored=False)
    await window.once(KEY, work)
    await window.once(KEY, work)
    assert work.done == 2


async def test_a_repetition_waits_for_the_first_one() -> None:
    window, work = ReplayWindow(60.0, FakeClock()), Work()
    work.gate.clear()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(window.once(KEY, work)) for _ in range(4)]
        await work.begun.wait()
        work.gate.set()
    assert [call.result().body for call in calls] == [body(1)] * 4
    assert [call.result().replayed for call in calls] == [False, True, True, True]


async def test_who_waited_for_a_refusal_tries_in_turn() -> None:
    window, work = ReplayWindow(60.0, FakeClock()), Work(stored=False)
    work.gate.clear()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(window.once(KEY, work)) for _ in range(3)]
        await work.begun.wait()
        work.gate.set()
    assert sorted(call.result().body for call in calls) == [body(1), body(2), body(3)]


async def test_who_waited_for_a_failure_tries_in_turn() -> None:
    window, work = ReplayWindow(60.0, FakeClock()), Work()
    failing = _failing(work)
    work.gate.clear()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(_caught(window.once(KEY, failing)))
        await work.begun.wait()
        second = group.create_task(window.once(KEY, work))
        await asyncio.sleep(0)
        work.gate.set()
    assert isinstance(first.result(), RuntimeError)
    assert not second.result().replayed


async def test_a_waiter_that_gives_up_disturbs_nobody() -> None:
    window, work = ReplayWindow(60.0, FakeClock()), Work()
    work.gate.clear()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(window.once(KEY, work))
        await work.begun.wait()
        impatient = group.create_task(window.once(KEY, work))
        patient = group.create_task(window.once(KEY, work))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.sleep(0)
        work.gate.set()
    assert impatient.cancelled()
    assert first.result().body == patient.result().body == body(1)


async def test_a_restart_forgets_nothing_of_the_window() -> None:
    clock, work = FakeClock(), Work()
    window = ReplayWindow(60.0, clock)
    now = clock.now_ms()
    window.preload([(OTHER, body(8).decode(), now - 70_000), (KEY, body(9).decode(), now - 30_000)])
    assert (await window.once(KEY, work)).body == body(9)
    assert (await window.once(OTHER, work)).body == body(1)
    clock.seconds += 33.0
    assert not (await window.once(KEY, work)).replayed


async def test_a_window_of_nothing_is_none() -> None:
    window, work = ReplayWindow(0.0, FakeClock()), Work()
    await window.once(KEY, work)
    await window.once(KEY, work)
    assert (work.done, len(window)) == (2, 0)


def test_a_key_is_of_both_halves() -> None:
    assert (
        len({request_key("a", "b"), request_key("a", "c"), request_key("b", "b"), request_key("a\nb", "")})
        == 4
    )
    assert len(request_key("x" * 10_000, "y")) == 32


def _failing(work: Work) -> Callable[[], Awaitable[Answer]]:
    async def perform() -> Answer:
        await work()
        raise RuntimeError

    return perform


async def _caught(call: Awaitable[Answer]) -> Exception | None:
    with pytest.raises(RuntimeError) as caught:
        await call
    return caught.value
