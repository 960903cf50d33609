"""Reads of many rows at once, written once for both databases.

SQLite hands out rows one step at a time, and every step lets go of the interpreter lock: beside a busy event
loop 2,000 rows take 2,000 switch intervals. So there the database packs the whole result into one JSON value,
off the lock, in one step. Lists go in the same way: as one JSON value on SQLite, as arrays on PostgreSQL.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Select,
    Text,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

Values = Sequence[Any]
Given = Callable[..., FromClause]  # column names; rows that the caller brings, as something to select from
Build = Callable[[Given], Select[Any]]

_TYPES: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(),
    "channel": Text(),
    "match_id": Text(),
    "name": Text(),
    "phone": Text(),
}


class Query:
    """One statement. Selects plain columns: numbers and texts, no booleans, no bytes."""

    def __init__(self, build: Build) -> None:
        """`build` makes the statement; it gets `given`, which stands for the rows passed to `rows`."""
        self._build = build
        self._made: dict[str, tuple[Select[Any], tuple[str, ...]]] = {}

    def rows(self, connection: Connection, given: Iterable[Values] = (), **parameters: Any) -> list[Values]:
        """Return the rows in the statement's order; `given` are the rows the caller brings."""
        dialect = connection.dialect.name
        if dialect not in self._made:
            self._made[dialect] = self._make(dialect)
        statement, names = self._made[dialect]
        if dialect == "sqlite":
            if names:
                parameters["given"] = orjson.dumps(list(given)).decode()
            packed: list[Values] = orjson.loads(connection.scalar(statement, parameters) or "[]")
            return packed
        if names:
            columns = zip(*given, strict=True)
            arrays = [list(values) for values in columns] or [[] for _ in names]
            parameters.update(zip(names, arrays, strict=True))
        return [tuple(row) for row in connection.execute(statement, parameters)]

    def _make(self, dialect: str) -> tuple[Select[Any], tuple[str, ...]]:
        names: list[str] = []

        def given(*columns: str) -> FromClause:
            names.extend(f"given_{name}" for name in columns)
            return _from_json(columns) if dialect == "sqlite" else _from_arrays(columns)

        statement = self._build(given)
        if dialect == "sqlite":
            rows = statement.subquery("r")
            statement = select(func.json_group_array(func.json_array(*rows.c)))
        return statement, tuple(names)


def _from_json(columns: Sequence[str]) -> FromClause:
    item = func.json_each(bindparam("given", type_=Text())).table_valued("value", name="item")
    fields = (
        func.json_extract(item.c.value, f"$[{position}]", type_=_TYPES[name]).label(name)
        for position, name in enumerate(columns)
    )
    return select(*fields).select_from(item).subquery("given_rows")


def _from_arrays(columns: Sequence[str]) -> FromClause:
    arrays = (bindparam(f"given_{name}", type_=ARRAY(_TYPES[name])) for name in columns)
    made = func.unnest(*arrays).table_valued(
        *(column(name, _TYPES[name]) for name in columns), name="given_rows"
    )
    return made.render_derived()
