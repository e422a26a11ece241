"""What the sink counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Figures:
    """The sink's figures on `/metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.points = Counter(
            "tickstream_sink_points", "Points that the store has taken.", ["measurement"], registry=registry
        )
        self.batches = Counter("tickstream_sink_batches", "Batches that were stored.", registry=registry)
        self.retries = Counter("tickstream_sink_retries", "Times that a batch had to wait.", registry=registry)
        self.rejected = Counter(
            "tickstream_sink_rejected", "Records that went to the DLQ.", ["topic"], registry=registry
        )
        self.unreadable = Counter(
            "tickstream_sink_unreadable",
            "Trades that can't be read, which the bars' role sets aside.",
            registry=registry,
        )
        self.lag = Gauge("tickstream_sink_lag_records", "Records that are still to be read.", registry=registry)
