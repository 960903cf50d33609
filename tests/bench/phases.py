"""What is measured, one function a phase; each leaves nothing on its way behind."""

import socket
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from carriers.simulator.record import read_record
from tests.bench.load import Result
from tests.bench.rig import Rig
from tests.support.processes import free_port, wait_for

CONNECTIONS = 64  # customers that send single messages at the same time
BULK_CONNECTIONS = 8  # customers that send thousands
SIMULATED_DELAY = 0.1  # seconds from an answer to its receipt, at the simulator
TAIL = 1.0  # seconds the last receipts and callbacks may take without counting as lag
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How long and how much."""

    seconds: float = 15.0  # of each throughput and latency phase
    floor_seconds: float = 8.0
    idle_requests: int = 200
    backlog: int = 1_000_000


@dataclass(slots=True)
class Figures:
    """The results, by the names of `bench.json`; and what else is worth showing."""

    values: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the value below which `share` of them lie."""
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))]


def floor(rig: Rig, size: Size, figures: Figures) -> None:
    """Requests a second of a handler that only reads, parses and answers."""
    port = free_port()
    process = rig.site.start("floor", rig.module("tests.bench.floor", str(port)))

    def connects() -> bool:
        return rig.load(host_port=port, requests=1, connections=1).acked == 1

    wait_for("bare handler", lambda: _listening(port), alive=process)
    assert connects()
    rig.load(host_port=port, seconds=1.0, connections=CONNECTIONS)
    cpu = process.cpu_seconds()
    result = rig.load(host_port=port, seconds=size.floor_seconds, connections=CONNECTIONS)
    used = (process.cpu_seconds() - cpu) / result.acked
    rate = result.acked / result.elapsed
    process.terminate()
    before = figures.values.get("bare_rps")
    figures.values["bare_rps"] = rate if before is None else (before + rate) / 2
    figures.notes["bare handler"] = f"{used * 1e6:.0f} µs CPU a request, generator {_generator(result)}"


def _listening(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2):
            return True
    except OSError:
        return False


def _generator(result: Result) -> str:
    return f"{result.cpu / result.sent * 1e6:.0f} µs"


def throughput(rig: Rig, figures: Figures, name: str, *, numbers: int, seconds: float) -> None:
    """Messages a second the carrier sees, under as much load as is taken.

    Two readings, the lower one counts: the carrier's own count while the load lasts, and all messages
    over the time until the last callback. So neither a queue before the carrier nor one behind it helps.
    """
    connections = CONNECTIONS if numbers == 1 else BULK_CONNECTIONS
    rig.load(seconds=1.0, numbers=numbers, connections=connections)
    rig.settle()
    gateway, samples = rig.site.gateway, [rig.carried()]
    cpu, before = gateway.cpu_seconds(), rig.accepted

    def watch() -> None:
        if (sample := rig.carried()) != samples[-1]:
            samples.append(sample)

    result = rig.load(seconds=seconds, numbers=numbers, connections=connections, watch=watch)
    messages = rig.accepted - before
    finished = rig.settle()
    within = [s for s in samples if result.started + 0.5 <= s[0] <= result.started + result.elapsed]
    at_carrier = (within[-1][1] - within[0][1]) / (within[-1][0] - within[0][0])
    overall = messages / max(result.elapsed, finished - result.started - SIMULATED_DELAY - TAIL)
    rate = min(at_carrier, overall)
    figures.values[f"{name}_mps"] = rate
    figures.values[f"{name}_ratio"] = rate / figures.values["bare_rps"]
    figures.values[f"{name}_cpu_us"] = (gateway.cpu_seconds() - cpu) / messages * 1e6
    figures.notes[f"{name}: accepted"] = f"{messages / result.elapsed:,.0f} messages/s ({messages:,} in all)"
    figures.notes[f"{name}: at the carrier"] = (
        f"{at_carrier:,.0f}/s while the load lasts, {overall:,.0f}/s overall"
    )
    tail = finished - result.started - result.elapsed
    figures.notes[f"{name}: tail"] = f"{tail:.1f} s from the last answer to the last callback"
    p50, p99 = (percentile(result.latencies, share) * 1000 for share in (0.5, 0.99))
    figures.notes[f"{name}: latency"] = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    figures.notes[f"{name}: generator"] = (
        f"{_generator(result)} CPU a request; told to wait {result.throttled} times"
    )


