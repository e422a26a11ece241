"""The producer's own figures."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from tickstream.core.metrics import new_registry
from tickstream.producer.adapters.publisher import Account


class Figures:
    """What `/metrics` and system_metrics show."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self._sent = Counter("producer_ticks_sent", "Trades handed to the Kafka client", registry=self.registry)
        self._acknowledged = Gauge("producer_ticks_acknowledged", "Trades that arrived", registry=self.registry)
        self._failed = Gauge("producer_ticks_failed", "Trades that did not arrive", registry=self.registry)
        self._queue = Gauge("producer_queue_length", "Trades sent and on their way", registry=self.registry)
        self._rate = Gauge("producer_ticks_per_second", "Trades sent a second, lately", registry=self.registry)
        self._behind = Gauge(
            "producer_behind_seconds", "How far publishing is behind its schedule", registry=self.registry
        )
        self._seen = 0
        self._at: float | None = None

    def update(self, account: Account, behind: float, now: float) -> None:
        """Take the present state over.

        Args:
            account: what became of the trades.
            behind: seconds behind the schedule.
            now: by a monotonic clock, in seconds.
        """
        sent = sum(account.sent)
        if self._at is not None and now > self._at:
            self._rate.set((sent - self._seen) / (now - self._at))
        self._sent.inc(sent - self._seen)
        self._seen, self._at = sent, now
        self._acknowledged.set(sum(account.acknowledged))
        self._failed.set(account.failed.total())
        self._queue.set(account.waiting)
        self._behind.set(max(0.0, behind))
