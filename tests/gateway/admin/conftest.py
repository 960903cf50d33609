"""The admin API over a store in a file, with cheap passwords."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.store.engine import Store
from tests.support.admin import Installation, cheaper, installed
from tests.support.database import prepared_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = prepared_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
async def here(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Installation]:
    cheaper(monkeypatch)
    async with installed(store) as made:
        yield made
