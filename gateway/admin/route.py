"""One row of the route table: what is asked, what it takes, who may, and who answers.

What the handler takes and returns is read from its own signature: a parameter `body` or `query` names the
model of the request, the return type that of the answer. So row, check and document cannot differ.
"""

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from gateway.admin.schema import Answer, Body, Query
from gateway.domain.operator import Permission

Handler = Callable[..., Awaitable[Answer | None]]

MAX_BODY = 64 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD"})
_IN_BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Route:
    """One endpoint. `permission` None: for those who have not said yet who they are."""

    method: str
    path: str  # below /admin/v1: /accounts/{account_id}/credit
    permission: Permission | None
    handler: Handler
    status: int = 200
    max_body: int = MAX_BODY
    before_change: bool = False  # also for who came in by a one-time password and has not changed it

    def __post_init__(self) -> None:
        """Raise TypeError for a handler that the door could not call."""
        names = list(inspect.signature(self.handler).parameters)
        if names[:1] != ["call"] or not set(names[1:]) <= {"body", "query"}:
            raise TypeError(
                f"{self.method} {self.path}: a handler takes call, and body or query if it has them"
            )

    @cached_property
    def body(self) -> type[Body] | None:
        """The model of the request's body."""
        return self._hints.get("body")

    @cached_property
    def query(self) -> type[Query] | None:
        """The model of the request's query."""
        return self._hints.get("query")

    @cached_property
    def answer(self) -> type[Answer] | None:
        """The model of the response's body; None: there is none."""
        returned = self._hints["return"]
        return None if returned is type(None) else returned

    @cached_property
    def path_names(self) -> tuple[str, ...]:
        """What stands in the path's braces."""
        return tuple(_IN_BRACES.findall(self.path))

    @property
    def changes(self) -> bool:
        """Whether it is a request that may change something, which a mere link must not be able to make."""
        return self.method not in SAFE_METHODS

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]

    @property
    def description(self) -> str:
        """The rest of it."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[2].strip()

    @property
    def resource(self) -> str:
        """What the endpoint is about: the first word of its path."""
        return self.path.strip("/").partition("/")[0]

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.handler)
