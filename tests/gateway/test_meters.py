"""The kinds of metric: what goes in comes out, one by one or in batches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from gateway.meters import Latency, Levels


def test_a_level_without_labels_is_set() -> None:
    registry = CollectorRegistry()
    Levels(registry, "depth", "How deep.").set(4)
    assert registry.get_sample_value("scloud_depth") == 4


@given(st.lists(st.floats(min_value=0, max_value=20)))
def test_a_batch_lands_in_the_same_buckets_as_its_values_one_by_one(values: list[float]) -> None:
    bounds = (0.1, 1.0, 10.0)
    batch, single = Latency(bounds), Latency(bounds)
    batch.observe_many(values)
    for value in values:
        single.observe(value)
    assert batch.buckets() == single.buckets()
    assert batch.total == pytest.approx(single.total)
    assert [count for _, count in batch.buckets()] == [
        *(sum(value <= bound for value in values) for bound in bounds),
        len(values),
    ]
