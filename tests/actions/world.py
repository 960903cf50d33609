"""A running gateway with everything real (store, journal, sockets, simulated carrier) and its customers.

It lives in a thread of its own, so tests are plain calls, by the published client too.
"""

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvloop
from sqlalchemy import Connection, func, select
from ucloud.client import Client

from carriers.simulator.options import SimulatorOptions
from carriers.simulator.server import Simulator
from config.schema import (
    ApiSettings,
    CallbackSettings,
    CarrierConfig,
    ChannelConfig,
    FileSettings,
    HttpSettings,
    Network,
    PriceSettings,
    RiskRule,
    RiskSettings,
    RouteConfig,
    SecuritySettings,
    Settings,
    StoreSettings,
    TimerConfig,
)
from gateway.app import Gateway
from gateway.clock import SystemClock
from gateway.domain.message import Purpose, State
from gateway.domain.operator import SYSTEM
from gateway.domain.risk import RATES
from gateway.flow.context import Context
from gateway.metrics import Metrics
from gateway.store import accounts, keys, ledger, reviews, tables
from gateway.store.audit import By
from gateway.store.engine import open_store
from gateway.store.journal import Journal
from gateway.store.keyring import open_keyring
from gateway.tasks import Tasks
from tests.support.database import prepared_store
from tests.support.processes import free_port, get_json, wait_for
from tests.support.review import approved_signature, approved_template, pending_template
from tests.support.scloud import encoded, signed

Parameters = dict[str, Any]
NOW = 1_790_000_000_000
CREDIT = 1_000_000_000  # micro-units
# rows of the gateway's own housekeeping, which go on whatever a customer does
LIVELY = {"revisions", "marks", "key_uses", "risk_counts", "risk_samples"}
# the same handsets get the same texts again and again here, at any time of the day
UNLIMITED = {rule.value: "off" for rule in (*RATES, RiskRule.HOURS)}
BLOCKED_WORD = "casino"


@dataclass(slots=True)
class Customer:
    """An account with one of everything it can have; `things`: what each is called → its id."""

    account_id: str
    project_id: str
    public_key: str
    private_key: str
    things: dict[str, str] = field(default_factory=dict)


# given a fresh account, makes things of it and returns their ids; the areas of the API bring theirs
Maker = Callable[[Connection, Customer, int], Mapping[str, str]]


def content(connection: Connection, customer: Customer, now_ms: int) -> Mapping[str, str]:
    """Make what sending needs: a signature and two templates, approved, and a template that is not."""
    account = customer.account_id

    text = f"Acme {account[-4:]}"
    return {
        "signature": approved_signature(connection, account, text, now_ms),
        "signature_text": text,
        "template": approved_template(
            connection, account, Purpose.NOTIFICATION, "Order {1} has left.", now_ms
        ),
        "code_template": approved_template(
            connection, account, Purpose.VERIFICATION, "Your code is {1}.", now_ms
        ),
        "pending_template": pending_template(
            connection, account, Purpose.NOTIFICATION, "Not reviewed {1}.", now_ms
        ),
    }


