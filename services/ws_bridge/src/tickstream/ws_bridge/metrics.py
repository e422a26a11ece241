"""The bridge's figures; every label has a bounded set of values."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tickstream.core.metrics import LATENCY_BUCKETS, BatchHistogram


class BridgeMetrics:
    """Counters, gauges and histograms under one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name = "tickstream_ws_bridge_"
        self.connections = Gauge(name + "connections", "Clients connected", registry=registry)
        self.subscriptions = Gauge(name + "subscriptions", "Subscriptions", registry=registry)
        self.frames = Counter(name + "frames", "Frames sent", ["channel"], registry=registry)
        self.records = Counter(name + "records", "Records sent, one for each client", ["channel"], registry=registry)
        self.bytes = Counter(name + "bytes", "Bytes of frames sent", ["channel"], registry=registry)
        self.lost = Counter(
            name + "lost",
            "Records left out by conflation or overflow, as clients were told",
            ["channel"],
            registry=registry,
        )
        self.overflowed = Counter(
            name + "overflowed", "Records dropped because a client's buffer was full", registry=registry
        )
        self.slow_steps = Counter(
            name + "slow_steps",
            "Steps of clients that don't keep up, or do again, by the rate they come to",
            ["to"],
            registry=registry,
        )
        self.commands = Counter(
            name + "commands", "Commands by name and outcome", ["command", "outcome"], registry=registry
        )
        self.refused = Counter(name + "refused", "Connections refused", ["code"], registry=registry)
        self.audit_left_out = Counter(
            name + "audit_left_out", "Lines about clients left out of the log for their number", registry=registry
        )
        self.disconnects = Counter(
            name + "disconnects", "Disconnects by the code told; gone: by the client", ["code"], registry=registry
        )
        self.received = Counter(name + "received", "Records read from the topics", ["channel"], registry=registry)
        self.unreadable = Counter(name + "unreadable", "Records that could not be read", ["channel"], registry=registry)
        self.skipped = Counter(
            name + "skipped",
            "Records that could be read, but not taken in; their readers are told of a loss",
            ["channel"],
            registry=registry,
        )
        self.resumes = Counter(
            name + "resumes", "Subscriptions with a token, by what came of it", ["outcome"], registry=registry
        )
        self.reread = Counter(
            name + "reread", "Records read once more for clients that came back", ["channel"], registry=registry
        )
        self.resume = Histogram(
            name + "resume_seconds",
            "How long reading what a client missed took",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.kafka_lag = Gauge(name + "kafka_lag", "Records not read yet", ["channel"], registry=registry)
        self.kafka_up = Gauge(name + "kafka_up", "Whether Kafka answers", registry=registry)
        self.resting = Gauge(name + "resting", "Whether no trades are read, for want of readers", registry=registry)
        self.partitions_read = Gauge(
            name + "partitions_read", "Partitions of the trades that are read", registry=registry
        )
        self.canary_age = Gauge(
            name + "canary_age_seconds", "How long what Kafka took has not come through", registry=registry
        )
        self.lag = Gauge(
            name + "lag_seconds", "How late records left in the last second, at the worst", registry=registry
        )
        self.loop_lag = Histogram(
            name + "loop_lag_seconds", "How late a flush began", buckets=LATENCY_BUCKETS, registry=registry
        )
        self.flush = Histogram(
            name + "flush_seconds", "How long a flush took", buckets=LATENCY_BUCKETS, registry=registry
        )
        self.latency = BatchHistogram(
            name + "delivery_seconds",
            "From a frame's newest trade's ts_ingest to its writing",
            LATENCY_BUCKETS,
            registry,
        )
