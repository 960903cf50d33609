"""The benchmark's installation: gateway, carrier, callback receiver, load generator, each a process."""

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.load import Plan, Result
from tests.bench.requests import Customer
from tests.support.gateway import CHANNEL, Site
from tests.support.processes import ROOT, Process, free_port, get_json, python, wait_for

STALLED = 60.0  # seconds without any progress: something is lost
LINKS, WINDOW = 2, 2_000
WORDS, BLACKLIST = 10_000, 1_000_000  # with rules
SAMPLE = 0.2  # seconds between two looks at the processes


class Lost(Exception):
    """The counts of customer, carrier and receiver do not agree."""


class Rig:
    """Everything a phase needs. `with` ends the processes."""

    def __init__(self, directory: Path, *, rules: bool = False) -> None:
        """`rules`: with a file of blocked words and a blacklist, both long."""
        self.site = Site(directory)
        self._rules = rules
        self.site.channel |= {"links": LINKS, "window": WINDOW}
        del self.site.settings["risk"]  # as every customer has it
        self.receiver_port = free_port()
        self.customer: Customer
        self.accepted = 0  # messages acknowledged so far
        self.carrier: tuple[str, ...] = ()  # further options of the simulator
        self._next = 0  # first telephone number not used yet
        self._carried_before = 0  # submit_sm counted by carriers that have ended

    def __enter__(self) -> "Rig":
        site = self.site
        site.start("receiver", self.module("tests.bench.receiver", str(self.receiver_port)))
        wait_for("callback receiver", lambda: get_json(self._receiver("stats"))[0] == 200)
        if self._rules:
            words = site.directory / "words.txt"
            words.write_text("".join(f"forbidden{number:05}\n" for number in range(WORDS)))
            site.settings["risk"] = {"words": words.name}
        site.write_config()
        self.start_carrier()
        site.start_gateway()
        account = site.customer(callback=self._receiver("callback"), credit="100000000")
        self.customer = Customer(
            public_key=account.public_key,
            private_key=account.private_key,
            project_id=account.project_id,
            template_id=account.templates["notification"],
            signature=account.signature,
        )
        if self._rules:
            self._import_blacklist(account.account_id)
        self.until_customer_known()
        return self

    def _import_blacklist(self, account_id: str) -> None:
        """List numbers of the country the load goes to, none of which the load uses."""
        file = self.site.directory / "blacklist.csv"
        with file.open("w") as lines:
            lines.write("phone,purpose,remark\n")
            lines.writelines(f"+6019{number:08},all,\n" for number in range(BLACKLIST))
        self.site.cli("blacklist", "import", account_id, str(file), seconds=300.0)

    def __exit__(self, *error: Any) -> None:
        self.site.__exit__(*error)

    @staticmethod
    def module(name: str, *arguments: str) -> list[str]:
        """Return the command line of one of the benchmark's own modules."""
        return python("-m", name, *arguments)

    def _receiver(self, path: str) -> str:
        return f"http://127.0.0.1:{self.receiver_port}/{path}"

    def until_customer_known(self) -> None:
        """Send single requests until the gateway has noticed the new customer."""

        def try_one() -> bool:
            return self.load(requests=1, connections=1, expect_all=False).acked == 1

        wait_for("acknowledged request", try_one)
        self.settle()

    # the carrier

    def start_carrier(self, *, record: bool = False) -> None:
        """Start the simulator; wait for the gateway to bind if it is up already."""
        self.site.start_simulator("--receipts", "delivered", *self.carrier, record=record)

    def stop_carrier(self) -> None:
        """End the simulator and wait until the gateway has noticed."""
        self.site.simulator.terminate()
        self._carried_before += int(self.site.carrier_stats()["taken"])
        wait_for("channel down", lambda: self.site.metric("scloud_channel_up", channel=CHANNEL) == 0)

    def restart_carrier(self, *, record: bool) -> None:
        """End the simulator, start it again, wait for the gateway to bind."""
        self.stop_carrier()
        self.start_carrier(record=record)
        wait_for("bound gateway", self.site.bound)

    def carried(self) -> tuple[float, int]:
        """Return a moment and the number of submit_sm taken until then."""
        for _ in range(20):
            with suppress(FileNotFoundError, ValueError):
                moment = self.site.stats_file.stat().st_mtime
                return moment, self._carried_before + int(self.site.carrier_stats()["taken"])
            time.sleep(0.01)
        return time.time(), self._carried_before

    def reports(self) -> dict[str, Any]:
        """Return the callback receiver's counts."""
        counts: dict[str, Any] = get_json(self._receiver("stats"))[1]
        return counts

    # the load

    def load(
        self,
        *,
        host_port: int = 0,
        expect_all: bool = True,
        watch: Callable[[], None] | None = None,
        **plan: Any,
    ) -> Result:
        """Run the load generator to its end; `watch` is called all the while.

        With `host_port` it calls somebody else than the gateway, and nothing is counted as accepted.
        """
        numbers = plan.get("numbers", 1)
        first = -(-self._next // numbers)
        customer = getattr(self, "customer", None) or NOBODY
        port = host_port or self.site.public_port
        whole = Plan(host="127.0.0.1", port=port, customer=customer, first=first, **plan)
        result = self._generate(whole, watch)
        self._next = (first + result.sent) * numbers
        if expect_all and (result.refused or result.lost or result.acked != result.sent):
            raise Lost(f"sent {result.sent}, acknowledged {result.acked}, refused {result.refused}, "
                       f"broken {result.lost}")  # fmt: skip
        if not host_port:
            self.accepted += result.acked * numbers
        return result

    def _generate(self, plan: Plan, watch: Callable[[], None] | None) -> Result:
        generator = subprocess.Popen(
            self.module("tests.bench.load"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=Process.environment(),
        )
        assert generator.stdin is not None
        generator.stdin.write(json.dumps(asdict(plan)).encode())
        generator.stdin.close()
        generator.stdin = None
        output = b""
        while True:
            with suppress(subprocess.TimeoutExpired):
                output = generator.communicate(timeout=SAMPLE)[0]
                break
            if watch is not None:
                watch()
        if generator.returncode:
            raise Lost(f"the load generator failed with {generator.returncode}")
        return Result(**json.loads(output))

    def settle(self, watch: Callable[[], None] | None = None) -> float:
        """Wait until every accepted message was submitted and reported; return when the last callback came.

        Raises `Lost` when nothing moves any more, or when more came out than went in.
        """
        seen, since = (-1, -1, -1), time.monotonic()
        while True:
            reports = self.reports()
            counts = (self.carried()[1], reports["distinct"], reports["reports"])
            if counts == (self.accepted,) * 3:
                return float(reports["last"])
            if counts != seen:
                seen, since = counts, time.monotonic()
            if time.monotonic() - since > STALLED or max(counts) > self.accepted:
                raise Lost(f"accepted {self.accepted}, submitted {counts[0]}, callbacks {reports}")
            self.site.gateway.check()
            if watch is not None:
                watch()
            time.sleep(0.05)


NOBODY = Customer(public_key="p", private_key="s", project_id="org-1", template_id="UTN1", signature="Acme")
