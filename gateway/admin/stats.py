"""`/stats`: what was sent and what became of it, from the counters."""

from datetime import date, timedelta
from functools import partial
from typing import Any

from pydantic import Field

from gateway.admin.call import Call
from gateway.admin.problem import unreadable
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Paging, Word, cursor_of, position_in
from gateway.domain.operator import Permission
from gateway.domain.statistics import share
from gateway.store import statistics
from gateway.store.statistics import GROUPS, Wanted
from gateway.web.problem import Mistake

DAYS = 7  # told of if no day is named
_WORDS = {name.removesuffix("_id"): name for name in GROUPS}


class StatisticsQuery(Paging):
    """Which counters, summed how; without days the last seven, today included."""

    first: date | None = Field(None, description="First day, by accept time in the gateway's time zone.")
    last: date | None = Field(None, description="Last day; default: today.")
    account_id: Word = ""
    project_id: Word = ""
    country: Word = Field("", description="ISO 3166 regions, comma separated.")
    purpose: int | None = Field(None, ge=1, le=3)
    template_id: Word = ""
    by: Word = Field("day", description="day, country, purpose, template, account, project: comma separated.")


class CountView(Answer):
    """Messages and segments of one group; what it is not summed by is null."""

    day: date | None
    country: str | None
    purpose: int | None
    template_id: str | None
    account_id: str | None
    project_id: str | None
    messages: int
    segments: int
    success: int
    success_segments: int
    failed: int
    failed_segments: int
    unknown: int
    unknown_segments: int
    submit_failed: int
    submit_failed_segments: int
    under_way: int
    success_rate: float = Field(description="Percent of `messages`.")
    used: int = Field(description="Those the customer told to be used.")
    unused: int
    conversion: float | None = Field(description="`used` in percent of `messages`; null: nothing was told.")


class CountPage(Answer):
    """Groups in order of what they are summed by; `next` continues the list."""

    items: list[CountView]
    total: int
    next: str | None


async def show_statistics(call: Call, query: StatisticsQuery) -> CountPage:
    """Show the counters by day, country, purpose, template, account or project."""
    by = [_WORDS.get(word.strip(), "") for word in query.by.split(",")]
    if "" in by or len(set(by)) < len(by):
        mistake = Mistake("query.by", f"takes each of these once: {', '.join(_WORDS)}")
        raise unreadable("the query does not have the form this endpoint takes", (mistake,))
    position = position_in(query.cursor, int)
    offset = max(0, position[0]) if position else 0
    days = await call.read(statistics.calendar)
    last = query.last or date.fromisoformat(days.day(call.by().now_ms))
    wanted = Wanted(
        first=(query.first or last - min(timedelta(days=DAYS - 1), last - date.min)).isoformat(),
        last=last.isoformat(),
        account_id=query.account_id or None,
        project_id=query.project_id or None,
        countries=[code for code in query.country.upper().split(",") if code],
        purpose=query.purpose,
        template_id=query.template_id or None,
    )
    page = partial(statistics.page, wanted=wanted, by=by, offset=offset, limit=query.limit)
    found = await call.read(page)
    reached = offset + len(found.rows)
    more = bool(found.rows) and reached < found.total
    return CountPage(
        items=[_view(row) for row in found.rows],
        total=found.total,
        next=cursor_of(reached) if more else None,
    )


def _view(row: dict[str, Any]) -> CountView:
    known = sum(row[name] for name in ("success", "failed", "unknown", "submit_failed"))
    told = row["used"] + row["unused"]
    groups: dict[str, Any] = dict.fromkeys(GROUPS)
    return CountView(
        **groups | row,
        under_way=row["messages"] - known,
        success_rate=share(row["success"], row["messages"]),
        conversion=share(row["used"], row["messages"]) if told else None,
    )


ROUTES = (Route("GET", "/stats", Permission.STATISTICS_READ, show_statistics),)
