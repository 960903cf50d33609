"""`send`: be a customer. Signs and calls the API over HTTP like any client, then waits for receipts."""

import json as json_module
import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from config.load import load_settings
from config.read import open_to_others
from config.schema import HttpSettings
from gateway.auth.scloud import sign
from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, show, show_rows
from gateway.domain.message import State
from gateway.domain.report import LANGUAGES, receipt_result
from gateway.errors import Invalid

POLL = 0.5  # seconds between two looks for receipts
TIMEOUT = 30.0
DELIVERED = frozenset(receipt_result(State.DELIVERED, language) for language in LANGUAGES)
_KEYS = ("public_key", "private_key", "project_id")  # of what `account create` prints


@dataclass(frozen=True, slots=True)
class Customer:
    """Who calls, and where."""

    url: str
    public_key: str
    private_key: str = field(repr=False)
    project_id: str = ""

    def parameters(self, action: str, **more: str) -> dict[str, str]:
        """Return the signed parameters of one call."""
        project = {"ProjectId": self.project_id} if self.project_id else {}
        unsigned = {"Action": action, "PublicKey": self.public_key, **project, **more}
        return {**unsigned, "Signature": sign(unsigned, self.private_key)}

    def call(self, action: str, **more: str) -> dict[str, Any]:
        """Return the answer of one call; raises `Invalid` with the API's own words when it refuses."""
        body = urlencode(self.parameters(action, **more)).encode()
        try:
            with urllib.request.urlopen(self.url, body, timeout=TIMEOUT) as response:
                answer: dict[str, Any] = json_module.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Invalid(f"{self.url} answered HTTP {error.code}") from error
        except (OSError, ValueError) as error:
            raise Invalid(f"{self.url} cannot be reached: {getattr(error, 'reason', error)}") from error
        if answer.get("RetCode") != 0:
            raise Invalid(f"refused with RetCode {answer.get('RetCode')}: {answer.get('Message')}")
        return answer


def send_command(
    *,
    to: Annotated[
        list[str], typer.Option("--to", metavar="NUMBER", help='"(60)123456789"; may be repeated.')
    ],
    template: Annotated[str, typer.Option("--template", metavar="ID", help="The template's id (UT…).")],
    param: Annotated[
        list[str] | None, typer.Option(metavar="VALUE", help="A value for {1}, {2}, …; may be repeated.")
    ] = None,
    signature: Annotated[str, typer.Option(help="The SMS signature; default: the project's first.")] = "",
    user_id: Annotated[str, typer.Option(help="Your own id, echoed in receipts. Default: a new one.")] = "",
    keys: Annotated[
        Path | None,
        typer.Option(
            help="JSON with public_key, private_key, project_id, as `account create --json` prints it; "
            "without it: SCLOUD_PUBLIC_KEY, SCLOUD_PRIVATE_KEY, SCLOUD_PROJECT_ID."
        ),
    ] = None,
    url: Annotated[str, typer.Option(help="The API; default: the public listener of --config.")] = "",
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for the receipts; 0: only until it is accepted.")
    ] = 60.0,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Send a message as a customer would, and show its receipts.

    Exit code 1 if it is refused, is not delivered, or has no receipt when the wait is over.
    """
    customer = _customer(keys, url or _public_url(config))
    # without an id of its own, the same message within a minute would be answered as a repeated request
    user_id = user_id or f"send-{secrets.token_hex(6)}"
    parameters = send_parameters(to, template, param or (), signature, user_id)
    session = customer.call("SendUSMSMessage", **parameters)
    if not json:
        typer.echo(f"accepted as {session['SessionNo']}; waiting for the receipt …")
    receipts = _receipts(customer, session["SessionNo"], len(set(to)), wait)
    if json:
        show({"session_no": session["SessionNo"], "receipts": receipts}, as_json=True)
    else:
        show_rows(receipts, as_json=False)
    undelivered = sum(receipt["ReceiptResult"] not in DELIVERED for receipt in receipts)
    missing = max(0, len(set(to)) - len(receipts)) if wait > 0 else 0
    if undelivered or missing:
        raise Invalid(_shortfall(undelivered, missing, wait))


def _shortfall(undelivered: int, missing: int, wait: float) -> str:
    """Say what was not reached of what was wanted."""
    parts = [f"not delivered: {undelivered}"] if undelivered else []
    parts += [f"without a receipt after {wait:g} s: {missing}"] if missing else []
    return "; ".join(parts)


def send_parameters(
    to: Sequence[str], template: str, params: Sequence[str], signature: str = "", user_id: str = ""
) -> dict[str, str]:
    """Return the parameters of a SendUSMSMessage in the flat form."""
    parameters = {"TemplateId": template}
    parameters |= {f"PhoneNumbers.{index}": number for index, number in enumerate(to)}
    parameters |= {f"TemplateParams.{index}": value for index, value in enumerate(params)}
    optional = {"SigContent": signature, "UserId": user_id}
    return parameters | {name: value for name, value in optional.items() if value}


def _receipts(customer: Customer, session: str, wanted: int, wait: float) -> list[dict[str, Any]]:
    """Ask until every number has its receipt, or `wait` seconds are over."""
    deadline = time.monotonic() + wait
    while True:
        answer = customer.call("GetUSMSSendReceipt", **{"SessionNoSet.0": session})
        found = [receipt for item in answer.get("Data", []) for receipt in item["ReceiptSet"]]
        if len(found) >= wanted or time.monotonic() >= deadline:
            return found
        time.sleep(POLL)


def _customer(keys: Path | None, url: str) -> Customer:
    given: Mapping[str, Any] = {
        "public_key": os.environ.get("SCLOUD_PUBLIC_KEY", ""),
        "private_key": os.environ.get("SCLOUD_PRIVATE_KEY", ""),
        "project_id": os.environ.get("SCLOUD_PROJECT_ID", ""),
    }
    if keys is not None:
        if open_to_others(keys):
            typer.echo(f"warning: others can read the private key in {keys}: chmod 600 {keys}", err=True)
        try:
            given = json_module.loads(keys.read_text(encoding="utf-8"))
        except ValueError as error:
            raise Invalid(f"{keys} is not JSON") from error
        if not isinstance(given, dict) or not all(isinstance(given.get(name, ""), str) for name in _KEYS):
            raise Invalid(f"{keys} holds no keys: {', '.join(_KEYS)}")
    if not given.get("public_key") or not given.get("private_key"):
        raise Invalid("no keys: name a file with --keys, or set SCLOUD_PUBLIC_KEY and SCLOUD_PRIVATE_KEY")
    return Customer(url, given["public_key"], given["private_key"], given.get("project_id", ""))


def _public_url(config: Path) -> str:
    public = load_settings(config).http.public if config.exists() else HttpSettings().public
    host, _, port = public.rpartition(":")
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{port}/"
