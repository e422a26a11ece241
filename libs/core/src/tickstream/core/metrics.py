"""A service's figures, for Prometheus and for the `system_metrics` topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector

LATENCY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of latency histograms, in seconds."""


def new_registry() -> CollectorRegistry:
    """A registry of the service's own, with the process's memory and CPU in it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def snapshot(registry: CollectorRegistry) -> Mapping[str, float]:
    """Every counter and gauge by its name and labels, as `system_metrics` carries them."""
    figures: dict[str, float] = {}
    for family in registry.collect():
        if family.type not in ("counter", "gauge"):
            continue
        for sample in family.samples:
            if sample.name.endswith("_created"):
                continue
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            figures[f"{sample.name}{{{labels}}}" if labels else sample.name] = float(sample.value)
    return figures
