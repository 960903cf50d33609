"""A command loads its own module; nobody waits for the others'."""

import subprocess
import sys

import pytest

from gateway.cli.table import COMMANDS
from tests.support.cli import CommandLine
from tests.support.processes import Process

# what takes longest to load, and what a command that needs none of it must not load
HEAVY = ("sqlalchemy", "alembic", "aiohttp", "psycopg", "cryptography", "phonenumbers", "rich", "structlog")
LIGHT = {
    ("--version",): HEAVY,
    ("simulate", "--help"): HEAVY,
    ("send", "--help"): HEAVY,
    ("config", "init"): ("aiohttp", "psycopg", "cryptography", "alembic"),
    ("account", "list", "--json"): ("aiohttp", "psycopg"),
}
PROGRAM = """
import sys
from gateway.cli import main
try:
    main()
finally:
    print("loaded", *(name for name in sys.modules if "." not in name or name.startswith("gateway.cli.")))
"""


def loaded(cli: CommandLine, *arguments: str) -> set[str]:
    command = [sys.executable, "-P", "-c", PROGRAM, *arguments]
    done = subprocess.run(
        command,
        cwd=cli.directory,
        env=Process.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_what_a_command_does_not_need_is_not_loaded(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    assert loaded(cli, *arguments) & set(LIGHT[arguments]) == set()


def test_only_the_module_of_the_command_is_loaded(cli: CommandLine) -> None:
    modules = {f"gateway.cli.{module}" for module, _ in COMMANDS.values()}
    assert loaded(cli, "message", "--help") & modules == {"gateway.cli.message"}


def test_help_tells_what_each_command_is_for_in_the_order_of_the_table(cli: CommandLine) -> None:
    told = cli("--help").out.partition("Commands:")[2]
    lines = [line.split(maxsplit=1) for line in told.splitlines() if line.startswith("  ")]
    names = [name for name, _ in lines if name in COMMANDS]
    assert names == list(COMMANDS)
    assert all(len(help_) > 20 for name, help_ in lines if name in COMMANDS)


def test_every_group_has_its_own_help(cli: CommandLine) -> None:
    for name in COMMANDS:
        assert f"scloud-sms {name} [OPTIONS]" in cli(name, "-h").out


def test_a_slip_is_answered_with_what_was_meant(cli: CommandLine) -> None:
    done = cli("acount", "list")
    assert done.code == 2
    assert "Did you mean 'account'?" in done.err


def test_who_decides_may_be_named_where_the_store_is_and_nowhere_else(cli: CommandLine) -> None:
    assert "--as" in cli("account", "create", "--help").out
    assert "--as" in cli("operator", "token", "create", "--help").out
    assert cli("account", "create", "--help").out.count("--as") == 1
    for command in (("config", "init"), ("simulate",), ("send",)):
        assert "--as" not in cli(*command, "--help").out
