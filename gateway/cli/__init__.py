"""The `scloud-sms` commands, one group a file. Errors go to standard error and change nothing."""

import os
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from config.load import ConfigError
from gateway.cli.table import Commands
from gateway.errors import GatewayError
from gateway.version import VERSION

app = typer.Typer(
    name="scloud-sms",
    cls=Commands,
    help="A carrier-grade SMS gateway: signed HTTP in, throttled SMPP out, every receipt back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # plain help: tables leave long texts a few columns of a terminal, and markup eats words in brackets
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"scloud-sms {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    del version  # the callback has acted on it


def main() -> None:
    """Run the command line; what went wrong is told in one line and makes the exit code 1."""
    os.umask(0o077)  # whatever we write holds keys, numbers or texts: it is for its owner alone
    try:
        app()
    except (ConfigError, GatewayError, OSError) as error:
        sys.exit(_told(error))
    except ExceptionGroup as group:  # several tasks of one process may have come to grief
        expected, unexpected = group.split((GatewayError, OSError))
        if unexpected is not None or expected is None:
            raise
        sys.exit("\n".join(_told(error) for error in _leaves(expected)))


def _told(error: BaseException) -> str:
    if isinstance(error, ConfigError):
        return "\n".join(f"error: {problem}" for problem in error.problems)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"error: {where}{error.strerror or error}"
    return f"error: {error}"


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
