"""What the processor counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tickstream.core.metrics import LATENCY_BUCKETS
from tickstream.processor.domain.output import Taken


class Figures:
    """The processor's figures on `/metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"tickstream_processor_{name}", words, labels, registry=registry)

        self.ticks = counter("ticks", "Trades that were read.")
        self.duplicates = counter("duplicates", "Trades that had been seen before.")
        self.suspicious = counter("suspicious", "Suspicious prints left out of bars.")
        self.late = counter("late", "Late trades that changed closed bars.")
        self.too_late = counter("too_late", "Trades that came too late to count.")
        self.revisions = counter("revisions", "Closed bars that late trades have changed.")
        self.rejected = counter("rejected", "Records that could not be read as trades.")
        self.gaps = counter("gaps", "Times that a source skipped numbers.")
        self.bars = counter("bars", "Closed bars.", "interval")
        self.indicator_errors = counter(
            "indicator_errors", "Bars for which an indicator of one's own failed.", "indicator"
        )
        self.transactions = counter("transactions", "Transactions that were committed.")
        self.restarts = counter("restarts", "Times that state was read back after a failure.")
        self.commit_seconds = Histogram(
            "tickstream_processor_commit_seconds",
            "How long a commit took.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.lag = Gauge("tickstream_processor_lag_records", "Trades that are still to be read.", registry=registry)
        self.symbols = Gauge("tickstream_processor_symbols", "Symbols of the partitions at hand.", registry=registry)

    def count(self, taken: Taken) -> None:
        """Count what became of some trades."""
        self.duplicates.inc(taken.duplicates)
        self.suspicious.inc(taken.suspicious)
        self.late.inc(taken.late)
        self.too_late.inc(len(taken.too_late))
        self.gaps.inc(len(taken.gaps))
