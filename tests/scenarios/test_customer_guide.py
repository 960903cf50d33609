"""The customer guide: its code runs against a gateway as it stands on the page, and no code is left out."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.store import accounts
from tests.actions.world import World
from tests.support.processes import free_port, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "customer-guide.md"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as running:
        yield running


def blocks() -> list[str]:
    """Return the code blocks of the page, in order."""
    found = re.findall(r"^```(\w[^\n]*)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert {kind for kind, _ in found} == {"python", "python sdk"}, "a block of another kind is run by nobody"
    return [code for _, code in found]


def test_the_code_on_the_page_works(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    port, path, customer = free_port(), "/sms/3fb2c1", world.one
    callback = f"http://127.0.0.1:{port}{path}"
    world.store.transaction(lambda c: accounts.set_callback(c, customer.account_id, callback))
    made = world.new_key(customer)
    wait_for("key and callback", lambda: world.call(made, "GetProjectList", {})["RetCode"] == 0)
    for name, value in {
        "SMS_URL": f"{world.url}/",
        "SMS_PUBLIC_KEY": made.public_key,
        "SMS_PRIVATE_KEY": made.private_key,
        "SMS_PROJECT": customer.project_id,
        "SMS_TEMPLATE": customer.things["template"],
        "SMS_SIGNATURE": customer.things["signature_text"],
        "SMS_CALLBACK_PORT": str(port),
        "SMS_CALLBACK_PATH": path,
    }.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {"__name__": "guide"}
    code = blocks()
    assert len(code) > 10
    try:
        for block in code:
            exec(compile(block, str(PAGE), "exec"), names)
        reply = {"Phone": "(60)123456781", "ReplyContent": "STOP", "ReplyTime": 1_790_000_000}
        post(callback, {"MsgType": 0, "Data": [reply, reply]})
        assert list(names["replies"].values()) == [reply]
    finally:
        if "server" in names:
            names["server"].shutdown()
            names["server"].server_close()
    assert len(names["stored"]) >= 1


def post(url: str, document: dict[str, Any]) -> None:
    """Post a callback as the gateway does."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    request = urllib.request.Request(url, json.dumps(document).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.loads(answer.read())["code"] == 0
