"""GetUSMSSendStatistics and GetUSMSTemplateSendStatistics: the counters by day, up to yesterday."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from gateway.api.scloud.call import Call, done
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.schema import Schema
from gateway.api.scloud.values import day, whole, word
from gateway.domain.statistics import share
from gateway.flow.replay import Answer
from gateway.store.statistics import Wanted

MOST_ROWS = 1_000  # of one page
MOST_PAGES = 1_000_000

_REQUIRED = ("Page", "NumPerPage", "OrderBy", "OrderType", "StartDate", "EndDate", "Domestic")
SEND_STATISTICS = Schema(texts=(*_REQUIRED, "BrevityCode", "Purpose"), required=_REQUIRED)
TEMPLATE_STATISTICS = Schema(texts=(*_REQUIRED, "BrevityCode", "TemplateId"), required=_REQUIRED)

_COUNTRIES = re.compile(r"[A-Za-z0-9]{2,3}(-[A-Za-z0-9]{2,3}){0,299}", re.ASCII)
_ORDERS = {"SendDate": ("day", "country"), "BrevityCode": ("country", "day")}
# the published names of the same counters: in the sums, and in the rows
_SUMS = {
    "messages": "Send",
    "success": "Success",
    "failed": "Fail",
    "unknown": "Unknown",
    "submit_failed": "SubmitFail",
}
_ROWS = _SUMS | {"messages": "", "failed": "Failed", "submit_failed": "SubmitFailed"}


async def send_statistics(call: Call) -> Answer:
    """Answer with a row for each day and country."""
    wanted = _wanted(call)
    if call.bound.texts["Purpose"]:
        wanted = replace(wanted, purpose=whole("Purpose", call.bound.texts["Purpose"], 1, 3))

    def row(counts: Mapping[str, Any]) -> dict[str, Any]:
        return {"SuccessRate": share(counts["success"], counts["messages"]), "UserId": call.account.id}

    return await _answer(call, wanted, (), row)


async def template_statistics(call: Call) -> Answer:
    """Answer with a row for each day, country and template."""
    wanted = replace(_wanted(call), template_id=call.bound.texts["TemplateId"] or None)
    return await _answer(call, wanted, ("template_id",), lambda counts: {"TemplateId": counts["template_id"]})


async def _answer(call: Call, wanted: Wanted, by: tuple[str, ...], more: Any) -> Answer:
    texts = call.bound.texts
    number, size = (
        whole("Page", texts["Page"], 0, MOST_PAGES),
        whole("NumPerPage", texts["NumPerPage"], 1, MOST_ROWS),
    )
    order = _ORDERS[word("OrderBy", texts["OrderBy"], _ORDERS)]
    descending = word("OrderType", texts["OrderType"], ("asc", "desc")) == "desc"
    found = await call.services.records.statistics(
        wanted, (*order, *by), descending=descending, offset=number * size, limit=size
    )
    data = [
        {"SendDate": counts["day"], "BrevityCode": counts["country"], **_named(counts, _ROWS), **more(counts)}
        for counts in found.rows
    ]
    return done(call, "", Total=found.total, StatisticsData=_named(found.sums, _SUMS), Data=data)


def _wanted(call: Call) -> Wanted:
    """Return what is asked for: this project's, of whole days, which today is not yet."""
    texts, settings = call.bound.texts, call.services.settings
    first, last = day("StartDate", texts["StartDate"]), day("EndDate", texts["EndDate"])
    if first > last:
        raise Refusal(RetCode.PARAMETER_INVALID, "StartDate is after EndDate")
    domestic = whole("Domestic", texts["Domestic"], 0, 1) == 1
    if texts["BrevityCode"] and _COUNTRIES.fullmatch(texts["BrevityCode"]) is None:
        raise Refusal(RetCode.PARAMETER_FORMAT, "BrevityCode is a country such as CN, or several: CN-ID")
    yesterday = date.fromisoformat(call.services.records.today()) - timedelta(days=1)
    return Wanted(
        first=first.isoformat(),
        last=min(last, yesterday).isoformat(),
        account_id=call.account.id,
        project_id=call.project.id,
        home=settings.default_country,
        domestic=domestic,
        countries=[code for code in texts["BrevityCode"].upper().split("-") if code],
    )


def _named(counts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    """Return messages and segments by their published names.

    What has no outcome yet is unknown to the customer, like what never got one: so the parts make the whole.
    """
    whole_ = dict(counts)
    for pair in ("", "_segments"):
        known = sum(counts[f"{name}{pair}"] for name in ("success", "failed", "submit_failed"))
        whole_[f"unknown{pair}"] = counts[pair.removeprefix("_") or "messages"] - known
    found: dict[str, int] = {}
    for name, published in names.items():
        segments = "segments" if name == "messages" else f"{name}_segments"
        found[f"{published}Count"], found[f"{published}CostCount"] = whole_[name], whole_[segments]
    return found
