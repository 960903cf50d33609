"""A whole installation in a directory: simulator, gateway and customers, driven as a user would."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from carriers.simulator.record import read_record
from gateway.cli import app
from gateway.domain.risk import RATES
from tests.support.cli import undisturbed
from tests.support.processes import Process, free_port, get_json, python, toml, wait_for

CHANNEL = "sim-1"
# the same handsets get the same texts again and again here, at any time of the day
UNLIMITED = {rule.value: "1000/1s" for rule in RATES} | {"hours": "00:00-24:00"}
BACKOFF = {"backoff_base": 0.05, "backoff_cap": 0.25}


@dataclass(frozen=True, slots=True)
class Account:
    """A customer as the CLI made it."""

    account_id: str
    project_id: str
    public_key: str
    private_key: str
    signature: str
    templates: dict[str, str]  # purpose → template id


class Cli:
    """`scloud-sms` with a settings file."""

    def __init__(self, config: Path) -> None:
        self._config = config

    def __call__(self, *arguments: str, seconds: float = 60.0) -> Any:
        """Run one command with `--json`; return its document. Fails with what it printed."""
        command = python("-m", "gateway", *arguments, "--config", str(self._config), "--json")
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            cwd=self._config.parent,
            env=Process.environment(),
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class OwnCli(Cli):
    """The same commands without a process for each: for what a story needs and is not about."""

    def __call__(self, *arguments: str, seconds: float = 60.0) -> Any:
        """Run one command with `--json`; return its document. Raises what the command raises."""
        out = StringIO()
        with undisturbed(), redirect_stdout(out):
            os.umask(0o077)
            app([*arguments, "--config", str(self._config), "--json"], standalone_mode=False)
        return json.loads(out.getvalue())


class Site:
    """One installation. `with` ends what it started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "gateway.toml"
        self.record = directory / "carrier.jsonl"
        self.stats_file = directory / "carrier.json"
        self.public_port, self.admin_port, self.smpp_port = free_port(), free_port(), free_port()
        self.cli = Cli(self.config)
        self.own_cli = OwnCli(self.config)
        self.settings: dict[str, Any] = {
            "http": {"public": f"127.0.0.1:{self.public_port}", "admin": f"127.0.0.1:{self.admin_port}"},
            "store": {"url": f"sqlite:///{directory / 'gateway.db'}"},
            "network": {"file": "network.toml"},
            "callbacks": {"allow_private": True},
            "delivery": {"currency": "CNY"},
            "price": [{"amount": "0.01"}],
            "risk": dict(UNLIMITED),
        }
        self.channel: dict[str, Any] = {
            "id": CHANNEL,
            "host": "127.0.0.1",
            "port": self.smpp_port,
            "tls": False,
            "system_id": "gateway",
            "password": "secret",
            "bind": "transceiver",
            "links": 1,
            "window": 100,
            "rate": 0,
            "receipts": True,
            "timers": BACKOFF,
        }
        self.routes: list[dict[str, Any]] = [{"match": "*", "channels": [CHANNEL]}]
        self._processes: list[Process] = []
        self._gateway: Process | None = None
        self._simulator: Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.kill()
            if error is not None:
                error.add_note(f"{process!r}\n{process.tail()}")

    @property
    def url(self) -> str:
        """Where customers call."""
        return f"http://127.0.0.1:{self.public_port}"

    @property
    def gateway(self) -> Process:
        """The running gateway."""
        assert self._gateway is not None, "start it first"
        return self._gateway

    @property
    def simulator(self) -> Process:
        """The running carrier."""
        assert self._simulator is not None, "start it first"
        return self._simulator

    def write_config(self) -> None:
        """Write settings and network as they stand now."""
        timers = self.channel.pop("timers", {})
        self.config.write_text(toml(self.settings))
        carrier = toml({"carrier": [{"id": "sim"}]}) + "\n[[carrier.channel]]\n" + toml(self.channel)
        if timers:
            carrier += "\n[carrier.channel.timers]\n" + toml(timers)
        self.config.with_name("network.toml").write_text(carrier + toml({"route": self.routes}))
        self.channel["timers"] = timers

    def start(self, name: str, command: list[str]) -> Process:
        """Start a process that ends with this installation."""
        process = Process(name, command, self.directory)
        self._processes.append(process)
        return process

    def start_simulator(self, *options: str, record: bool = True) -> Process:
        """Start the carrier on this installation's port; return once it listens."""
        recording = ["--record", str(self.record)] if record else []
        self.stats_file.unlink(missing_ok=True)
        command = ["simulate", "--port", str(self.smpp_port), "--stats-file", str(self.stats_file)]
        self._simulator = self.start("simulator", python("-m", "gateway", *command, *recording, *options))
        wait_for("simulator", self.stats_file.exists, alive=self._simulator)
        return self._simulator

    def start_gateway(self, *, bound: bool = True) -> Process:
        """Start the gateway; return once it is ready, and bound unless the carrier is meant to be away."""
        if not self.config.exists():
            self.write_config()
        command = python("-m", "gateway", "serve", "--config", str(self.config))
        self._gateway = self.start("gateway", command)
        wait_for("ready gateway", self._ready, 60.0, alive=self._gateway)
        if bound:
            wait_for("bound gateway", self.bound, 60.0)
        return self._gateway

    def _ready(self) -> bool:
        return get_json(f"http://127.0.0.1:{self.admin_port}/readyz")[0] == 200

    def bound(self) -> bool:
        """Whether the channel can send, as the metrics say."""
        return self.metric("scloud_channel_up", channel=CHANNEL) == 1

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's children that carry `labels`."""
        total = 0.0
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        for line in self.metrics().splitlines():
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0] == name and all(label in series for label in wanted):
                total += float(value)
        return total

    def metrics(self) -> str:
        """Return the metrics page."""
        return read_text(f"http://127.0.0.1:{self.admin_port}/metrics")

    def carrier_stats(self) -> dict[str, Any]:
        """Return the carrier's counters, at most a second old."""
        document: dict[str, Any] = json.loads(self.stats_file.read_bytes())
        return document

    def submits(self) -> list[dict[str, Any]]:
        """Return every submit_sm the carrier has taken since its record began."""
        return [e for e in read_record(self.record) if e["event"] == "submit" and e["status"] == 0]

    def customer(
        self,
        name: str = "Acme",
        *,
        callback: str = "",
        credit: str = "1000000",
        purposes: Sequence[str] = ("notification",),
        cli: Cli | None = None,
    ) -> Account:
        """Make an account with credit, an approved signature and a template per purpose, by CLI."""
        cli = cli or self.own_cli
        made = cli("account", "create", name)
        account = made["account_id"]
        cli("account", "credit", account, credit)
        if callback:
            cli("account", "callback", account, callback)
        cli("signature", "create", "--account", account, "--text", "Acme", "--approve")
        templates = {}
        for purpose in purposes:
            text = TEMPLATES[purpose]
            arguments = ("--account", account, "--purpose", purpose, "--text", text, "--approve")
            templates[purpose] = cli("template", "create", *arguments)["template_id"]
        return Account(
            account, made["project_id"], made["public_key"], made["private_key"], "Acme", templates
        )


TEMPLATES = {
    "verification": "Your verification code is {1}.",
    "notification": "Your order {1} has left.",
    "promotion": "Everything half price today. Reply R to refuse",
}


def read_text(url: str) -> str:
    """Return the text of a GET; empty when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            text: str = response.read().decode()
            return text
    except OSError:
        return ""
