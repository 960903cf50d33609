"""The admin API over a store in a file, with cheap passwords."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.store.engine import Store, open_store
from tests.support.admin import Installation, cheaper, installed


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
async def here(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Installation]:
    cheaper(monkeypatch)
    async with installed(store) as made:
        yield made
