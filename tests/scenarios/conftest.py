"""Fixtures of the stories: an installation in a directory of its own, ended with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.customer import Inbox
from tests.support.gateway import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An installation; nothing runs yet."""
    with Site(tmp_path) as made:
        yield made


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A customer's callback endpoint."""
    with Inbox() as running:
        yield running
