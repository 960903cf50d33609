"""`serve`: the gateway itself."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Annotated, Any

import typer
import uvloop

from config.schema import Network, Settings
from gateway.cli.common import DEFAULT_CONFIG, ConfigOption
from gateway.cli.settings import load_checked
from gateway.logs import configure, log_loop_errors


def serve_command(
    config: ConfigOption = DEFAULT_CONFIG,
    json: Annotated[
        bool, typer.Option("--json", help="Write the log as JSON, whatever the settings say.")
    ] = False,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; then drain and stop."""
    settings, network = load_checked(config)
    sys.exit(run(settings, network, log_format="json" if json else None))


def run(settings: Settings, network: Network, log_format: str | None = None) -> int:
    """Run the gateway in this process; return its exit code."""
    from gateway.app import serve  # noqa: PLC0415  # the other commands start in half the time without it

    configure(settings.log, log_format=log_format)
    return run_loop(serve(settings, network, _tell))


def _tell(words: str) -> None:
    """Show the person who started us what must not be in any log; standard output is for results."""
    print(words, file=sys.stderr, flush=True)


def run_loop(work: Coroutine[Any, Any, int]) -> int:
    """Run `work` to its end on the fast event loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        log_loop_errors(runner.get_loop())
        return runner.run(work)
