"""Customers who keep sending while everything around them breaks, and the proof of what became of it."""

import http.client
import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from carriers.simulator.record import Event
from tests.support.customer import Inbox, RawCustomer, sign
from tests.support.gateway import Account, Site
from tests.support.processes import wait_for

PRICE = 10_000  # micro-units a segment, as the settings of `Site` say
MICRO = 1_000_000
PAUSE = 0.02  # seconds between one customer's answer and its next request
SIZES = (1, 1, 1, 5, 40)  # numbers in a request, drawn at random


@dataclass(slots=True)
class Acknowledged:
    """One submission that was answered with success."""

    session: str
    phones: list[str]


@dataclass(slots=True)
class Traffic:
    """Some customers, each with one request after the other; `with` runs them.

    A request whose answer never came is sent again, byte for byte, until it is answered: that is what
    clients do, and it must not make a second message.
    """

    site: Site
    account: Account
    seed: int
    customers: int = 4
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    repeats: int = 0  # requests sent again because no answer came
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        for number in range(self.customers):
            thread = threading.Thread(target=self._work, args=(number,), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Let every customer get the answer it waits for, then end."""
        self._stop.set()
        for thread in self._threads:
            thread.join(90)
            assert not thread.is_alive(), "a customer still waits for its answer"
        self._threads.clear()

    def messages(self) -> int:
        """Return how many messages were acknowledged so far."""
        with self._lock:
            return sum(len(entry.phones) for entry in self.acknowledged)

    def after_more(self, messages: int, limit: float = 60.0) -> None:
        """Return once that many more messages were acknowledged."""
        goal = self.messages() + messages
        wait_for(f"{messages} more acknowledged messages", lambda: self.messages() >= goal, limit)

    def _work(self, number: int) -> None:
        chance = random.Random(f"{self.seed}/{number}")
        customer = RawCustomer(self.site, self.account)
        serial = 0
        while not self._stop.is_set():
            size = chance.choice(SIZES)
            phones = [f"(60)1{number}{serial + index:07d}" for index in range(size)]
            serial += size
            named = {f"PhoneNumbers__{index}": phone for index, phone in enumerate(phones)}
            parameters = customer.parameters(**named)
            signed = {**parameters, "Signature": sign(parameters, self.account.private_key)}
            self._until_answered(customer, urlencode(signed).encode(), phones)
            self._stop.wait(PAUSE)

    def _until_answered(self, customer: RawCustomer, body: bytes, phones: list[str]) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        while True:
            try:
                _, answer = customer.raw("POST", "/", body, headers)
                break
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                self.repeats += 1
                if self._stop.wait(0.05) and not self.site.gateway.running:
                    return
        with self._lock:
            if answer["RetCode"] == 0:
                self.acknowledged.append(Acknowledged(answer["SessionNo"], phones))
            else:
                self.refused[answer["RetCode"]] += 1


@dataclass(slots=True)
class Proof:
    """What must hold once everything has come to rest, read from the carrier, the inbox and the books."""

    site: Site
    account: Account
    inbox: Inbox
    acknowledged: list[Acknowledged]

    def wait(self, limit: float = 120.0) -> None:
        """Return once every acknowledged message was called back."""
        keys = {(entry.session, phone) for entry in self.acknowledged for phone in entry.phones}
        self.inbox.await_reports(keys, limit)

    def everything_acknowledged_was_submitted(self) -> None:
        """Every acknowledged message is in the carrier's record."""
        submitted = {event["destination"] for event in self.site.submits()}
        missing = [phone for phone in self._destinations() if phone not in submitted]
        assert not missing, f"{len(missing)} acknowledged messages never reached the carrier: {missing[:5]}"

    def _destinations(self) -> list[str]:
        return [phone.replace("(60)", "60") for entry in self.acknowledged for phone in entry.phones]

    def duplicates(self) -> list[Event]:
        """Return the submit_sm of messages the carrier had taken before, in order."""
        seen: set[str] = set()
        again = []
        for event in self.site.submits():
            if event["destination"] in seen:
                again.append(event)
            seen.add(event["destination"])
        return again

    def duplicates_after_each(self, crashes: list[float], window: int) -> None:
        """Between one crash and the next, at most a window of messages went out twice."""
        edges = [*crashes, float("inf")]
        counts = Counter(sum(event["at"] >= edge for edge in edges) for event in self.duplicates())
        assert 0 not in counts, "messages went out twice before anything crashed"
        assert max(counts.values(), default=0) <= window, f"duplicates by crash: {dict(counts)}"

    def each_was_charged_once(self, credit: int) -> None:
        """The books: one price for every message that was submitted, nothing set aside any more."""
        messages = len(self._destinations())

        def settled() -> bool:
            shown = self.site.own_cli("account", "show", self.account.account_id)
            return float(shown["reserved"]) == 0

        wait_for("empty reserve", settled, 30.0)
        shown = self.site.own_cli("account", "show", self.account.account_id)
        charged = round(float(shown["charged"]) * MICRO)
        assert charged == messages * PRICE
        assert round(float(shown["available"]) * MICRO) == credit * MICRO - charged

    def every_receipt_is_final(self) -> None:
        """The receipt query tells an outcome for every acknowledged message."""
        customer = RawCustomer(self.site, self.account)
        sessions = [entry.session for entry in self.acknowledged]
        told: dict[str, set[str]] = {}
        for first in range(0, len(sessions), 100):
            found = customer.receipts(*sessions[first : first + 100])
            told |= {session: set(receipts) for session, receipts in found.items()}
        for entry in self.acknowledged:
            assert told.get(entry.session) == set(entry.phones)

    def nobody_else_was_told(self) -> None:
        """No callback names a submission that was never acknowledged."""
        sessions = {entry.session for entry in self.acknowledged}
        strangers = {session for session, _ in self.inbox.keys()} - sessions  # noqa: SIM118 — a method
        assert not strangers

    def all(self, crashes: list[float], window: int, credit: int) -> None:
        """Everything above."""
        self.wait()
        self.everything_acknowledged_was_submitted()
        self.duplicates_after_each(crashes, window)
        self.each_was_charged_once(credit)
        self.every_receipt_is_final()
        self.nobody_else_was_told()
