"""`demo`: everything on one machine: a simulated carrier, a customer with credit, and the gateway."""

import json as json_module
import os
import shlex
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from sqlalchemy import Connection

from config.schema import Settings
from gateway.cli import serve
from gateway.cli.office import by, office
from gateway.cli.send import Customer, send_parameters
from gateway.cli.settings import EXAMPLES, load_checked, write_example
from gateway.domain.lists import ANY_PURPOSE, Listing, ListKind, Source
from gateway.domain.message import Purpose
from gateway.domain.money import MICRO
from gateway.domain.review import Move
from gateway.errors import GatewayError
from gateway.flow import operate
from gateway.flow.rules import checks_of
from gateway.store import applications, reviews
from gateway.store.applications import SignatureForm, TemplateForm
from gateway.store.numbers import list_numbers

SIGNATURE = "Acme"
CREDIT = 1_000 * MICRO
TEMPLATES = {
    Purpose.VERIFICATION: "Your verification code is {1}. It is valid for 5 minutes.",
    Purpose.NOTIFICATION: "Your order {1} has left our warehouse.",
    Purpose.PROMOTION: "Everything at half price until {1}. Reply R to refuse",
}
FORMS = {
    purpose: TemplateForm(purpose=purpose, text=text, name=f"demo {purpose.name.lower()}")
    for purpose, text in TEMPLATES.items()
}
NUMBER = "(60)123456789"
RECEIPTS = "delivered=0.97,undelivered=0.02,expired=0.01"


def demo_command(
    directory: Annotated[Path, typer.Option(help="Where configuration, keys and data are kept.")] = Path(
        "var"
    ),
) -> None:
    """Start a simulated carrier and the gateway, with a customer to try it; Ctrl-C drains and stops both.

    The first run makes everything it needs in the directory, a later one keeps what is there.
    """
    config = prepare(directory)
    settings, network = load_checked(config)
    account = customer(config, directory / "demo.json")
    with simulator(config):
        stop = threading.Event()
        banner = threading.Thread(target=_announce, args=(settings, directory, account, stop), daemon=True)
        banner.start()
        try:
            code = serve.run(settings, network)
        finally:
            stop.set()
            banner.join()
    sys.exit(code)


def prepare(directory: Path) -> Path:
    """Make the configuration if there is none; return the settings file."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in EXAMPLES:
        if write_example(directory, name) and name == "gateway.toml":
            settings = directory / name  # a person reads this log
            settings.write_text(
                settings.read_text("utf-8").replace('format = "json" #', 'format = "console" #')
            )
    return directory / "gateway.toml"


def customer(config: Path, file: Path) -> dict[str, Any]:
    """Return the demo's account, kept in `file`; make it on the first run."""
    if file.exists():
        found: dict[str, Any] = json_module.loads(file.read_text(encoding="utf-8"))
        return found
    with office(config) as here:
        keyring, checks, who = here.keyring(), checks_of(here.settings.review), by("demo")

        def make(connection: Connection) -> dict[str, Any]:
            made = operate.create_account(connection, keyring, "Demo", who)
            # whoever tries it out sends to one number again and again, faster than the rates allow
            phone = int(NUMBER.replace("(", "").replace(")", ""))
            free = Listing(
                made.account_id, "", ListKind.ALLOWED, phone, ANY_PURPOSE,
                Source.OPERATOR, "demo", who.actor.name,
            )  # fmt: skip
            list_numbers(connection, [free], who.now_ms)
            operate.credit(connection, made.account_id, CREDIT, who)
            owner = applications.owner_of(connection, made.account_id)
            brand = applications.create_signature(connection, owner, SignatureForm(text=SIGNATURE), who)
            templates = {
                purpose.name.lower(): applications.create_template(connection, owner, form, who)
                for purpose, form in FORMS.items()
            }
            for item in (brand, *templates.values()):
                reviews.decide(connection, checks, item, Move.APPROVE, by("part of the demo"))
            return {**asdict(made), "signature": SIGNATURE, "templates": templates}

        account = here.store.transaction(make)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as out:
        json_module.dump(account, out, indent=2)
    return account


@contextmanager
def simulator(config: Path) -> Iterator[None]:
    """Run the simulated carrier beside us. It ends with us, however we end: its standard input does."""
    command = [sys.executable, "-P", "-m", "gateway", "simulate", "--config", str(config)]
    command += ["--receipts", RECEIPTS, "--receipt-delay", "0.5-2", "--until-eof", "--json"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert process.stdin
    assert process.stdout
    try:
        if not process.stdout.readline():
            raise GatewayError("the simulated carrier did not start; is its port taken by another run?")
        yield
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def _announce(settings: Settings, directory: Path, account: dict[str, Any], stop: threading.Event) -> None:
    """Once the gateway is ready, tell how to use it."""
    while not stop.wait(0.1):
        try:
            with urllib.request.urlopen(f"http://{settings.http.admin}/readyz", timeout=1):
                break
        except OSError:
            continue
    else:
        return
    print(banner(settings, directory, account), flush=True)


def banner(settings: Settings, directory: Path, account: dict[str, Any]) -> str:
    """Return what the user is shown: addresses, keys, and commands to paste."""
    url = f"http://{settings.http.public}/"
    template = account["templates"]["verification"]
    program = Path(sys.argv[0])
    name = os.path.relpath(program) if program.name == "scloud-sms" and program.exists() else "scloud-sms"
    send = f"{name} send --config {shlex.quote(str(directory / 'gateway.toml'))} "
    send += f"--keys {shlex.quote(str(directory / 'demo.json'))} "
    send += f"--to '{NUMBER}' --template {template} --param 246810"
    caller = Customer(url, account["public_key"], account["private_key"], account["project_id"])
    body = urlencode(caller.parameters("SendUSMSMessage", **send_parameters([NUMBER], template, ["135790"])))
    lines = [
        "",
        "SCloud SMS is running.",
        "",
        f"  API          {url}",
        f"  health       http://{settings.http.admin}/readyz   metrics  http://{settings.http.admin}/metrics",
        f"  admin API    http://{settings.http.admin}/admin/v1   (log in as admin, docs/admin-api.md)",
        f"  public key   {account['public_key']}",
        f"  private key  {account['private_key']}",
        f"  project      {account['project_id']}    signature  {account['signature']}",
        *(f"  template     {id_}  ({purpose})" for purpose, id_ in account["templates"].items()),
        "",
        "Send a message and see its receipt (in another terminal):",
        "",
        f"  {send}",
        "",
        "The same with curl, signed for this one message:",
        "",
        f"  curl {url} -d '{body}'",
        "",
        "Ctrl-C drains and stops.",
        "",
    ]
    return "\n".join(lines)
