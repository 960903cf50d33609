"""A value that is replaced whole: readers see the old one or the new one, never a mixture."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Live(Generic[T]):
    """Holds the current version of an immutable value; swapping is one assignment on the event loop."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value
