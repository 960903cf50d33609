"""A customer and the door it knocks at: a directory, a recording accept, requests in four encodings."""

import base64
import contextlib
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import quote, urlencode

import orjson
from aiohttp import ClientSession
from yarl import URL

from config.schema import ApiSettings, HttpSettings, RiskMode, RiskRule, RiskSettings
from gateway.api.scloud.app import listen
from gateway.api.scloud.call import Services
from gateway.auth.scloud import scalar_text, sign
from gateway.domain.account import Account, ApiKey, Directory, Project
from gateway.domain.lists import Listing, NumberLists
from gateway.domain.message import Message, Purpose
from gateway.domain.review import Review
from gateway.domain.risk import Policies, Policy
from gateway.domain.template import SmsSignature, Template
from gateway.domain.words import Word, WordList
from gateway.flow.accept import Accepted, Request
from gateway.flow.replay import ReplayWindow
from gateway.flow.texts import TextGuard
from gateway.ids import session_no
from gateway.live import Live
from gateway.metrics import Metrics
from routing.number import NumberReader
from routing.plan import NumberPlan

PUBLIC = "ucloudsomeone@example.com1296235120854146120"
PRIVATE = "46f09bb9fab4f12dfc160dae12273d5332b5debe"
PROJECT = "org-demo01"
NOTICE, CODE, PLAIN = "UTN250101AAAAAA", "UTA250101BBBBBB", "UTB250101CCCCCC"
PLAN = NumberPlan()

TEMPLATES = (
    Template(NOTICE, Purpose.NOTIFICATION, "notice", "Order {1} ships in {2}.", Review.APPROVED),
    Template(CODE, Purpose.VERIFICATION, "code", "Your verification code is {1}.", Review.APPROVED),
    Template(PLAIN, Purpose.PROMOTION, "sale", "Sale today. Reply R to refuse", Review.APPROVED),
    Template("UTN-PENDING", Purpose.NOTIFICATION, "new", "Not yet", Review.PENDING),
)
SIGNATURES = (
    SmsSignature("SIG20250101AAAAAA", "Rejected", Review.REJECTED),
    SmsSignature("SIG20250101BBBBBB", "优刻得 Test", Review.APPROVED),
    SmsSignature("SIG20250101CCCCCC", "Acme", Review.APPROVED),
)


def project(project_id: str = PROJECT, *, default: bool = True, **changes: Any) -> Project:
    known = Project(project_id, "Demo", default, 1_700_000_000_000, SIGNATURES, TEMPLATES)
    return replace(known, **changes)


def account(*projects: Project, active: bool = True, language: str | None = None) -> Account:
    return Account("acc-1", "Demo", active, None, language, {one.id: one for one in projects or (project(),)})


def directory(owner: Account | None = None, *, active: bool = True) -> Directory:
    """One customer with `PUBLIC`/`PRIVATE`, and a stranger who owns `org-stranger`."""
    owner = owner or account()
    stranger = Account("acc-2", "Other", True, None, None, {"org-stranger": project("org-stranger")})
    return Directory.of([owner, stranger], [ApiKey(PUBLIC, PRIVATE, owner, active)])


@dataclass
class FakeClock:
    """Stands still until told otherwise."""

    seconds: float = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now_ms(self) -> int:
        return 1_700_000_000_000 + int(self.seconds * 1000)


@dataclass
class RecordingAccept:
    """Takes every submission and remembers it; `error` makes it refuse."""

    requests: list[Request] = field(default_factory=list)
    error: Exception | None = None

    async def __call__(self, request: Request) -> Accepted:
        if self.error is not None:
            raise self.error
        self.requests.append(request)
        number = session_no(len(self.requests) << 30)
        return Accepted(number, request.answer(number))

    @property
    def texts(self) -> list[str]:
        return [draft.text for request in self.requests for draft in request.drafts]

    @property
    def phones(self) -> list[str]:
        return [
            one.phone for request in self.requests for draft in request.drafts for one in draft.recipients
        ]


@dataclass
class Receipts:
    """Finished messages by session."""

    sessions: dict[str, list[Message]] = field(default_factory=dict)
    asked: list[tuple[str, list[str]]] = field(default_factory=list)

    async def __call__(self, account_id: str, sessions: Sequence[str]) -> Mapping[str, Sequence[Message]]:
        self.asked.append((account_id, list(sessions)))
        return {session: self.sessions[session] for session in sessions if session in self.sessions}


@dataclass
class RecordingVerdicts:
    """Remembers what the rules noted."""

    noted: list[tuple[str, RiskRule, RiskMode]] = field(default_factory=list)

    def note(self, account_id: str, rule: RiskRule, mode: RiskMode, **_: Any) -> None:
        self.noted.append((account_id, rule, mode))


