"""Reads a stretch of a topic once more, for those who missed it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs
from tickstream.core.errors import TickstreamError
from tickstream.core.kafka import Consumer, Kafka, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.settings import KafkaSettings
from tickstream.ws_bridge.adapters.intake import take_again
from tickstream.ws_bridge.adapters.reading import TOPIC_OF, Reading
from tickstream.ws_bridge.domain.entry import CHANNELS, Channel
from tickstream.ws_bridge.domain.replay import Replay
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)
_BATCH: Final = 2_000
_POLL_SECONDS: Final = 0.02
_ANSWER_SECONDS: Final = 2.0
_READ_AHEAD_KB: Final = 16_384


class Rereader:
    """Replays from Kafka, each in the thread that asks for it; one channel is read by one thread at a time.

    Args:
        settings: of Kafka.
        clock: for the deadline.
        metrics: counts the records.
        seconds: that one replay may take.
    """

    def __init__(self, settings: KafkaSettings, clock: Clock, metrics: BridgeMetrics, seconds: float) -> None:
        self._kafka = Kafka(settings)
        self._readings = {channel: Reading(Codecs.from_settings(settings)) for channel in CHANNELS}
        self._clock = clock
        self._metrics = metrics
        self._seconds = seconds
        self._ending = threading.Event()

    def stop(self) -> None:
        """Let what is being read end soon."""
        self._ending.set()

    def read(self, channel: Channel, epoch: str, replay: Replay) -> None:
        """Read what the replay is for; what gets in the way is told to it."""
        if self._ending.is_set():
            replay.fail("timed_out")
            return
        try:
            if self._kafka.topic_id(TOPIC_OF[channel]) != epoch:
                replay.fail("wrong_epoch")
                return
            # Where the topic doesn't reach back far enough, going on from its beginning would be a gap.
            consumer = self._kafka.reader(
                auto_offset_reset="error", fetch_wait_max_ms=20, queued_max_messages_kbytes=_READ_AHEAD_KB
            )
            try:
                self._read(consumer, channel, replay)
            finally:
                consumer.close()
        except (TickstreamError, KafkaException) as error:
            _LOG.warning("rereading_failed", channel=channel, reason=str(error))
            replay.fail("unavailable")
        except Exception:  # noqa: BLE001 - those who wait get a snapshot, the log the trace
            _LOG.exception("rereading_failed", channel=channel)
            replay.fail("unavailable")

    def _read(self, consumer: Consumer, channel: Channel, replay: Replay) -> None:
        topic = self._kafka.topic(TOPIC_OF[channel])
        replay.begin(
            {
                partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_SECONDS)
                for partition in replay.partitions()
            }
        )
        ranges = replay.ranges()
        consumer.assign([TopicPartition(topic, partition, first) for partition, (first, _end) in ranges.items()])
        left = {partition: end for partition, (_first, end) in ranges.items()}
        deadline = self._clock.monotonic() + self._seconds
        while left:
            if self._ending.is_set() or self._clock.monotonic() > deadline:
                replay.fail("timed_out")
                return
            messages = consumer.consume(_BATCH, _POLL_SECONDS)
            done = {partition for partition, end in _reached(messages).items() if end >= left.get(partition, end + 1)}
            wanted = [one for one in messages if one.error() is None and _within(one, left)]
            if wanted:
                self._metrics.reread.labels(channel).inc(len(wanted))
                take_again(replay, self._readings[channel].batch(channel, wanted, interest=replay))
            if done:
                consumer.pause([TopicPartition(topic, partition) for partition in done])
                for partition in done:
                    del left[partition]


def _reached(messages: Sequence[Message]) -> dict[int, int]:
    """The next offset of each partition after these messages and ends of partitions.

    Raises:
        KafkaException: what was to be read isn't there.
    """
    reached: dict[int, int] = {}
    for message in messages:
        error = message.error()
        if error is None:
            reached[message.partition() or 0] = (message.offset() or 0) + 1
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
            reached[message.partition() or 0] = message.offset() or 0
        elif error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - the same
            raise KafkaException(error)
        else:
            _LOG.warning("kafka_error", error=str(error))
    return reached


def _within(message: Message, ends: dict[int, int]) -> bool:
    return (message.offset() or 0) < ends.get(message.partition() or 0, 0)
