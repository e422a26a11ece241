"""Publishes this node's canaries."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs
from tickstream.core.errors import TickstreamError
from tickstream.core.kafka import Kafka, KafkaError, KafkaException, Message
from tickstream.core.logging import logger
from tickstream.core.model import SystemMetrics
from tickstream.core.service import instance_name
from tickstream.core.topics import SYSTEM_METRICS

_LOG = logger(__name__)
_PERIOD_SECONDS: Final = 1.0
_STEP_SECONDS: Final = 0.1
_QUEUED: Final = 100
_FIGURE: Final = "tickstream_ws_bridge_canary"


class Canaries:
    """Sends one canary a second to each partition of `system_metrics` from a thread of its own, at best effort.

    Args:
        kafka: the cluster.
        codecs: encode the record; for this thread alone.
        clock: gives them their times.
        published: called in the event loop with a canary's partition and offset, and when Kafka acknowledged it.
    """

    def __init__(
        self, kafka: Kafka, codecs: Codecs, clock: Clock, published: Callable[[int, int, float], None]
    ) -> None:
        self._topic = kafka.topic(SYSTEM_METRICS.name)
        # One replica's acknowledgement is enough: a canary that a broker loses is followed by the next.
        self._producer = kafka.producer(
            "ws_bridge-canary", enable_idempotence=False, acks=1, linger_ms=0, queue_buffering_max_messages=_QUEUED
        )
        self._codecs = codecs
        self._clock = clock
        self._heard_of = published
        self._loop = asyncio.get_running_loop()
        self._instance = instance_name()
        self._partitions: Collection[int] = ()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="canary", daemon=True)

    def open(self, partitions: Collection[int]) -> None:
        """These partitions are read from now on."""
        self._partitions = partitions

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    async def stop(self) -> None:
        """End the thread."""
        self._ending.set()
        await asyncio.to_thread(self._thread.join, 10.0)

    def _run(self) -> None:
        due = self._clock.monotonic()
        while not self._ending.is_set():
            if self._clock.monotonic() >= due:
                due = self._clock.monotonic() + _PERIOD_SECONDS
                for partition in self._partitions:
                    self._publish(partition)
            self._producer.poll(_STEP_SECONDS)

    def _publish(self, partition: int) -> None:
        record = SystemMetrics("ws_bridge", self._instance, self._clock.now_ns(), {_FIGURE: 1.0})
        try:
            value = self._codecs.of(SystemMetrics).encode(record)
            self._producer.produce(
                self._topic, key=b"ws_bridge", value=value, partition=partition, on_delivery=self._published
            )
        except (TickstreamError, KafkaException, BufferError) as error:
            _LOG.debug("canary_dropped", reason=str(error))

    def _published(self, error: KafkaError | None, message: Message) -> None:
        if error is None and not self._loop.is_closed():
            partition, offset, now = message.partition() or 0, message.offset() or 0, self._clock.monotonic()
            self._loop.call_soon_threadsafe(self._heard_of, partition, offset, now)
