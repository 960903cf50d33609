"""Statistics, reports to pull and what customers tell of use, as they are tried."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from gateway.domain.operator import SYSTEM
from gateway.domain.statistics import COUNTERS
from gateway.store import recount, standing, tables_stats
from gateway.store.audit import By
from tests.actions.declared import Declared, Probe, Try
from tests.actions.sending import NOBODYS_SESSION, NOBODYS_TEMPLATE
from tests.actions.world import Customer, Parameters, World

PHONE = "(60)123456789"  # what the world's first message went to
DAY = "2026-01-15"
DAY_MS = int(datetime.fromisoformat(f"{DAY}T12:00+00:00").timestamp() * 1000)


def history(connection: Connection, customer: Customer, now_ms: int) -> Mapping[str, str]:
    """Give the account a day in the past, reports it may pull, and a template to ask for."""
    counts = {name: 0 for name in COUNTERS} | {
        "messages": 8,
        "segments": 16,
        "success": 5,
        "success_segments": 10,
    }
    row = {
        "account_id": customer.account_id,
        "project_id": customer.project_id,
        "day": DAY,
        "country": "MY",
        "purpose": 2,
        "template_id": customer.things["template"],
    }
    connection.execute(insert(tables_stats.statistics).values(row | counts))
    recount.purged(connection, [DAY_MS])  # its messages are deleted long since
    standing.set_pull_reports(connection, customer.account_id, True, By(actor=SYSTEM, now_ms=now_ms))
    return {}


MAKERS = (history,)


def _asked(**changes: Any) -> Callable[[World], Parameters]:
    """Ask for the counters; a None takes a parameter away."""
    whole = {
        "Page": 0,
        "NumPerPage": 10,
        "OrderBy": "SendDate",
        "OrderType": "asc",
        "StartDate": DAY,
        "EndDate": DAY,
        "Domestic": 0,
        **changes,
    }
    return lambda _: {name: value for name, value in whole.items() if value is not None}


def _badly(call: Callable[[World], Parameters]) -> Callable[[World], Try]:
    return lambda world: Try(call(world), typed=False)


_ASKED = ("Page", "NumPerPage", "OrderBy", "OrderType", "StartDate", "EndDate", "Domestic", "BrevityCode")

SEND_STATISTICS = Declared(
    good=_asked(),
    refused={
        18001: _badly(_asked(StartDate=None)),
        18002: _asked(EndDate="15.01.2026"),
        18003: _asked(StartDate="2026-01-16"),
    },
    plain=(*_ASKED, "Purpose"),
)
TEMPLATE_STATISTICS = Declared(
    good=_asked(),
    refused={
        18001: _badly(_asked(Domestic=None)),
        18002: _asked(BrevityCode="CN,ID"),
        18003: _asked(OrderBy="Count"),
    },
    probes=(Probe(parameter="TemplateId", thing="template", unknown=NOBODYS_TEMPLATE),),
    plain=_ASKED,
)
PULL = Declared(
    good=lambda _: {},
    refused={
        18002: lambda _: {"Limit": "ten"},
        18003: lambda _: {"Limit": 201},
    },
    plain=("Limit", "ReqUuid"),
)


def _used(world: World, **changes: Any) -> Parameters:
    return {"SessionNoSet": [world.one.things["session"]], "CustomerStatus": "0", **changes}


STATUS = Declared(
    good=_used,
    refused={
        18001: lambda world: _used(world, CustomerStatus=""),
        18002: lambda world: _used(world, CustomerStatus="used"),
        18003: lambda world: _used(
            world, SessionNoSet=[NOBODYS_SESSION[:-3] + f"{n:03d}" for n in range(101)]
        ),
        18014: lambda world: _used(world, PhoneNumbers=[PHONE, "(60)1"]),
        18019: lambda world: _used(world, PhoneNumbers=[f"(60)12{n:07d}" for n in range(1001)]),
    },
    probes=(Probe(parameter="SessionNoSet", thing="session", unknown=NOBODYS_SESSION),),
    plain=("PhoneNumbers", "CustomerStatus"),
)


def _filled_in(world: World, **changes: Any) -> Parameters:
    return {"SendNo": world.one.things["session"], "Target": PHONE, "BackfillTime": 1_790_000_000, **changes}


BACKFILL = Declared(
    good=_filled_in,
    refused={
        18001: lambda world: _filled_in(world, Target=""),
        18002: lambda world: Try(_filled_in(world, BackfillTime="noon"), typed=False),
        18003: lambda world: _filled_in(world, SendNo=NOBODYS_SESSION),
        18014: lambda world: _filled_in(world, Target="(60)1"),
    },
    probes=(Probe(parameter="SendNo", thing="session", unknown=NOBODYS_SESSION),),
    plain=("Target", "BackfillTime", "Content", "SendTime"),
)

DECLARED = {
    "GetUSMSSendStatistics": SEND_STATISTICS,
    "GetUSMSTemplateSendStatistics": TEMPLATE_STATISTICS,
    "PullUSMSReport": PULL,
    "upUSMSCustomerStatus": STATUS,
    "AddBackfill": BACKFILL,
}
