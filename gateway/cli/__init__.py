"""The `scloud-sms` commands, one group a file. Errors go to standard error and change nothing."""

import os
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from config.load import ConfigError
from gateway.cli import (
    account,
    acting,
    audit,
    demo,
    inbound,
    key,
    lists,
    message,
    operator,
    project,
    review,
    reviews,
    risk,
    send,
    serve,
    settings,
    simulate,
    standing,
    stats,
)
from gateway.errors import GatewayError
from gateway.version import VERSION

app = typer.Typer(
    name="scloud-sms",
    help="A carrier-grade SMS gateway: signed HTTP in, throttled SMPP out, every receipt back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # plain help: tables leave long texts a few columns of a terminal, and markup eats words in brackets
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve_command)
app.add_typer(operator.app, name="operator")
app.add_typer(audit.app, name="audit")
standing.register(account.app)
app.add_typer(account.app, name="account")
app.add_typer(key.app, name="key")
app.add_typer(project.app, name="project")
app.add_typer(review.signatures, name="signature")
app.add_typer(review.templates, name="template")
app.add_typer(reviews.app, name="review")
app.add_typer(message.app, name="message")
app.add_typer(inbound.messages, name="inbound")
app.add_typer(inbound.numbers, name="number")
app.add_typer(risk.app, name="risk")
for name, commands in lists.GROUPS.items():
    app.add_typer(commands, name=name)
app.add_typer(stats.app, name="stats")
app.command("send")(send.send_command)
app.command("simulate")(simulate.simulate_command)
app.add_typer(settings.app, name="config")
app.command("demo")(demo.demo_command)
for group in app.registered_groups:
    if group.typer_instance is not settings.app:  # which works on files alone
        acting.offer(group.typer_instance)


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
