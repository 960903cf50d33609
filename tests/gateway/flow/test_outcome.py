"""Money and reports follow from moves."""

from typing import Any

import orjson
import pytest

from config.schema import Settings
from gateway.clock import SystemClock
from gateway.domain.account import Account, Directory
from gateway.domain.message import Message, Reason, State
from gateway.flow.context import Context
from gateway.flow.funds import Funds
from gateway.flow.outcome import Outcomes
from gateway.flow.unit import Unit
from gateway.ids import IdSource
from gateway.live import Live
from gateway.metrics import Metrics
from gateway.store.changes import LEDGER, Row
from tests.support.messages import NOON_MS, message


class Reports:
    def __init__(self) -> None:
        self.offered: list[Row] = []

    def offer(self, rows: Any) -> None:
        self.offered += rows


class Desk:
    """Outcomes with an account that has 0 to spend and, unless told, a callback URL."""

    def __init__(self, url: str | None = "http://customer.example/", language: str | None = None) -> None:
        self.funds = Funds({}, 0)
        self.reports = Reports()
        account = Account("acc-one", "One", True, url, language, {})
        unused: Any = None
        context = Context(
            Settings(), {}, unused, unused, unused, self.funds, IdSource(), SystemClock(), Metrics("test")
        )
        self.outcomes = Outcomes(context, Live(Directory.of([account], [])), self.reports)


def sent(**changes: Any) -> Message:
    return message(state=State.SENDING, reason=Reason.CLAIMED_AT_ACCEPT, **changes)


def posted(unit: Unit) -> list[dict[str, Any]]:
    return [dict(zip(LEDGER, row, strict=True)) for row in unit.ledger]


def test_a_submitted_message_is_captured_whole() -> None:
    desk, unit, one = Desk(), Unit(), sent(sent_segments=1)
    desk.outcomes.submitted(one, unit, NOON_MS)
    (row,) = posted(unit)
    assert (row["kind"], row["amount"], row["reserved"], row["message_id"]) == ("capture", 0, -50_000, one.id)
    assert (one.charged, one.submitted_at) == (50_000, NOON_MS)


@pytest.mark.parametrize(("taken", "charge"), [(1, 33_333), (2, 66_666), (3, 100_000)])
def test_what_the_carrier_did_not_take_goes_back(taken: int, charge: int) -> None:
    desk, unit, one = Desk(), Unit(), sent(segments=3, price=100_000, sent_segments=taken)
    desk.outcomes.submitted(one, unit, NOON_MS)
    (row,) = posted(unit)
    assert (row["amount"], row["reserved"]) == (100_000 - charge, -100_000)
    assert (one.charged, desk.funds.available("acc-one")) == (charge, 100_000 - charge)


def test_a_message_that_was_never_taken_is_released() -> None:
    desk, unit, one = Desk(), Unit(), sent()
    desk.outcomes.finish(one, State.FAILED, Reason.REFUSED_BY_CARRIER, unit, NOON_MS)
    (row,) = posted(unit)
    assert (row["kind"], row["amount"], row["reserved"]) == ("release", 50_000, -50_000)
    assert desk.funds.available("acc-one") == 50_000
    assert one.final_at == NOON_MS


def test_a_message_that_was_submitted_is_not_paid_back_whatever_its_receipt() -> None:
    desk, unit, one = Desk(), Unit(), sent(sent_segments=1)
    desk.outcomes.submitted(one, unit, NOON_MS)
    one.move(State.SUBMITTED, Reason.SUBMITTED)
    desk.outcomes.finish(one, State.UNDELIVERED, Reason.RECEIPT, unit, NOON_MS)
    assert [row["kind"] for row in posted(unit)] == ["capture"]


def test_a_report_waits_for_the_commit_that_it_reports() -> None:
    desk, unit, one = Desk(language="zh"), Unit(), sent()
    desk.outcomes.finish(one, State.FAILED, Reason.NO_ROUTE, unit, NOON_MS)
    assert desk.reports.offered == []
    desk.outcomes.committed(unit)
    (row,) = desk.reports.offered
    assert row[:3] == (one.id, "acc-one", one.id)
    assert orjson.loads(row[3])["ReceiptResult"] == "发送失败"


def test_an_account_without_callback_gets_no_report() -> None:
    desk, unit = Desk(url=None), Unit()
    desk.outcomes.finish(sent(), State.FAILED, Reason.NO_ROUTE, unit, NOON_MS)
    assert unit.outbox == []


@pytest.mark.parametrize("taken", [0, 1])
def test_what_was_not_committed_gave_nothing_back(taken: int) -> None:
    desk, unit, one = Desk(), Unit(), sent(segments=2, price=100_000, sent_segments=taken)
    desk.outcomes.finish(one, State.UNDELIVERED, Reason.PARTLY_SUBMITTED, unit, NOON_MS)
    assert desk.funds.available("acc-one") > 0
    unit.failed()
    assert desk.funds.available("acc-one") == 0
