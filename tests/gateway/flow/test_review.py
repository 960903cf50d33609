"""The review at work: what is handed in is checked soon, a decision holds from the next request on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.schema import ReviewSettings
from gateway.auth.keys import Keyring
from gateway.domain.message import Purpose
from gateway.domain.operator import SYSTEM
from gateway.domain.review import Move, Review
from gateway.errors import StoreUnavailable
from gateway.flow.review import Reviews
from gateway.flow.rules import RuleFile
from gateway.metrics import Metrics
from gateway.store import accounts, applications
from gateway.store.applications import Owner, TemplateForm
from gateway.store.audit import By
from gateway.store.engine import Store
from tests.support.database import prepared_store
from tests.support.scloud import FakeClock

NOW = 1_790_000_000_000
BY = By(SYSTEM, NOW, "because")
RULES = RuleFile(ReviewSettings())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = prepared_store(tmp_path)
    yield made
    made.close()


@pytest.fixture
def owner(store: Store) -> Owner:
    made = store.transaction(lambda c: accounts.create_account(c, Keyring(b"k" * 32), "Acme", NOW))
    return Owner(made.account_id, made.project_id)


class Office:
    """The review, and how often it had memory taken over."""

    def __init__(self, store: Store) -> None:
        self.taken_over = 0
        self.metrics = Metrics()
        self.reviews = Reviews(store, RULES, FakeClock(), self.metrics.review, self.take_over)

    async def take_over(self) -> None:
        self.taken_over += 1

    async def hand_in(self, owner: Owner, text: str = "Order {1} has left.") -> str:
        form = TemplateForm(purpose=Purpose.NOTIFICATION, text=text)
        return await self.reviews.change(lambda c: applications.create_template(c, owner, form, BY))

    async def status(self, owner: Owner, item_id: str) -> Review:
        row = await self.reviews.ask(lambda c: applications.find_template(c, owner, item_id))
        return Review(row.status)


@pytest.fixture
def office(store: Store) -> Iterator[Office]:
    made = Office(store)
    yield made
    made.reviews.close()


async def test_everything_that_waits_is_checked_in_one_look(office: Office, owner: Owner) -> None:
    good = [await office.hand_in(owner, f"Order {{1}} number {n}.") for n in range(25)]
    bad = await office.hand_in(owner, "Play at our casino {1}")
    await office.reviews.look()
    assert {await office.status(owner, one) for one in good} == {Review.IN_REVIEW}
    assert await office.status(owner, bad) is Review.REJECTED
    page = office.metrics.render().decode()
    assert 'scloud_review_waiting{kind="template"} 25.0' in page
    assert 'scloud_review_moves_total{by="check",kind="template",move="rejected"} 1.0' in page


async def test_what_is_handed_in_wakes_the_checks(office: Office, owner: Owner) -> None:
    running = asyncio.get_running_loop().create_task(office.reviews.run())
    made = await office.hand_in(owner)
    async with asyncio.timeout(30):
        while await office.status(owner, made) is Review.PENDING:
            continue
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await office.status(owner, made) is Review.IN_REVIEW


async def test_a_store_that_is_away_does_not_end_the_checks(
    office: Office, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await office.hand_in(owner)
    failed = asyncio.Event()
    look = office.reviews.look

    async def away() -> None:
        monkeypatch.setattr(office.reviews, "look", look)
        failed.set()
        office.reviews._handed_in.set()
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(office.reviews, "look", away)
    running = asyncio.get_running_loop().create_task(office.reviews.run())
    async with asyncio.timeout(30):
        await failed.wait()
        while await office.status(owner, made) is Review.PENDING:
            continue
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_a_customer_changes_is_in_memory_when_it_returns(office: Office, owner: Owner) -> None:
    made = await office.hand_in(owner)
    seen = office.taken_over
    changes = {"text": "Order {1} is ready."}
    await office.reviews.change(lambda c: applications.update_template(c, owner, made, changes, BY))
    assert office.taken_over == seen + 1


async def test_a_decision_is_counted(store: Store, office: Office, owner: Owner) -> None:
    made = await office.hand_in(owner)
    decided = store.transaction(office.reviews.decision(made, Move.APPROVE, BY, 1))
    office.reviews.count(decided)
    assert decided.after is Review.APPROVED
    assert 'by="reviewer",kind="template",move="approved"' in office.metrics.render().decode()
