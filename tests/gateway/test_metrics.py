"""The metrics page: what was counted is what a scrape reads."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import Metrics


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(metrics.render().decode()):
        for found in family.samples:
            if found.name == name and found.labels == labels:
                return found.value
    return None


def test_counts_add_up_by_label() -> None:
    metrics = Metrics()
    metrics.channels.segments.add(3, "malaysia-a", "ESME_ROK")
    metrics.channels.segments.child("malaysia-a", "ESME_ROK").inc(2)
    metrics.channels.segments.add(1, "malaysia-a", "ESME_RTHROTTLED")
    name = "scloud_segments_total"
    assert sample(metrics, name, channel="malaysia-a", status="ESME_ROK") == 5
    assert sample(metrics, name, channel="malaysia-a", status="ESME_RTHROTTLED") == 1


def test_a_level_set_before_the_scrape_is_on_the_page_and_a_gone_queue_is_not() -> None:
    metrics = Metrics()
    queues = {("a,b", "verification"): 2.0, ("a", "promotion"): 7.0}
    metrics.before_scrape(lambda: metrics.messages.queued.replace(queues))
    assert sample(metrics, "scloud_queue_messages", channel="a,b", purpose="verification") == 2
    del queues["a,b", "verification"]
    assert sample(metrics, "scloud_queue_messages", channel="a,b", purpose="verification") is None
    assert sample(metrics, "scloud_queue_messages", channel="a", purpose="promotion") == 7


def test_a_histogram_is_exposed_with_buckets_sum_and_count() -> None:
    metrics = Metrics()
    metrics.channels.answer_seconds.observe_many([0.002, 0.02, 99.0], "a")
    assert sample(metrics, "scloud_answer_seconds_bucket", channel="a", le="0.025") == 2
    assert sample(metrics, "scloud_answer_seconds_count", channel="a") == 3
    assert sample(metrics, "scloud_answer_seconds_sum", channel="a") == pytest.approx(99.022)


def test_every_metric_has_a_help_text_and_a_line_in_the_reference() -> None:
    page = Path("docs/metrics.md").read_text()
    documented = set(re.findall(r"`(scloud_\w+)`", page))
    ours = {
        family.name + ("_total" if family.type == "counter" else "_info" if family.type == "info" else "")
        for family in Metrics().registry.collect()
        if family.name.startswith("scloud_")
    }
    assert ours == documented
    assert all(family.documentation for family in Metrics().registry.collect())
