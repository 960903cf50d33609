"""The demo: what it makes, what it keeps, what it prints."""

import json
import re
import shlex
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from config.load import load
from gateway.auth.scloud import verify
from gateway.cli import demo
from tests.support.cli import CommandLine
from tests.support.processes import free_port


def test_the_first_run_makes_a_configuration_that_people_can_follow(tmp_path: Path) -> None:
    config = demo.prepare(tmp_path / "var")
    settings, network = load(config, {})
    assert settings.log.format == "console"
    assert network.channels["simulator-a"].port == 2775
    assert config.parent.stat().st_mode & 0o077 == 0


def test_a_second_run_keeps_configuration_and_customer(cli: CommandLine) -> None:
    config, kept = demo.prepare(cli.directory), cli.directory / "demo.json"
    first = demo.customer(config, kept)
    config.write_text(config.read_text() + "\n# mine\n")
    assert demo.prepare(cli.directory).read_text().endswith("# mine\n")
    assert demo.customer(config, kept) == first
    assert len(cli("account", "list", "--json").json) == 1


def test_the_customer_has_credit_and_a_template_for_every_purpose(cli: CommandLine) -> None:
    kept = cli.directory / "demo.json"
    made = demo.customer(demo.prepare(cli.directory), kept)
    assert set(made["templates"]) == {"verification", "notification", "promotion"}
    assert cli("account", "show", made["account_id"], "--json").json["available"] == "1000.00"
    assert kept.stat().st_mode & 0o077 == 0


def test_the_commands_to_paste_are_signed_and_hold_no_private_key(cli: CommandLine) -> None:
    config = demo.prepare(cli.directory)
    made = demo.customer(config, cli.directory / "demo.json")
    told = demo.banner(load(config, {})[0], cli.directory, made)
    assert f"private key  {made['private_key']}" in told
    send, curl = (line.strip() for line in told.splitlines() if " send " in line or "curl http" in line)
    assert made["private_key"] not in send + curl
    body = shlex.split(curl)[-1]
    parameters = dict(pair.split("=", 1) for pair in body.split("&"))
    parameters["PhoneNumbers.0"] = "(60)123456789"
    assert verify(parameters, made["private_key"])


@pytest.mark.slow
def test_one_command_shows_a_message_leave_and_its_receipt_return(tmp_path: Path) -> None:
    directory = tmp_path / "var"
    config, network = demo.prepare(directory), directory / "network.toml"
    for port in ("8080", "8081"):
        config.write_text(config.read_text().replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}"))
    network.write_text(network.read_text().replace("port = 2775", f"port = {free_port()}"))
    first = run_and_send(directory)
    assert first["receipts"][0]["Phone"] == demo.NUMBER
    again = run_and_send(directory)
    assert again["session_no"] != first["session_no"]


def run_and_send(directory: Path) -> dict[str, object]:
    """Start the demo, paste its command, press Ctrl-C."""
    program = [sys.executable, "-m", "gateway"]
    with subprocess.Popen(
        [*program, "demo", "--directory", str(directory)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            told = "".join(takewhile(lambda line: not line.startswith("Ctrl-C"), process.stdout))
            pasted = re.search(r"send (--config .*)", told)
            assert pasted, told
            done = subprocess.run(
                [*program, "send", *shlex.split(pasted[1]), "--json"],
                capture_output=True,
                text=True,
                check=True,
            )
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
