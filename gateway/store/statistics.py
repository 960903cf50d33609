"""The counters as they are read: for customers by day, for operators by whatever they ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Label, Select, and_, func, insert, select

from gateway.domain.statistics import COUNTERS, QUARTER_MS, Calendar
from gateway.store import tables_stats

_t = tables_stats.statistics.c
_z = tables_stats.statistics_zones.c

Counts = dict[str, int]  # by name of `COUNTERS`

GROUPS = ("account_id", "project_id", "day", "country", "purpose", "template_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which counters are asked for; what is None or empty does not narrow them."""

    first: str  # day, YYYY-MM-DD
    last: str
    account_id: str | None = None
    project_id: str | None = None
    home: str | None = None  # with `domestic`: the country that is
    domestic: bool = True
    countries: Sequence[str] = ()
    purpose: int | None = None
    template_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Say it in SQL."""
        found = [_t.day.between(self.first, self.last), _t.messages > 0]
        for column, value in (
            (_t.account_id, self.account_id),
            (_t.project_id, self.project_id),
            (_t.purpose, self.purpose),
            (_t.template_id, self.template_id),
        ):
            if value is not None:
                found.append(column == value)
        if self.home is not None:
            found.append(_t.country == self.home if self.domestic else _t.country != self.home)
        if self.countries:
            found.append(_t.country.in_(self.countries))
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the groups, and the sums of all of them."""

    rows: list[dict[str, Any]]
    total: int  # groups
    sums: Counts


def page(
    connection: Connection,
    wanted: Wanted,
    by: Sequence[str],
    *,
    descending: bool = False,
    offset: int = 0,
    limit: int = 1_000,
) -> Page:
    """Return the counters summed by the columns `by`, in their order; `descending` turns the first one."""
    groups = _groups(wanted, by)
    first, *rest = (_t[name] for name in by)
    order = (first.desc() if descending else first, *rest)
    found = connection.execute(groups.order_by(*order).offset(offset).limit(limit)).mappings()
    rows = [_plain(row) for row in found]
    counted = groups.subquery("counted")
    sums = (func.coalesce(func.sum(counted.c[name]), 0).label(name) for name in COUNTERS)
    totals = connection.execute(select(func.count().label("total"), *sums).select_from(counted)).mappings()
    [summed] = [_plain(row) for row in totals]
    return Page(rows, summed.pop("total"), summed)


def use_zone(connection: Connection, zone: str, now_ms: int) -> bool:
    """Let days be those of `zone` from the next quarter of an hour on; what was counted stays as it was.

    Return whether this is the first zone ever: then it holds for all of the past too.
    """
    known = connection.execute(select(_z.zone).order_by(_z.since.desc()).limit(1)).scalar()
    if known == zone:
        return False
    since = 0 if known is None else -(-now_ms // QUARTER_MS) * QUARTER_MS
    connection.execute(tables_stats.statistics_zones.delete().where(_z.since == since))
    connection.execute(insert(tables_stats.statistics_zones).values(since=since, zone=zone))
    return known is None


def calendar(connection: Connection) -> Calendar:
    """Return the days as they are counted."""
    rows = connection.execute(select(_z.since, _z.zone))
    return Calendar((since, zone) for since, zone in rows)


def _groups(wanted: Wanted, by: Sequence[str]) -> Select[Any]:
    columns = [_t[name] for name in by]
    sums: list[Label[Any]] = [func.sum(_t[name]).label(name) for name in COUNTERS]
    return select(*columns, *sums).where(and_(*wanted.conditions())).group_by(*columns)


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return numbers as integers: PostgreSQL sums them up as decimals."""
    return {name: value if isinstance(value, str) else int(value) for name, value in row.items()}