@dataclass
class RecordingLists:
    """Takes numbers for lists and remembers them; `error` makes it fail."""

    index: NumberLists = field(default_factory=NumberLists)
    listed: list[Listing] = field(default_factory=list)
    error: Exception | None = None

    async def list_numbers(self, listings: Sequence[Listing]) -> None:
        if self.error is not None:
            raise self.error
        self.listed += listings


@dataclass
class Desk:
    """The running door and everything behind it."""

    client: ClientSession
    url: str
    accept: RecordingAccept
    receipts: Receipts
    clock: FakeClock
    directory: Live[Directory]
    metrics: Metrics
    used: list[tuple[str, int, str]]  # public key, unix ms, client address
    verdicts: RecordingVerdicts
    lists: RecordingLists

    async def call(self, action: str, encoding: str = "form", **parameters: Any) -> dict[str, Any]:
        """Sign and send; return the JSON of the answer, which is always HTTP 200."""
        return await self.send(
            signed({"Action": action, "ProjectId": PROJECT, **parameters}, encoding), encoding
        )

    async def send(self, parameters: Mapping[str, Any], encoding: str = "form") -> dict[str, Any]:
        """Send `parameters` as they are."""
        method, query, body, content_type = encoded(parameters, encoding)
        return await self.raw(body, content_type, method=method, query=query)

    async def raw(
        self, body: bytes, content_type: str, *, method: str = "POST", query: str = ""
    ) -> dict[str, Any]:
        """Send bytes."""
        headers = {"Content-Type": content_type} if content_type else {}
        url = URL(self.url + query, encoded=True)  # exactly as given
        async with self.client.request(
            method, url, data=io.BytesIO(body) if body else None, headers=headers
        ) as response:
            assert response.status == 200, await response.text()
            assert response.headers["Cache-Control"] == "no-store"
            assert len(response.headers["X-UCLOUD-REQUEST-UUID"]) == 36
            answer: dict[str, Any] = orjson.loads(await response.read())
        assert isinstance(answer["RetCode"], int)
        assert isinstance(answer["Message"], str)
        return answer


@contextlib.asynccontextmanager
async def desk(
    known: Directory | None = None,
    api: ApiSettings | None = None,
    http: HttpSettings | None = None,
    risk: RiskSettings | None = None,
    words: Sequence[Word] = (),
) -> AsyncIterator[Desk]:
    """Open the door on a free port."""
    verdicts, lists = RecordingVerdicts(), RecordingLists()
    policies = Live(Policies(Policy.of(risk or RiskSettings())))
    api = api or ApiSettings()
    clock, accept, receipts, metrics = FakeClock(), RecordingAccept(), Receipts(), Metrics()
    live = Live(known or directory())
    used: list[tuple[str, int, str]] = []
    services = Services(
        directory=live,
        accept=accept,
        receipts=receipts,
        # the actions over these are tried on a real store: tests/actions
        records=cast(Any, None),
        reviews=cast(Any, None),
        papers=cast(Any, None),
        replay=ReplayWindow(api.dedup_window, clock),
        used=lambda *use: used.append(use),
        numbers=NumberReader(PLAN, api.default_country),
        texts=TextGuard(policies, Live(WordList(words)), verdicts),  # type: ignore[arg-type]
        lists=lists,  # type: ignore[arg-type]
        settings=api,
        metrics=metrics.api,
        clock=clock,
    )
    async with (
        listen(services, http or HttpSettings(), "127.0.0.1", 0) as port,
        ClientSession() as client,
    ):
        url = f"http://127.0.0.1:{port}/"
        yield Desk(client, url, accept, receipts, clock, live, metrics, used, verdicts, lists)


ENCODINGS = ("query", "form", "flat", "nested")


def flattened(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Lists as `Name.0`, `Name.1`, …; every value as the text it is signed as."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, list):
            flat |= {f"{name}.{index}": scalar_text(item) for index, item in enumerate(value)}
        else:
            flat[name] = scalar_text(value)
    return flat


def signed(
    parameters: Mapping[str, Any], encoding: str = "form", public: str = PUBLIC, private: str = PRIVATE
) -> dict[str, Any]:
    """Add key and signature, by the rule that belongs to the encoding."""
    known = {"PublicKey": public, **parameters}
    if encoding != "nested":
        known = flattened(known)
    return known | {"Signature": sign(known, private)}


def encoded(parameters: Mapping[str, Any], encoding: str) -> tuple[str, str, bytes, str]:
    """Return method, query, body and content type."""
    if encoding == "query":
        return "GET", "?" + urlencode(parameters, quote_via=quote), b"", ""
    if encoding == "form":
        return "POST", "", urlencode(parameters).encode(), "application/x-www-form-urlencoded"
    return "POST", "", json.dumps(parameters, ensure_ascii=False).encode(), "application/json"


def task_content(items: Any) -> str:
    """Return what SendBatchUSMSMessage takes."""
    return base64.b64encode(orjson.dumps(items)).decode()