def latency(rig: Rig, size: Size, figures: Figures) -> None:
    """Accept latency at half of the maximum load, counted from when each request was due."""
    rate = figures.values["single_mps"] / 2
    result = rig.load(seconds=size.seconds, rate=rate, connections=CONNECTIONS)
    rig.settle()
    figures.values["accept_p50_ms"] = percentile(result.latencies, 0.5) * 1000
    figures.values["accept_p99_ms"] = percentile(result.latencies, 0.99) * 1000
    figures.notes["half load"] = f"{result.acked / result.elapsed:,.0f} of {rate:,.0f} requests/s"


def idle(rig: Rig, size: Size, figures: Figures) -> None:
    """From a request sent to its submit_sm at the carrier, on an idle gateway, one at a time."""
    rig.restart_carrier(record=True)
    result = rig.load(requests=size.idle_requests, rate=20.0, connections=1, keep_times=True)
    rig.settle()
    arrived = {e["destination"]: e["at"] for e in read_record(rig.site.record) if e["event"] == "submit"}
    delays = sorted(arrived[phone] - sent for phone, sent in result.times.items())
    figures.values["submit_p50_ms"] = percentile(delays, 0.5) * 1000
    figures.notes["idle"] = f"request → submit_sm p99 {percentile(delays, 0.99) * 1000:.1f} ms"
    rig.restart_carrier(record=False)


def backlog(rig: Rig, size: Size, figures: Figures) -> None:
    """A carrier that is down while messages pile up, then comes back."""
    rig.stop_carrier()
    gateway, peak = rig.site.gateway, [rig.site.gateway.rss()]

    def watch() -> None:
        peak.append(gateway.rss())

    requests = size.backlog // 1000
    result = rig.load(requests=requests, numbers=1000, connections=BULK_CONNECTIONS, watch=watch)
    piled = max(peak)
    fifth = max(1, requests // 5)
    times = result.timeline
    empty, full = fifth / times[fifth - 1], fifth / (times[-1] - times[-1 - fifth])
    rig.start_carrier()
    first, drained = _drain(rig, watch)
    rig.settle(watch)
    figures.values["backlog_rss_mb"] = max(peak) / MIB
    figures.values["backlog_accept_ratio"] = full / empty
    rate = size.backlog / (drained - first)
    figures.values["drain_ratio"] = rate / figures.values["multi_mps"]
    figures.notes["backlog: accepted"] = (
        f"{empty * 1000:,.0f} messages/s at first, {full * 1000:,.0f} at last"
    )
    figures.notes["backlog: memory"] = f"{piled / MIB:.0f} MiB piled up, {max(peak) / MIB:.0f} MiB at most"
    figures.notes["backlog: drained"] = f"{rate:,.0f} messages/s"


def _drain(rig: Rig, watch: Callable[[], None]) -> tuple[float, float]:
    """Return when the backlog began to leave and when all of it had left."""
    samples = [rig.carried()]

    def done() -> bool:
        watch()
        rig.site.gateway.check()
        if (sample := rig.carried()) != samples[-1]:
            samples.append(sample)
        return samples[-1][1] >= rig.accepted

    wait_for("drained backlog", done, 900.0)
    start = rig.accepted - (samples[-1][1] - samples[0][1])
    counts = [count for _, count in samples]
    began = samples[max(0, bisect_left(counts, start + 1) - 1)][0]
    return began, samples[-1][0]
