"""The lists as the running gateway has them."""

import asyncio
from pathlib import Path

import pytest

from gateway.domain.lists import Listing, ListKind
from gateway.flow.lists import LiveLists
from gateway.store import numbers
from tests.support.flow import ACCOUNT, Rig, SlowReads, flow


def listing(n: int) -> Listing:
    return Listing(ACCOUNT, "", ListKind.BLOCKED, 60120000000 + n)


def known(lists: LiveLists) -> int:
    return len(lists.index)


async def beside(rig: Rig, *numbers_: int, listed: bool = True) -> None:
    """Change the lists as a command does, without a word to the gateway."""
    work = numbers.list_numbers if listed else numbers.unlist_numbers
    rig.store.transaction(lambda c: work(c, [listing(n) for n in numbers_], rig.clock.ms))


async def test_what_it_lists_itself_is_stored_and_in_effect_at_once(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        lists = rig.pipeline.risk.lists
        await lists.list_numbers([listing(1), listing(2)])
        assert known(lists) == 2
    async with flow(tmp_path / "g.db") as rig:
        assert known(rig.pipeline.risk.lists) == 2


async def test_what_others_change_is_taken_over_in_its_order(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        lists = rig.pipeline.risk.lists
        await beside(rig, 1, 2, 3)
        await beside(rig, 2, listed=False)
        assert known(lists) == 0
        await lists.refresh()
        assert known(lists) == 2
        await beside(rig, 2)
        await beside(rig, 1, 3, listed=False)
        await lists.refresh()
        await lists.refresh()
        (left,) = lists.index.of(ACCOUNT, "")
        assert [number for number, _ in left.items()] == [60120000002]


async def test_a_change_made_while_it_looks_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig, asyncio.TaskGroup() as group:
        lists = rig.pipeline.risk.lists
        await beside(rig, 1)
        slow = SlowReads(rig.store, monkeypatch)
        looking = group.create_task(lists.refresh())
        await slow.done.wait()
        await beside(rig, 2)
        second = group.create_task(lists.refresh())  # waits for the first, then looks for itself
        slow.go_on.set()
        await looking
        await second
        assert known(lists) == 2


async def test_a_large_change_leaves_the_loop_to_others_now_and_then(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await beside(rig, *range(numbers.CHUNK))
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            watching = group.create_task(others())
            await rig.pipeline.risk.lists.refresh()
            watching.cancel()
        assert known(rig.pipeline.risk.lists) == numbers.CHUNK
        assert turns >= 5
