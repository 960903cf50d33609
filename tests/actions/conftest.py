"""One running gateway for each file."""

from collections.abc import Iterator

import pytest

from tests.actions.areas import MAKERS
from tests.actions.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), MAKERS) as running:
        yield running
