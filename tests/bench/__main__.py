"""`python -m tests.bench`: measure, print a table, write bench.json; exit 1 if messages were lost."""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import phases
from tests.bench.phases import Figures, Size
from tests.bench.rig import Lost, Rig
from tests.support.processes import ROOT

KEYS = (
    *("bare_rps", "single_mps", "single_ratio", "single_cpu_us", "multi_mps", "multi_ratio", "multi_cpu_us"),
    *("accept_p50_ms", "accept_p99_ms", "submit_p50_ms"),
    *("backlog_rss_mb", "backlog_accept_ratio", "drain_ratio"),
)
AT_LEAST = {"single_ratio": 0.45, "multi_ratio": 1.5, "backlog_accept_ratio": 0.8, "drain_ratio": 0.8}
AT_MOST = {"accept_p99_ms": 50.0, "submit_p50_ms": 10.0, "backlog_rss_mb": 300.0}
MEANING = {
    "bare_rps": "bare aiohttp handler, requests/s",
    "single_mps": "one number a request, messages/s at the carrier",
    "single_ratio": "… over the bare handler",
    "single_cpu_us": "… gateway CPU a message, µs",
    "multi_mps": "1000 numbers a request, messages/s at the carrier",
    "multi_ratio": "… over the bare handler",
    "multi_cpu_us": "… gateway CPU a message, µs",
    "accept_p50_ms": "accept at half load, p50 ms",
    "accept_p99_ms": "accept at half load, p99 ms",
    "submit_p50_ms": "request → submit_sm when idle, p50 ms",
    "backlog_rss_mb": "memory with the backlog, MiB at most",
    "backlog_accept_ratio": "accept rate with the backlog over the empty one",
    "drain_ratio": "drain rate over multi_mps",
}
Targets = tuple[Mapping[str, float], Mapping[str, float]]  # at least, at most
WITHOUT_RULES: Targets = AT_LEAST, AT_MOST
WITH_RULES: Targets = (
    AT_LEAST | {"single_ratio": 0.40, "multi_ratio": 1.2},
    AT_MOST | {"backlog_rss_mb": 500.0},
)
QUICK = Size(seconds=6.0, rounds=2, idle_requests=60, backlog=100_000)
PHASES = ("single", "multi", "latency", "idle", "backlog")
NEEDS = {"latency": ("single",), "backlog": ("multi",)}


def run(rig: Rig, size: Size, wanted: set[str], console: Console) -> Figures:
    """Carry out the wanted phases in order."""
    figures = Figures()
    steps = {
        "throughput": lambda: phases.throughput(rig, size, figures, wanted),
        "latency": lambda: phases.latency(rig, size, figures),
        "idle": lambda: phases.idle(rig, size, figures),
        "backlog": lambda: phases.backlog(rig, size, figures),
    }
    for name, step in steps.items():
        if name in wanted or (name == "throughput" and wanted & {"single", "multi"}):
            started = time.monotonic()
            with console.status(f"{name} …"):
                step()
            console.print(f"  {name:10} {time.monotonic() - started:6.1f} s", style="dim")
    return figures


def show(console: Console, figures: Figures, targets: Targets) -> None:
    """Print the table."""
    table = Table(title="scloud-sms bench", title_justify="left")
    for column, justify in (
        ("", "left"),
        ("key", "left"),
        ("figure", "right"),
        ("target", "right"),
        ("", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for key in KEYS:
        if key in figures.values:
            value = figures.values[key]
            table.add_row(
                MEANING[key],
                key,
                f"{value:,.3g}" if value < 100 else f"{value:,.0f}",
                *_target(key, value, targets),
            )
    console.print(table)
    for what, note in figures.notes.items():
        console.print(f"  {what}: {note}", style="dim", highlight=False)


def _target(key: str, value: float, targets: Targets) -> tuple[str, str]:
    at_least, at_most = targets
    if key in at_least:
        return f"≥ {at_least[key]:g}", "[green]met" if value >= at_least[key] else "[red]missed"
    if key in at_most:
        return f"≤ {at_most[key]:g}", "[green]met" if value <= at_most[key] else "[red]missed"
    return "", ""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short phases, a backlog of 100,000")
    parser.add_argument(
        "--rules", action="store_true", help="with 10,000 blocked words and a blacklist of 1,000,000 numbers"
    )
    parser.add_argument(
        "--only", choices=PHASES, action="append", help="this phase and what it needs; repeatable"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "bench.json", help="where the figures go")
    parser.add_argument("--directory", type=Path, default=ROOT / "var", help="the database goes below it")
    parser.add_argument("--keep", action="store_true", help="leave database and logs behind")
    return parser.parse_args()


def main() -> int:
    """Run the benchmark; return the exit code."""
    options = arguments()
    console = Console()
    wanted = set(options.only or PHASES)
    for name in tuple(wanted):
        wanted.update(NEEDS.get(name, ()))
    options.directory.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=options.directory)).resolve()
    console.print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {directory}", style="dim")
    try:
        with Rig(directory, rules=options.rules) as rig:
            figures = run(rig, QUICK if options.quick else Size(), wanted, console)
    except Lost as error:
        console.print(f"[red]messages lost or doubled:[/] {error}", highlight=False)
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)
    show(console, figures, WITH_RULES if options.rules else WITHOUT_RULES)
    rounded = {key: round(figures.values[key], 3) for key in KEYS if key in figures.values}
    options.out.write_text(json.dumps(rounded, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
