"""Reads the topics of all channels in a thread of its own, without a group, and never commits."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.errors import FatalError, TickstreamError
from tickstream.core.kafka import Consumer, Kafka, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.intake import CHANNEL_OF, TOPIC_OF, Batch, Log, Reading
from tickstream.ws_bridge.domain.entry import CHANNELS, Channel
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)
_BATCH: Final = 2_000
_IN_FLIGHT: Final = 4
_POLL_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 2.0
_QUIET_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Listeners:
    """What the feed calls in the event loop, in order.

    Attributes:
        opened: gets where reading begins, before the first batch and again after an outage.
        take: gets each batch.
        told: gets True and False when Kafka comes and goes.
    """

    opened: Callable[[Log], None]
    take: Callable[[Batch], None]
    told: Callable[[bool], None]


Place = tuple[str, int]
"""A topic's full name and a partition."""


class Feed:
    """Hands batches to the event loop, in order, never more than a few at once.

    Args:
        kafka: makes the consumer.
        reading: decodes.
        metrics: lag and whether Kafka answers.
        clock: for the waits.
        lookback: records of each partition read before anything is live.
        loaded: set, in the loop, once they have been.
        listeners: get what is read.
    """

    def __init__(
        self,
        kafka: Kafka,
        reading: Reading,
        metrics: BridgeMetrics,
        clock: Clock,
        lookback: int,
        loaded: asyncio.Event,
        listeners: Listeners,
    ) -> None:
        self._kafka = kafka
        self._reading = reading
        self._metrics = metrics
        self._clock = clock
        self._lookback = lookback
        self._loaded = loaded
        self._listeners = listeners
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._ending = threading.Event()
        self._free = threading.Semaphore(_IN_FLIGHT)
        self._next: dict[Place, int] = {}
        self._unread: set[Place] = set()
        self._heard = 0.0
        self._looked = 0.0
        self.up = False

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    async def stop(self) -> None:
        """End the thread."""
        self._ending.set()
        await asyncio.to_thread(self._thread.join, 10.0)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._kafka.ensure_topics(TOPIC_OF.values())
                consumer = self._kafka.reader(fetch_wait_max_ms=20)
                try:
                    self._assign(consumer)
                    self._read(consumer)
                finally:
                    consumer.close()
            except (TickstreamError, KafkaException) as error:
                _LOG.warning("kafka_away", reason=str(error))
                self._away()
            except Exception:  # noqa: BLE001 - a reader that ends for good would leave the bridge deaf
                _LOG.exception("reading_failed")
                self._away()

    def _away(self) -> None:
        self._set_up(up=False)
        self._ending.wait(_RETRY_SECONDS)

    def _assign(self, consumer: Consumer) -> None:
        """Start where reading stopped, or the first time at the lookback."""
        for channel in CHANNELS:
            name = TOPIC_OF[channel]
            count = self._kafka.partitions(name)
            full = self._kafka.topic(name)
            for partition in range(count):
                if (full, partition) not in self._next:
                    where = TopicPartition(full, partition)
                    low, high = consumer.get_watermark_offsets(where, timeout=_ANSWER_SECONDS * 5)
                    self._next[full, partition] = max(low, high - self._lookback)
                    self._unread.add((full, partition))
        self._tell_where()
        consumer.assign([TopicPartition(topic, number, offset) for (topic, number), offset in self._next.items()])
        self._heard = self._clock.monotonic()
        self._set_up(up=True)

    def _tell_where(self) -> None:
        """Tell the loop where every topic is read from; what was handed over before is applied before."""
        starts: dict[Channel, dict[int, int]] = {channel: {} for channel in CHANNELS}
        for (topic, partition), offset in self._next.items():
            starts[CHANNEL_OF[self._kafka.declared(topic)]][partition] = offset
        epochs = {channel: self._kafka.topic_id(TOPIC_OF[channel]) for channel in CHANNELS}
        log = Log(self._kafka.cluster_id(), epochs, starts)
        self._in_loop(lambda: self._listeners.opened(log))

    def _read(self, consumer: Consumer) -> None:
        while not self._ending.is_set():
            messages = consumer.consume(_BATCH, _POLL_SECONDS)
            now = self._clock.monotonic()
            self._take_messages(messages)
            if messages:
                self._heard = now
                self._set_up(up=True)
            if now - self._looked >= _LOOK_SECONDS:
                self._looked = now
                self._look(consumer, now)

    def _take_messages(self, messages: Sequence[Message]) -> None:
        """Hand over what was read; a place counts as reached only then."""
        parts: dict[str, list[Message]] = defaultdict(list)
        ends: list[Message] = []
        for message in messages:
            error = message.error()
            if error is None:
                parts[message.topic() or ""].append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                ends.append(message)
            elif error.fatal():
                raise FatalError(f"Kafka can't go on: {error}")
            else:
                _LOG.warning("kafka_error", error=str(error))
        for topic, part in parts.items():
            batch = self._reading.batch(CHANNEL_OF[self._kafka.declared(topic)], part)
            self._metrics.received.labels(batch.channel).inc(len(part))
            self._metrics.unreadable.labels(batch.channel).inc(batch.unreadable)
            self._hand_over(batch)
            self._next.update({(topic, partition): offset for partition, offset in batch.reached.items()})
        for end in ends:
            self._reached_end((end.topic() or "", end.partition() or 0), end.offset() or 0)

    def _reached_end(self, place: Place, offset: int) -> None:
        if offset > self._next[place]:
            self._next[place] = offset
            channel = CHANNEL_OF[self._kafka.declared(place[0])]
            self._hand_over(Batch(channel, None, [], {place[1]: offset}, 0))
        if place in self._unread:
            self._unread.discard(place)
            if not self._unread:
                self._in_loop(self._loaded.set)

    def _hand_over(self, batch: Batch) -> None:
        while not self._free.acquire(timeout=_LOOK_SECONDS):
            if self._ending.is_set():
                return
        self._in_loop(lambda: self._deliver(batch))

    def _deliver(self, batch: Batch) -> None:
        try:
            self._listeners.take(batch)
        finally:
            self._free.release()

    def _in_loop(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _look(self, consumer: Consumer, now: float) -> None:
        """Ask whether Kafka is there when nothing has come for a while, and note how far behind we are."""
        if now - self._heard >= _QUIET_SECONDS:
            try:
                consumer.list_topics(self._kafka.topic(TOPIC_OF["ticks"]), timeout=_ANSWER_SECONDS)
            except KafkaException as error:
                if self.up:
                    _LOG.warning("kafka_away", reason=str(error))
                self._set_up(up=False)
            else:
                self._set_up(up=True)
        behind: dict[Channel, int] = dict.fromkeys(CHANNELS, 0)
        for (topic, partition), position in self._next.items():
            _low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            behind[CHANNEL_OF[self._kafka.declared(topic)]] += max(0, high - position)
        for channel, records in behind.items():
            self._metrics.kafka_lag.labels(channel).set(records)

    def _set_up(self, *, up: bool) -> None:
        if up != self.up:
            self.up = up
            self._metrics.kafka_up.set(up)
            self._in_loop(lambda: self._listeners.told(up))
