"""Figures as Prometheus reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tickstream.core.metrics import LATENCY_BUCKETS, BatchHistogram


@given(st.lists(st.lists(st.one_of(st.floats(0, 20), st.sampled_from(LATENCY_BUCKETS)), min_size=1), max_size=5))
def test_a_histogram_of_batches_says_what_one_of_single_values_says(batches: list[list[float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    batched = BatchHistogram("age_seconds", "Ages", LATENCY_BUCKETS, ours)
    single = Histogram("age_seconds", "Ages", buckets=LATENCY_BUCKETS, registry=theirs)
    for batch in batches:
        batched.observe(batch)
        for value in batch:
            single.observe(value)
    assert _told(ours) == pytest.approx(_told(theirs))


def _told(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """Each line of the page but that of when the figure was made."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, sample.labels.get("le", "")): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
