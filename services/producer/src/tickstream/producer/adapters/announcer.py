"""What a producer says beside its trades: marks of progress, market events, its own figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs, Format
from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import Kafka, Publisher
from tickstream.core.metrics import snapshot
from tickstream.core.model import MarketEvent, Progress, SystemMetrics
from tickstream.core.partition import partition_for
from tickstream.core.topics import MARKET_EVENTS, PROGRESS, SYSTEM_METRICS
from tickstream.producer.domain.progress import Mark

_LIMIT: Final = 15.0


class Announcer:
    """Publishes the records that are few.

    Args:
        kafka: knows the topics' names.
        publisher: sends them.
        codecs: make their values.
        format: Avro or JSON.
    """

    def __init__(self, kafka: Kafka, publisher: Publisher, codecs: Codecs, format: Format) -> None:  # noqa: A002 - the setting's name
        self._kafka = kafka
        self._partitions = kafka.partitions(MARKET_EVENTS.name)
        self._publisher = publisher
        self._progress = codecs.of(Progress)
        self._events = codecs.of(MarketEvent)
        self._metrics = codecs.of(SystemMetrics)
        self._format: Format = format

    def mark(self, marks: Iterable[Mark]) -> None:
        """Say how far sources have come, each in its partition."""
        topic = self._kafka.topic(PROGRESS.name)
        for mark in marks:
            value = self._progress.encode(mark.progress, self._format)
            self._publisher.publish(topic, mark.progress.source.encode(), value, partition=mark.partition)

    def event(self, event: MarketEvent) -> None:
        """Say what happened to a session or a feed."""
        value = self._events.encode(event, self._format)
        # Without a symbol there is no key; the partition by source keeps one source's events in order.
        partition = partition_for(event.source or "", self._partitions)
        self._publisher.publish(self._kafka.topic(MARKET_EVENTS.name), None, value, partition=partition)

    def figures(self, registry: CollectorRegistry, instance: str, clock: Clock) -> None:
        """Say how the producer itself is."""
        record = SystemMetrics("producer", instance, clock.now_ns(), snapshot(registry))
        value = self._metrics.encode(record, self._format)
        self._publisher.publish(self._kafka.topic(SYSTEM_METRICS.name), b"producer", value)

    def flush(self) -> None:
        """Wait until all of it has arrived.

        Raises:
            FatalError: something has not.
        """
        try:
            self._publisher.flush(_LIMIT)
        except RetryableError as error:
            raise FatalError(f"marks or events did not arrive: {error}") from error
