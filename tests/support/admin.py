"""The admin listener over a store of its own, and the people who use it, over real sockets."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, CookieJar, web
from argon2 import PasswordHasher

from config.schema import AdminSettings, FileSettings, ReviewSettings
from gateway.admin.call import Services
from gateway.admin.door import mount
from gateway.auth import passwords
from gateway.auth.keys import Keyring
from gateway.auth.links import LinkSigner
from gateway.auth.tokens import digest, new_token
from gateway.domain.operator import Role
from gateway.flow.login import Logins
from gateway.flow.papers import Papers
from gateway.flow.review import Reviews
from gateway.flow.rules import RuleFile
from gateway.metrics import Metrics
from gateway.store import operators, sessions
from gateway.store.engine import Store
from gateway.store.operators import NewPassword
from gateway.store.sessions import NewToken
from gateway.store.vault import Vault
from gateway.web.address import ClientAddress
from gateway.web.health import Health, admin_app
from routing.number import NumberReader
from routing.plan import NumberPlan
from tests.support.flow import SetClock

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
RING = Keyring(b"k" * 32)


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    json: Any
    headers: dict[str, str]
    cookies: dict[str, Any] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """The last part of a problem's type."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self
        return str(self.json["type"]).rpartition(":")[2]


class Person:
    """Somebody with a browser: keeps cookies, and sends the CSRF token as a page would."""

    def __init__(self, base: str, headers: dict[str, str] | None = None) -> None:
        self.base = base
        self.http = ClientSession(base, cookie_jar=CookieJar(unsafe=True), headers=headers)
        self.csrf = ""

    async def ask(self, method: str, path: str, json: Any = None, **options: Any) -> Answer:
        """Make one request below /admin/v1."""
        headers = {"X-CSRF-Token": self.csrf} if self.csrf else {}
        headers |= options.pop("headers", {})
        if json is not None:
            options["json"] = json
        async with self.http.request(method, f"/admin/v1{path}", headers=headers, **options) as response:
            text = await response.text()
            document = await response.json(content_type=None) if text else None
            return Answer(response.status, document, dict(response.headers), dict(response.cookies))

    async def get(self, path: str, **options: Any) -> Answer:
        """Read."""
        return await self.ask("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        """Change."""
        return await self.ask("POST", path, {} if json is None else json, **options)

    async def login(self, name: str, password: str = PASSWORD, **options: Any) -> Answer:
        """Log in and keep what a page keeps."""
        answer = await self.post("/login", {"name": name, "password": password}, **options)
        if answer.status == 200:
            self.csrf = answer.json["csrf_token"]
        return answer


class Installation:
    """The admin listener; whoever visits it gets a client of their own."""

    def __init__(self, store: Store, settings: AdminSettings, proxies: tuple[str, ...] = ()) -> None:
        self.store = store
        self.clock = SetClock()
        self.metrics = Metrics("9.9.9")
        self.logins = Logins(store, settings, self.clock, self.metrics.admin)
        self.status: dict[str, Any] = {
            "version": "9.9.9", "ready": True, "reasons": [], "in_doubt": 0, "pending_rows": 0, "queues": [],
        }  # fmt: skip
        self.channels: dict[str, dict[str, Any]] = {}
        self.taken_over = 0  # how often what was changed was brought into the memory of who sends
        self._directory = tempfile.TemporaryDirectory()
        files = FileSettings(directory=self._directory.name)
        self.vault = Vault(Path(self._directory.name))
        rules = RuleFile(ReviewSettings())
        reviews = Reviews(store, rules, self.clock, self.metrics.review, self._take_over)
        self.services = Services(
            reviews=reviews,
            papers=Papers(store, files, LinkSigner(b"key"), self.clock),
            numbers=NumberReader(NumberPlan(), "CN"),
            store=store,
            keyring=RING,
            clock=self.clock,
            logins=self.logins,
            metrics=self.metrics.admin,
            client=ClientAddress(proxies),
            currency="CNY",
            token_max_days=settings.token_max_days,
            status=lambda: self.status,
            channels=lambda: self.channels,
            take_over=self._take_over,
        )
        health = Health("9.9.9", self.metrics.render, lambda: [], lambda: self.channels, dict)
        self.app = admin_app(health)
        mount(self.app, self.services)
        self.base = ""
        self._people: list[Person] = []

    async def _take_over(self) -> None:
        self.taken_over += 1

    def close(self) -> None:
        """Let go of threads and files."""
        self.services.reviews.close()
        self.services.papers.close()
        self._directory.cleanup()

    def operator(self, name: str, role: Role = Role.VIEWER, password: str = PASSWORD) -> str:
        """Make an operator who has chosen a password."""
        stored = NewPassword(CHEAP.hash(password.encode()))
        now = self.clock.now_ms()
        self.store.transaction(lambda c: operators.add(c, name, role, stored, now, created_by="test"))
        return name

    def token(self, operator: str, role: Role, seconds: int = 3_600) -> str:
        """Make an API token and return it."""
        secret, now = new_token(), self.clock.now_ms()
        new = NewToken(
            token_hash=digest(secret),
            operator=operator,
            label="test",
            role=role,
            expires_at=now + seconds * 1000,
        )
        self.store.transaction(lambda c: sessions.add_token(c, new, now))
        return secret

    def person(self, token: str = "", **headers: str) -> Person:
        """Return a client with cookies of its own, or with a token."""
        person = Person(self.base, {"Authorization": f"Bearer {token}", **headers} if token else headers)
        self._people.append(person)
        return person

    async def logged_in(self, name: str, role: Role = Role.VIEWER) -> Person:
        """Make an operator and log in."""
        self.operator(name, role)
        person = self.person()
        assert (await person.login(name)).status == 200
        return person

    def metric(self, name: str, **labels: str) -> float:
        """Return a counter's value."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    async def aclose(self) -> None:
        """Send everybody home."""
        for person in self._people:
            await person.http.close()
        self.logins.close()


@asynccontextmanager
async def installed(
    store: Store, settings: AdminSettings | None = None, proxies: tuple[str, ...] = ()
) -> AsyncIterator[Installation]:
    """Serve the admin API over `store`, password hashing made cheap by the caller's `cheap_passwords`."""
    made = Installation(store, settings or AdminSettings(), proxies)
    runner = web.AppRunner(made.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.base = f"http://{host}:{port}"
    try:
        yield made
    finally:
        await made.aclose()
        await runner.cleanup()
        made.close()


def cheaper(monkeypatch: Any) -> None:
    """Make hashing cost next to nothing: what it costs is the business of its own tests."""
    monkeypatch.setattr(passwords, "_HASHER", CHEAP)
