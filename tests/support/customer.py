"""The customer's side of a story: the published client, raw signed requests, and a callback inbox."""

import hashlib
import http.client
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlencode

from ucloud.client import Client

from tests.support.gateway import Account, Site
from tests.support.processes import wait_for

SENT = "SendUSMSMessage"


def published_client(site: Site, account: Account, **settings: Any) -> Client:
    """Return `ucloud-sdk-python3` pointed at this installation."""
    return Client(
        {
            "base_url": site.url,
            "public_key": account.public_key,
            "private_key": account.private_key,
            "project_id": account.project_id,
            "timeout": 30,
            "max_retries": 0,
            **settings,
        }
    )


def sign(parameters: dict[str, Any], private_key: str) -> str:
    """Return the signature of flat parameters."""
    canonical = "".join(f"{name}{parameters[name]}" for name in sorted(parameters))
    return hashlib.sha1((canonical + private_key).encode()).hexdigest()


class RawCustomer:
    """Sends signed form requests, one connection each: what it signs is what it was told."""

    def __init__(self, site: Site, account: Account) -> None:
        self.site = site
        self.account = account

    def parameters(self, action: str = SENT, **more: Any) -> dict[str, Any]:
        """Return the parameters of `action`, not signed; a None removes one."""
        account = self.account
        whole = {"Action": action, "PublicKey": account.public_key, "ProjectId": account.project_id}
        if action == SENT:
            whole |= {"SigContent": account.signature, "TemplateId": account.templates["notification"]}
            whole |= {"PhoneNumbers.0": "(60)123456789", "TemplateParams.0": "42"}
        whole |= {name.replace("__", "."): value for name, value in more.items()}
        return {name: value for name, value in whole.items() if value is not None}

    def call(self, action: str = SENT, **more: Any) -> dict[str, Any]:
        """Send `action`, signed; return the answer."""
        parameters = self.parameters(action, **more)
        return self.post({**parameters, "Signature": sign(parameters, self.account.private_key)})

    def send(self, *phones: str, **more: Any) -> dict[str, Any]:
        """Send one text to `phones`; return the answer."""
        numbers = {f"PhoneNumbers__{index}": phone for index, phone in enumerate(phones)}
        return self.call(**numbers, **more)

    def post(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Send parameters as they are."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.raw("POST", "/", urlencode(parameters).encode(), headers)[1]

    def raw(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Send bytes; return HTTP status and the JSON answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.site.public_port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def receipts(self, *sessions: str) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the receipts of up to 100 sessions: session → phone → receipt."""
        named = {f"SessionNoSet__{index}": session for index, session in enumerate(sessions)}
        data = self.call("GetUSMSSendReceipt", **named)["Data"]
        return {entry["SessionNo"]: {r["Phone"]: r for r in entry["ReceiptSet"]} for entry in data}

    def await_receipts(self, session: str, count: int, limit: float = 60.0) -> dict[str, dict[str, Any]]:
        """Return the receipts of a session once there are `count`."""

        def complete() -> dict[str, dict[str, Any]]:
            found = self.receipts(session).get(session, {})
            return found if len(found) >= count else {}

        return wait_for(f"{count} receipts", complete, limit)


class Inbox:
    """A customer's callback endpoint in a thread of the test; outlives every gateway."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        cast(Any, self._server).inbox = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._lock = threading.Lock()
        self._items: list[dict[str, Any]] = []
        self._replies: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"code": 0, "message": "ok"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """What to give to `account callback`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/reports"

    def take(self, body: bytes) -> dict[str, Any]:
        """Take one POST; return its answer."""
        document = json.loads(body)
        kinds = {2: self._items, 0: self._replies}
        with self._lock:
            kinds[document["MsgType"]] += document["Data"]
        return self.answer

    def items(self) -> list[dict[str, Any]]:
        """Return every report so far, repeats included."""
        with self._lock:
            return list(self._items)

    def keys(self) -> Counter[tuple[str, str]]:
        """Return how often each (session, phone) was reported."""
        return Counter((item["SessionNo"], item["Phone"]) for item in self.items())

    def await_replies(self, count: int, limit: float = 60.0) -> list[dict[str, Any]]:
        """Return handsets' messages once there are `count`."""

        def enough() -> list[dict[str, Any]]:
            with self._lock:
                return list(self._replies) if len(self._replies) >= count else []

        return wait_for(f"{count} replies", enough, limit)

    def await_reports(self, keys: set[tuple[str, str]], limit: float = 60.0) -> None:
        """Return once each of (session, phone) was reported."""

        def missing() -> bool:
            return not keys - set(self.keys())

        wait_for(f"reports of {len(keys)} messages", missing, limit)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps(cast(Any, self.server).inbox.take(body)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
