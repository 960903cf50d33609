"""The kinds of metric: counters, levels and histograms that are cheap enough for every message.

On the hot path count in batches: `add(n, …labels)` looks its child up in a dict, `observe_many` sorts a whole
batch into buckets. Everything is touched by the event loop's thread alone, so a `Latency` needs no lock.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

NAMESPACE = "scloud"

Labels = tuple[str, ...]


class Description(NamedTuple):
    """A family as the reference page shows it."""

    name: str
    kind: str
    text: str
    labels: Labels


class Count:
    """One counter child: a plain number, cheap enough for every message."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        """Count `amount` more."""
        self.value += amount


class Counts(Collector):
    """A counter family of `Count` children."""

    def __init__(self, registry: CollectorRegistry, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self._description = Description(name, "counter", text, tuple(labels))
        self._children: dict[Labels, Count] = {} if labels else {(): Count()}
        registry.register(self)

    def describe_family(self) -> Description:
        """Return its line of the reference page."""
        return self._description

    def child(self, *labels: str) -> Count:
        """Return the child of `labels`, to be kept by callers that count often."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = Count()
        return child

    def add(self, amount: float, *labels: str) -> None:
        """Count `amount` more under `labels`."""
        self.child(*labels).value += amount

    def collect(self) -> Iterator[Metric]:
        """Hand the family to the registry."""
        name, _, text, labels = self._description
        family = CounterMetricFamily(f"{NAMESPACE}_{name}", text, labels=labels)
        for values, child in self._children.items():
            family.add_metric(values, child.value)
        yield family


class Levels:
    """A gauge family."""

    def __init__(self, registry: CollectorRegistry, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self._family = Gauge(name, text, labels, namespace=NAMESPACE, registry=registry)
        self._description = Description(name, "gauge", text, tuple(labels))
        self._labelled = bool(labels)

    def describe_family(self) -> Description:
        """Return its line of the reference page."""
        return self._description

    def set(self, value: float, *labels: str) -> None:
        """Set the level under `labels`."""
        (self._family.labels(*labels) if self._labelled else self._family).set(value)

    def replace(self, values: Mapping[Labels, float]) -> None:
        """Set every child and forget those not given: lanes and links come and go."""
        self._family.clear()
        for labels, value in values.items():
            self._family.labels(*labels).set(value)


class Latency:
    """One histogram child: plain numbers, cheap enough for every message."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last one is +Inf
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def observe_many(self, values: Iterable[float]) -> None:
        """Count a batch."""
        bounds, counts, total = self._bounds, self.counts, 0.0
        for value in values:
            counts[bisect_left(bounds, value)] += 1
            total += value
        self.total += total

    def buckets(self) -> list[tuple[str, float]]:
        """Return the cumulative counts as the exposition format wants them."""
        seen = 0
        result: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, map(float, self._bounds)), "+Inf"), self.counts, strict=True):
            seen += count
            result.append((bound, seen))
        return result


class Latencies(Collector):
    """A histogram family of `Latency` children."""

    def __init__(
        self,
        registry: CollectorRegistry,
        name: str,
        text: str,
        bounds: Sequence[float],
        labels: Sequence[str] = (),
    ) -> None:
        self._name, self._text, self._bounds, self._labels = f"{NAMESPACE}_{name}", text, bounds, labels
        self._children: dict[Labels, Latency] = {} if labels else {(): Latency(bounds)}
        registry.register(self)

    def describe_family(self) -> Description:
        """Return its line of the reference page."""
        return Description(
            self._name.removeprefix(f"{NAMESPACE}_"), "histogram", self._text, tuple(self._labels)
        )

    def child(self, *labels: str) -> Latency:
        """Return the child of `labels`, to be kept by callers that observe often."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = Latency(self._bounds)
        return child

    def observe(self, value: float, *labels: str) -> None:
        """Count one value under `labels`."""
        self.child(*labels).observe(value)

    def observe_many(self, values: Iterable[float], *labels: str) -> None:
        """Count a batch under `labels`."""
        self.child(*labels).observe_many(values)

    def collect(self) -> Iterator[Metric]:
        """Hand the family to the registry."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for labels, child in self._children.items():
            family.add_metric(labels, child.buckets(), child.total)
        yield family
