"""A service's own figures on the `system_metrics` topic, every few seconds."""

from __future__ import annotations

import threading
from typing import Final, Self

from prometheus_client import CollectorRegistry

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs
from tickstream.core.errors import TickstreamError
from tickstream.core.kafka import Kafka
from tickstream.core.logging import logger
from tickstream.core.metrics import snapshot
from tickstream.core.model import SystemMetrics
from tickstream.core.service import instance_name
from tickstream.core.topics import SYSTEM_METRICS

_LOG = logger(__name__)
_PERIOD: Final = 5.0
_QUEUED: Final = 100


class Reporter:
    """Publishes a snapshot of a registry from a thread of its own, at best effort.

    While Kafka is away the newest figures are dropped once the small queue is full; nothing waits for them.

    Args:
        kafka: the cluster.
        codecs: encode the record.
        registry: what is published.
        service: the service's name.
        clock: gives the record its time.
        period: seconds between two snapshots.
    """

    def __init__(
        self,
        kafka: Kafka,
        codecs: Codecs,
        registry: CollectorRegistry,
        service: str,
        clock: Clock,
        period: float = _PERIOD,
    ) -> None:
        self._topic = kafka.topic(SYSTEM_METRICS.name)
        self._producer = kafka.producer(f"{service}-metrics", queue_buffering_max_messages=_QUEUED)
        self._codecs = codecs
        self._registry = registry
        self._service = service
        self._instance = instance_name()
        self._clock = clock
        self._period = period
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def _run(self) -> None:
        while not self._ended.wait(self._period):
            self.report()

    def report(self) -> None:
        """Publish the figures as they are now."""
        record = SystemMetrics(self._service, self._instance, self._clock.now_ns(), snapshot(self._registry))
        try:
            value = self._codecs.of(SystemMetrics).encode(record)
            self._producer.produce(self._topic, key=self._service.encode(), value=value)
        except (TickstreamError, BufferError) as error:
            _LOG.debug("metrics_dropped", reason=str(error))
        self._producer.poll(0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join(self._period)
        self.report()
        self._producer.flush(1.0)
