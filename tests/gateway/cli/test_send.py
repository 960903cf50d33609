"""`send`: signs as clients do, says what the API said, shows the receipt."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway.auth.scloud import verify
from tests.support.cli import CommandLine

PRIVATE_KEY = "46f09bb9fab4f12dfc160dae12273d5332b5debe"
RECEIPT = {"Phone": "(60)123456789", "CostCount": 1, "ReceiptResult": "Success", "ReceiptCode": "DELIVRD"}


class Api:
    """A door that answers what it is told to and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.refusal: dict[str, Any] | None = None
        self.status = 200
        self.receipt = RECEIPT
        self.receipts_after = 1  # receipt queries that find nothing first
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = json.dumps(api.answer(dict(parse_qsl(body, keep_blank_values=True)))).encode()
                self.send_response(api.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def answer(self, parameters: dict[str, str]) -> dict[str, Any]:
        self.asked.append(parameters)
        if self.refusal:
            return self.refusal
        if parameters["Action"] == "SendUSMSMessage":
            return {"RetCode": 0, "SessionNo": "s-1"}
        self.receipts_after -= 1
        receipts = [] if self.receipts_after >= 0 else [self.receipt]
        return {"RetCode": 0, "Data": [{"SessionNo": "s-1", "ReceiptSet": receipts}]}


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    thread = threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield api
    api.server.shutdown()
    thread.join()
    api.server.server_close()


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.send.POLL", 0.001)
    monkeypatch.setenv("SCLOUD_PUBLIC_KEY", "public")
    monkeypatch.setenv("SCLOUD_PRIVATE_KEY", PRIVATE_KEY)
    monkeypatch.setenv("SCLOUD_PROJECT_ID", "org-demo01")


def send(cli: CommandLine, api: Api, *more: str) -> Any:
    return cli(
        "send",
        "--url",
        api.url,
        "--to",
        "(60)123456789",
        "--template",
        "UTA1",
        "--param",
        "",
        "--param",
        "优",
        *more,
    )


def test_every_call_is_signed_and_the_receipt_is_waited_for(cli: CommandLine, api: Api) -> None:
    done = send(cli, api, "--signature", "Acme", "--user-id", "order-42", "--json")
    assert done.json == {"session_no": "s-1", "receipts": [RECEIPT]}
    assert all(verify(parameters, PRIVATE_KEY) for parameters in api.asked)
    assert len(api.asked) == 3
    sent = api.asked[0]
    assert sent["PhoneNumbers.0"] == "(60)123456789"
    assert (sent["TemplateParams.0"], sent["TemplateParams.1"]) == ("", "优")
    assert (sent["SigContent"], sent["UserId"], sent["ProjectId"]) == ("Acme", "order-42", "org-demo01")


def test_people_see_the_session_and_the_receipt(cli: CommandLine, api: Api) -> None:
    told = send(cli, api).out
    assert "accepted as s-1" in told
    assert "DELIVRD" in told


def test_keys_come_from_a_file_as_account_create_prints_it(cli: CommandLine, api: Api) -> None:
    made = cli.account()
    keys = cli.directory / "keys.json"
    keys.write_text(json.dumps(made))
    keys.chmod(0o600)
    done = send(cli, api, "--keys", "keys.json", "--json")
    assert (done.code, done.err) == (0, "")
    assert api.asked[0]["PublicKey"] == made["public_key"]
    assert verify(api.asked[0], made["private_key"])


def test_keys_that_others_can_read_are_pointed_at(cli: CommandLine, api: Api) -> None:
    keys = cli.directory / "keys.json"
    keys.write_text(json.dumps(cli.account()))
    keys.chmod(0o644)
    done = send(cli, api, "--keys", "keys.json", "--json")
    assert (done.code, done.json["session_no"]) == (0, "s-1")
    assert done.err == "warning: others can read the private key in keys.json: chmod 600 keys.json\n"


@pytest.mark.parametrize("result", ["Fail", "Unknow", "发送失败"])
def test_what_is_not_delivered_is_told_by_the_exit_code(cli: CommandLine, api: Api, result: str) -> None:
    api.receipt = RECEIPT | {"ReceiptResult": result, "ReceiptCode": "REFUSED_BY_CARRIER"}
    done = send(cli, api, "--json")
    assert (done.code, done.json["receipts"]) == (1, [api.receipt])
    assert done.err == "error: not delivered: 1\n"
    told = send(cli, api)
    assert told.code == 1
    assert "REFUSED_BY_CARRIER" in told.out


def test_success_may_be_told_in_chinese(cli: CommandLine, api: Api) -> None:
    api.receipt = RECEIPT | {"ReceiptResult": "发送成功"}
    assert send(cli, api).code == 0


def test_no_receipt_in_time_is_told_by_the_exit_code(cli: CommandLine, api: Api) -> None:
    api.receipts_after = 1_000_000
    done = send(cli, api, "--wait", "0.01", "--json")
    assert (done.code, done.json["receipts"]) == (1, [])
    assert done.err == "error: without a receipt after 0.01 s: 1\n"


def test_who_waits_no_longer_gets_what_is_there(cli: CommandLine, api: Api) -> None:
    api.receipts_after = 1_000_000
    assert send(cli, api, "--wait", "0", "--json").json == {"session_no": "s-1", "receipts": []}
    assert send(cli, api, "--wait", "0").code == 0


def test_the_same_message_twice_is_two_messages(cli: CommandLine, api: Api) -> None:
    for _ in range(2):
        send(cli, api, "--wait", "0", "--json")
    first, second = (asked for asked in api.asked if asked["Action"] == "SendUSMSMessage")
    assert first["UserId"] != second["UserId"]


def test_a_refusal_is_told_in_the_apis_own_words(cli: CommandLine, api: Api) -> None:
    api.refusal = {"RetCode": 18013, "Message": "not enough balance"}
    done = send(cli, api, "--json")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: refused with RetCode 18013: not enough balance\n"


def test_an_http_error_and_silence_are_told(cli: CommandLine, api: Api) -> None:
    api.status = 413
    assert "answered HTTP 413" in send(cli, api).err
    done = cli("send", "--url", "http://127.0.0.1:9/", "--to", "1", "--template", "UTA1")
    assert done.code == 1
    assert "cannot be reached" in done.err


def test_without_keys_nothing_is_sent(cli: CommandLine, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCLOUD_PRIVATE_KEY")
    done = send(cli, api)
    assert done.code == 1
    assert "no keys" in done.err
    (cli.directory / "keys.json").write_text("{")
    assert "keys.json is not JSON" in send(cli, api, "--keys", "keys.json").err
    for other in ("[]", '{"public_key": 7, "private_key": "x", "project_id": ""}'):
        (cli.directory / "keys.json").write_text(other)
        assert "keys.json holds no keys" in send(cli, api, "--keys", "keys.json").err
    assert api.asked == []


def test_the_address_comes_from_the_settings(cli: CommandLine, api: Api) -> None:
    listener = api.url.removeprefix("http://").rstrip("/")
    (cli.directory / "gateway.toml").write_text(f'[http]\npublic = "{listener}"')
    assert cli("send", "--to", "(60)123456789", "--template", "UTA1", "--json").code == 0
