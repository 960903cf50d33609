"""Last uses: in memory until the next look, lost by no outage of the store."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.errors import StoreUnavailable
from gateway.flow import keyuse
from gateway.flow.keyuse import KeyUse
from gateway.store.engine import Store
from gateway.store.tables_keys import key_uses
from tests.support.database import prepared_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = prepared_store(tmp_path)
    yield store
    store.close()


async def rows(store: Store) -> dict[str, tuple[int, str]]:
    found = await store.read(lambda c: c.execute(select(key_uses)).all())
    return {row.public_key: (row.used_at, row.address) for row in found}


async def test_the_last_use_of_each_key_is_written_when_it_is_time(store: Store) -> None:
    uses = KeyUse(store)
    uses.note("a", 1, "192.0.2.1")
    uses.note("a", 2, "::ffff:192.0.2.2")
    uses.note("b", 3, "")
    assert await rows(store) == {}
    await uses.flush()
    assert await rows(store) == {"a": (2, "192.0.2.2"), "b": (3, "")}


async def test_what_is_written_is_not_written_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    uses = KeyUse(store)
    uses.note("a", 1, "192.0.2.1")
    await uses.flush()
    monkeypatch.setattr(store, "write", None)  # nobody asks
    await uses.flush()


async def test_more_keys_than_one_transaction_takes(store: Store) -> None:
    uses = KeyUse(store)
    for number in range(keyuse.CHUNK * 2 + 1):
        uses.note(f"key-{number}", number, "192.0.2.1")
    await uses.flush()
    assert len(await rows(store)) == keyuse.CHUNK * 2 + 1


async def test_a_store_that_is_away_loses_no_use(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    uses = KeyUse(store)
    write, away = store.write, True

    async def refuse(work):
        if away:
            uses.note("a", 9, "192.0.2.9")  # used again meanwhile
            raise StoreUnavailable
        return await write(work)

    monkeypatch.setattr(store, "write", refuse)
    uses.note("a", 1, "192.0.2.1")
    uses.note("b", 2, "192.0.2.2")
    await uses.flush()
    assert await rows(store) == {}
    away = False
    await uses.flush()
    assert await rows(store) == {"a": (9, "192.0.2.9"), "b": (2, "192.0.2.2")}


async def test_it_looks_again_and_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyuse, "INTERVAL", 0.0)
    uses = KeyUse(store)
    task = asyncio.get_running_loop().create_task(uses.run())
    for round_ in range(3):
        uses.note("a", round_, "192.0.2.1")
        async with asyncio.timeout(10):
            while (await rows(store)).get("a") != (round_, "192.0.2.1"):
                pass
    task.cancel()
