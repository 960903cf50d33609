"""SIGTERM under load: no new requests, windows drained, everything flushed, exit 0; no message goes twice."""

import json
import subprocess
import time

import pytest

from tests.support.customer import Inbox
from tests.support.gateway import Site
from tests.support.processes import Process, free_port, python
from tests.support.traffic import Proof, Traffic

pytestmark = pytest.mark.slow

CREDIT = 1_000


def test_sigterm_drains_and_exits_0_and_the_next_start_goes_on(site: Site, inbox: Inbox) -> None:
    site.channel["window"] = 20
    site.write_config()
    account = site.customer(callback=inbox.url, credit=str(CREDIT))
    site.start_simulator("--receipts", "delivered", "--answer-delay", "0.01-0.05")
    site.start_gateway()
    with Traffic(site, account, seed=1) as traffic:
        for _ in range(3):
            traffic.after_more(50)
            assert site.gateway.terminate(limit=30.0) == 0
            site.start_gateway(bound=False)
        traffic.after_more(10)
    proof = Proof(site, account, inbox, traffic.acknowledged)
    proof.all([time.time()], window=0, credit=CREDIT)
    assert proof.duplicates() == []
    repeated = [key for key, count in inbox.keys().items() if count > 1]
    assert repeated == []


def test_sigterm_with_the_carrier_away_keeps_the_queue(site: Site, inbox: Inbox) -> None:
    site.write_config()
    account = site.customer(callback=inbox.url, credit=str(CREDIT))
    site.start_gateway(bound=False)
    with Traffic(site, account, seed=2, customers=1) as traffic:
        traffic.after_more(30)
    assert site.gateway.terminate(limit=30.0) == 0
    site.start_simulator("--receipts", "delivered")
    site.start_gateway()
    Proof(site, account, inbox, traffic.acknowledged).all([], window=0, credit=CREDIT)


def second(site: Site, **environment: str) -> tuple[int, list[dict[str, str]]]:
    """Start another gateway; return its exit code and its log."""
    command = python("-m", "gateway", "serve", "--config", str(site.config), "--json")
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=site.directory,
        env=Process.environment() | environment,
    )
    return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]


def test_a_second_gateway_says_in_one_line_that_there_is_one(site: Site) -> None:
    site.start_gateway(bound=False)
    code, log = second(site)
    assert (code, [line["event"] for line in log]) == (1, ["cannot serve"])
    assert log[0]["error"] == f"another gateway serves at 127.0.0.1:{site.admin_port}"
    # with listeners of its own it waits a while for the one before to end, and then says no more than that
    site.settings["http"] = {"public": "127.0.0.1:0", "admin": f"127.0.0.1:{free_port()}"}
    site.write_config()
    code, log = second(site, GATEWAY_LOCK_WAIT="0.2")
    assert (code, [line["level"] for line in log]) == (1, ["warning", "error"])
    assert (log[-1]["event"], log[-1]["error"]) == (
        "cannot serve",
        "another gateway is writing this database",
    )
    assert site.gateway.running
