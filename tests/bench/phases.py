"""What is measured, one function a phase; each leaves nothing on its way behind."""

import socket
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from carriers.simulator.record import read_record
from tests.bench.rig import Rig
from tests.support.processes import free_port, wait_for

CONNECTIONS = 128  # customers that send single messages at once: enough that the gateway waits for none
BULK_CONNECTIONS = 8  # customers that send thousands
SIMULATED_DELAY = 0.1  # seconds from an answer to its receipt, at the simulator
TAIL = 0.07  # of the load's time: what the last receipts and callbacks may take without counting as lag
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How long and how much."""

    seconds: float = 15.0  # of each kind of load, all rounds together
    rounds: int = 3  # in which the kinds of load take turns; short ones measure their own beginning
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


class Floor:
    """The bare handler, a process beside the gateway's, and what it has shown so far."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._port = free_port()
        self._process = rig.site.start("floor", rig.module("tests.bench.floor", str(self._port)))
        wait_for("bare handler", lambda: _listening(self._port), alive=self._process)
        assert rig.load(host_port=self._port, requests=1, connections=1).acked == 1
        rig.load(host_port=self._port, seconds=1.0, connections=CONNECTIONS)
        self._acked = self._seconds = self._cpu = self._generator = 0.0

    def measure(self, seconds: float) -> None:
        """Count the requests of one slice."""
        cpu = self._process.cpu_seconds()
        result = self._rig.load(host_port=self._port, seconds=seconds, connections=CONNECTIONS)
        self._cpu += self._process.cpu_seconds() - cpu
        self._acked += result.acked
        self._seconds += result.elapsed
        self._generator += result.cpu

    def show(self, figures: Figures) -> None:
        """Give the figures of all slices, and end."""
        self._process.terminate()
        figures.values["bare_rps"] = self._acked / self._seconds
        figures.notes["bare handler"] = (
            f"{self._cpu / self._acked * 1e6:.0f} µs CPU a request, "
            f"generator {self._generator / self._acked * 1e6:.0f} µs"
        )


def _listening(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2):
            return True
    except OSError:
        return False


class Throughput:
    """Messages a second the carrier sees, under as much load as is taken.

    Two readings, the lower one counts: the carrier's own count while the load lasts, and all messages
    over the time until the last callback. So neither a queue before the carrier nor one behind it helps.
    """

    def __init__(self, rig: Rig, name: str, *, numbers: int) -> None:
        self._rig = rig
        self._name = name
        self._numbers = numbers
        self._connections = CONNECTIONS if numbers == 1 else BULK_CONNECTIONS
        self._messages = self._sent = self._throttled = 0
        self._seconds = self._overall = self._tail = self._cpu = self._generator = 0.0
        self._carried, self._carrying = 0, 0.0
        self._latencies: list[float] = []
        rig.load(seconds=1.0, numbers=numbers, connections=self._connections)
        rig.settle()

    def measure(self, seconds: float) -> None:
        """Count the messages of one slice, until the last of them is reported."""
        rig, gateway = self._rig, self._rig.site.gateway
        samples = [rig.carried()]
        cpu, before = gateway.cpu_seconds(), rig.accepted

        def watch() -> None:
            if (sample := rig.carried()) != samples[-1]:
                samples.append(sample)

        result = rig.load(seconds=seconds, numbers=self._numbers, connections=self._connections, watch=watch)
        finished = rig.settle()
        within = [s for s in samples if result.started + 0.5 <= s[0] <= result.started + result.elapsed]
        self._carried += within[-1][1] - within[0][1]
        self._carrying += within[-1][0] - within[0][0]
        self._messages += rig.accepted - before
        tail = finished - result.started - result.elapsed
        self._seconds += result.elapsed
        self._overall += result.elapsed + max(0.0, tail - SIMULATED_DELAY - TAIL * seconds)
        self._tail = max(self._tail, tail)
        self._cpu += gateway.cpu_seconds() - cpu
        self._generator += result.cpu
        self._sent += result.sent
        self._throttled += result.throttled
        self._latencies += result.latencies

    def show(self, figures: Figures) -> None:
        """Give the figures of all slices."""
        name, messages = self._name, self._messages
        at_carrier, overall = self._carried / self._carrying, messages / self._overall
        rate = min(at_carrier, overall)
        figures.values[f"{name}_mps"] = rate
        figures.values[f"{name}_ratio"] = rate / figures.values["bare_rps"]
        figures.values[f"{name}_cpu_us"] = self._cpu / messages * 1e6
        p50, p99 = (percentile(sorted(self._latencies), share) * 1000 for share in (0.5, 0.99))
        figures.notes |= {
            f"{name}: accepted": f"{messages / self._seconds:,.0f} messages/s ({messages:,} in all)",
            f"{name}: at the carrier": f"{at_carrier:,.0f}/s while the load lasts, {overall:,.0f}/s overall",
            f"{name}: tail": f"{self._tail:.1f} s from the last answer to the last callback, at most",
            f"{name}: latency": f"p50 {p50:.1f} ms, p99 {p99:.1f} ms",
            f"{name}: generator": f"{self._generator / self._sent * 1e6:.0f} µs CPU a request; "
            f"told to wait {self._throttled} times",
        }


def throughput(rig: Rig, size: Size, figures: Figures, wanted: Collection[str]) -> None:
    """Measure the bare handler and the gateway in turns: what else the machine does meets both alike."""
    floor = Floor(rig)
    numbers = {"single": 1, "multi": 1000}
    meters = [Throughput(rig, name, numbers=numbers[name]) for name in numbers if name in wanted]
    for _ in range(size.rounds):
        floor.measure(size.seconds / size.rounds / 2)
        for meter in meters:
            meter.measure(size.seconds / size.rounds)
    floor.show(figures)
    for meter in meters:
        meter.show(figures)


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
