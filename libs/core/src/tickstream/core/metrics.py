"""A service's figures, for Prometheus and for the `system_metrics` topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

LATENCY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of latency histograms, in seconds."""


class BatchHistogram(Collector):
    """A histogram that takes many values in one go.

    Args:
        bounds: upper ones of the buckets, ascending; what is above them counts as well.
    """

    def __init__(self, name: str, documentation: str, bounds: Sequence[float], registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = np.array(bounds)
        self._counts = np.zeros(len(bounds) + 1, dtype=np.int64)
        self._sum = 0.0
        registry.register(self)

    def observe(self, values: Sequence[float]) -> None:
        """Count values."""
        self._counts += np.bincount(np.searchsorted(self._bounds, values), minlength=len(self._counts))
        self._sum += sum(values)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The one family, as Prometheus wants it: each bucket with all below it."""
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        buckets = list(zip(names, np.cumsum(self._counts).astype(float).tolist(), strict=True))
        yield HistogramMetricFamily(self._name, self._documentation, buckets, self._sum)


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