class World:
    """`with World(...) as world`: the gateway serves and its customers have what the makers gave them.

    `one` and `other` have the same things; `poor` has them too and no credit.
    """

    def __init__(
        self, directory: Path, makers: Sequence[Maker] = (), *, carrier: bool = True, **api: Any
    ) -> None:
        """Without `carrier` nobody answers at the other end: what is accepted stays as it is."""
        self._directory = directory
        self._carrier = carrier
        self._port, self._admin = free_port(), free_port()
        self.settings = Settings(
            http=HttpSettings(public=f"127.0.0.1:{self._port}", admin=f"127.0.0.1:{self._admin}"),
            store=StoreSettings(url=f"sqlite:///{directory / 'gateway.db'}"),
            security=SecuritySettings(master_key_file=str(directory / "master.key")),
            files=FileSettings(directory=str(directory / "files")),
            price=(PriceSettings(amount="0.01"),),
            callbacks=CallbackSettings(allow_private=True),
            api=ApiSettings(**api),
            risk=RiskSettings(modes=UNLIMITED, words=str(directory / "words.txt")),
        )
        (directory / "words.txt").write_text(BLOCKED_WORD)
        self.store = prepared_store(directory)
        self._keyring = open_keyring(self.store, directory / "master.key")
        self._calls = 0
        self.one = self.customer("One", makers)
        self.other = self.customer("Other", makers)
        self.poor = self.customer("Poor", makers, credit=0)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._ready: Future[Callable[[], None]] = Future()

    def customer(self, name: str, makers: Sequence[Maker], credit: int = CREDIT) -> Customer:
        """Make an account with the things of `makers`."""

        def make(connection: Connection) -> Customer:
            new = accounts.create_account(connection, self._keyring, name, NOW)
            made = Customer(new.account_id, new.project_id, new.public_key, new.private_key)
            if credit:
                ledger.credit(connection, made.account_id, credit, NOW, "opening")
            for maker in (content, *makers):
                made.things |= maker(connection, made, NOW)
            return made

        return self.store.transaction(make)

    def new_key(self, customer: Customer) -> Customer:
        """Give the account another key pair, known to the gateway within a second; return it so equipped."""
        by = By(actor=SYSTEM, now_ms=NOW)
        made = self.store.transaction(
            lambda c: keys.create_key(c, self._keyring, customer.account_id, "", by)
        )
        return replace(customer, public_key=made.public_key, private_key=made.private_key)

    # -- running

    def __enter__(self) -> Self:
        self._thread.start()
        self._stop = self._ready.result(30)
        wait_for("ready gateway", lambda: get_json(f"http://127.0.0.1:{self._admin}/readyz")[0] == 200)
        for customer in (self.one, self.other):
            answer = self.call(customer, "SendUSMSMessage", self.message(customer))
            customer.things["session"] = answer["SessionNo"]
        self.settled()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._thread.join(30)
        self.store.close()
        assert not self._thread.is_alive()

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        async with Simulator(SimulatorOptions(port=0, receipt_delay="0")) as simulator:
            channel = ChannelConfig(
                id="sim",
                host="127.0.0.1",
                port=simulator.port if self._carrier else free_port(),
                system_id="gateway",
                timers=TimerConfig(backoff_base=3600.0, backoff_cap=3600.0),
            )
            network = Network(
                carrier=(CarrierConfig(id="carrier", channel=(channel,)),),
                route=(RouteConfig(id="all", channels=("sim",)),),
            )
            store = open_store(self.settings.store.url)
            journal = Journal(store)
            async with Tasks() as tasks:
                tasks.job("journal", journal.run())
                try:
                    await journal.started()
                    context = await Context.load(
                        self.settings, network, store, journal, SystemClock(), Metrics("test")
                    )
                    gateway = await Gateway.build(context)
                    stop, loop = asyncio.Event(), asyncio.get_running_loop()
                    self._ready.set_result(lambda: loop.call_soon_threadsafe(stop.set))
                    await gateway.run(stop)
                finally:
                    await journal.close()
            store.close()

    # -- what customers do

    @property
    def url(self) -> str:
        """Where customers call."""
        return f"http://127.0.0.1:{self._port}"

    def fresh(self) -> str:
        """Return a text nobody has used: what makes a call different from every other."""
        self._calls += 1
        return f"call-{self._calls}"

    def message(self, customer: Customer, **changes: Any) -> Parameters:
        """Return parameters of SendUSMSMessage that are accepted; a None takes one away."""
        whole = {
            "PhoneNumbers": ["(60)123456789"],
            "TemplateId": customer.things["template"],
            "TemplateParams": ["42"],
            "SigContent": customer.things["signature_text"],
            "UserId": self.fresh(),
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def call(
        self, customer: Customer, action: str, parameters: Mapping[str, Any], encoding: str = "form"
    ) -> dict[str, Any]:
        """Return the answer to `action`, signed by `customer`."""
        whole = {"Action": action, "ProjectId": customer.project_id, **parameters}
        keys = {"public": customer.public_key, "private": customer.private_key}
        method, query, body, kind = encoded(signed(whole, encoding, **keys), encoding)
        status, answer = self.raw(method, "/" + query, body, {"Content-Type": kind} if kind else {})
        assert status == 200, answer
        return answer

    def raw(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """Send bytes; return HTTP status and the JSON answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def client(self, customer: Customer) -> Client:
        """Return the published client with the keys of `customer`."""
        return Client(
            {
                "base_url": self.url,
                "public_key": customer.public_key,
                "private_key": customer.private_key,
                "project_id": customer.project_id,
                "timeout": 30,
                "max_retries": 0,
            }
        )

    # -- what is stored

    def settled(self) -> None:
        """Return once nothing that was accepted is on its way any more."""
        messages, outbox = tables.messages.c, tables.outbox.c

        def at_rest(connection: Connection) -> bool:
            if reviews.to_check(connection):
                return False
            open_ = select(messages.id).where(messages.state < int(State.DELIVERED))
            told = select(outbox.id).where(outbox.done_at.is_(None))
            return not self._carrier or (
                connection.execute(open_.limit(1)).first() is None
                and connection.execute(told.limit(1)).first() is None
            )

        wait_for("outcome of every message", lambda: self.store.read_now(at_rest))

    def rows(self, besides: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table whose name is not in `besides` and that only customers change."""
        left_out = LIVELY | set(besides)
        wait_for("automatic checks", lambda: not self.store.read_now(reviews.to_check))

        def query(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
            return {
                table.name: [
                    tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
                ]
                for table in tables.metadata.sorted_tables
                if table.name not in left_out
            }

        return self.store.read_now(query)

    def check_whole(self) -> None:
        """Check that nothing is stored by half: messages with their submission, money with its ledger."""
        submissions, messages = tables.submissions.c, tables.messages.c
        balances, entries = tables.balances.c, tables.ledger.c

        def query(connection: Connection) -> None:
            counted = dict(
                connection.execute(
                    select(messages.submission_id, func.count()).group_by(messages.submission_id)
                ).all()
            )
            wanted = connection.execute(select(submissions.id, submissions.messages)).all()
            assert counted == dict(wanted)
            posted = select(
                entries.account_id, func.sum(entries.amount), func.sum(entries.reserved)
            ).group_by(entries.account_id)
            kept = select(balances.account_id, balances.available, balances.reserved)
            moved = {row[0]: tuple(row[1:]) for row in connection.execute(posted)}
            for account, *money in connection.execute(kept):
                assert tuple(money) == moved.get(account, (0, 0)), account

        self.store.read_now(query)
