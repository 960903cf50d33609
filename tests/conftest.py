"""The order of the tests."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the stories: one of them takes a minute or two, and nobody should be left waiting for it."""
    items.sort(key=lambda item: "scenarios" not in item.path.parts)
