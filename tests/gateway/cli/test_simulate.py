"""The simulated carrier by command line, as a process of its own."""

import json
import subprocess
import sys

import pytest

from tests.support.cli import CommandLine


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--receipts", "delivered=2"), "receipts: the share of 'delivered' must be a number from 0 to 1"),
        (("--fault", "explode"), "explode"),
        (("--receipt-delay", "soon"), "'soon' is not"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    cli: CommandLine, option: tuple[str, str], told: str
) -> None:
    done = cli("simulate", "--port", "0", *option)
    assert (done.code, done.out) == (1, "")
    assert told in done.err


def test_its_help_can_be_read_on_a_narrow_terminal(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = cli("simulate", "--help").out
    assert max(map(len, told.splitlines())) <= 80
    assert "A TOML file of [[fault]] tables" in told
    texts = [line[32:] for line in told.splitlines() if line.startswith(" " * 32)]
    assert sum(map(len, texts)) / len(texts) > 30  # beside the options, not in a gutter
    assert "duplicate-receipt" in told


def test_it_says_where_it_listens_and_at_its_end_what_happened() -> None:
    command = [sys.executable, "-m", "gateway", "simulate", "--port", "0", "--json", "--until-eof"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    listening = json.loads(process.stdout.readline())
    assert listening["host"] == "127.0.0.1"
    assert listening["port"] > 0
    out, _ = process.communicate(timeout=30)  # closes its standard input: the sign to stop
    assert process.returncode == 0
    assert json.loads(out)["connections"] == 0
