"""Somebody pulls the plug under load: counters stay exact, and no report that waits to be pulled is lost."""

import random
import time
import uuid
from collections import Counter
from typing import Any

import pytest

from tests.support.customer import Inbox, RawCustomer
from tests.support.gateway import Site
from tests.support.processes import wait_for
from tests.support.traffic import Traffic

pytestmark = pytest.mark.slow

KILLS = 5
SEED = 20_261_124


def test_counters_and_pulled_reports_survive_kill_9(site: Site, inbox: Inbox) -> None:
    site.settings["api"] = {"time_zone": "America/New_York"}
    site.write_config()
    account = site.customer(callback=inbox.url)
    site.own_cli("account", "pull-reports", account.account_id, "on")
    site.start_simulator("--receipts", "delivered=0.8,undelivered", "--receipt-delay", "0-0.3", "--seed", "7")
    site.start_gateway()
    customer, pulls = RawCustomer(site, account), Pulls()
    chance = random.Random(SEED)
    with Traffic(site, account, SEED) as traffic:
        for _ in range(KILLS):
            traffic.after_more(20)
            asked = wait_for("something to pull", lambda: pulls.ask(customer))
            time.sleep(chance.uniform(0.0, 0.3))  # the moment is what is random here
            site.gateway.kill()
            assert site.own_cli("stats", "recount", "--check")["wrong"] == 0
            site.start_gateway(bound=False)
            again = customer.call("PullUSMSReport", **asked)
            assert again["ReportSet"] == pulls.last, "the same request after the crash: the same reports"
        traffic.after_more(50)
    keys = {(entry.session, phone) for entry in traffic.acknowledged for phone in entry.phones}
    inbox.await_reports(keys)

    def drained() -> bool:
        pulls.ask(customer)
        return set(pulls.reports) >= keys

    wait_for("every report pulled", drained)
    assert set(pulls.reports.values()) == {1}
    assert set(pulls.reports) == keys
    found = site.own_cli("stats", "recount", "--check")
    assert (found["wrong"], found["messages"]) == (0, len(keys))
    [shown] = site.cli("stats", "show")
    assert (shown["sent"], shown["success"] + shown["failed"]) == (len(keys), len(keys))


class Pulls:
    """What was pulled so far, and how often each."""

    def __init__(self) -> None:
        self.reports: Counter[tuple[str, str]] = Counter()
        self.last: list[dict[str, Any]] = []

    def ask(self, customer: RawCustomer) -> dict[str, Any] | None:
        """Pull once, by a request that may be repeated; return its parameters, None if nothing came."""
        parameters = {"Limit": 50, "ReqUuid": str(uuid.uuid4())}
        answer = customer.call("PullUSMSReport", **parameters)
        assert answer["RetCode"] == 0, answer
        self.last = answer["ReportSet"]
        self.reports.update((report["SessionNo"], report["Phone"]) for report in self.last)
        return parameters if self.last else None
