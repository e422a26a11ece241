"""Market events that tell why there are no trades: every instance hears all of them, from the first on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs
from tickstream.core.errors import BadRecordError, RetryableError
from tickstream.core.kafka import OFFSET_BEGINNING, Kafka, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.model import MarketEvent
from tickstream.core.outages import matters
from tickstream.core.topics import MARKET_EVENTS

_LOG = logger(__name__)
_BATCH: Final = 5_000
_LIMIT: Final = 30.0
_TURN: Final = 0.2


@dataclass(frozen=True, slots=True)
class Heard:
    """An event and where it stands."""

    event: MarketEvent
    partition: int
    offset: int


class News:
    """Reads `market_events`.

    Args:
        kafka: the cluster.
        codecs: decode the events.
        clock: for limits.
    """

    def __init__(self, kafka: Kafka, codecs: Codecs, clock: Clock) -> None:
        self._kafka = kafka
        self._clock = clock
        self._topic = kafka.topic(MARKET_EVENTS.name)
        self._consumer = kafka.reader()
        self._codec = codecs.of(MarketEvent)
        self._ahead: dict[int, int] | None = None
        self._found: list[Heard] = []

    def catch_up(self) -> list[Heard]:
        """All events that there are by now, when called for the first time; later calls give nothing.

        Raises:
            RetryableError: Kafka doesn't answer; what was read so far is given by the next call.
        """
        if self._ahead is None:
            self._ahead = self._begin()
        deadline = self._clock.monotonic() + _LIMIT
        while self._ahead:
            left = len(self._ahead)
            found = self.read(_TURN)
            self._found += found
            if found or len(self._ahead) < left:
                deadline = self._clock.monotonic() + _LIMIT
            elif self._clock.monotonic() > deadline:
                raise RetryableError(
                    f"{self._topic} must be readable to its end, but {sorted(self._ahead)} are not yet"
                )
        found, self._found = self._found, []
        return found

    def read(self, seconds: float = 0.0) -> list[Heard]:
        """The next events of a type that matters; waits for up to `seconds`."""
        if self._ahead is None:
            return []
        found: list[Heard] = []
        for message in self._consumer.consume(_BATCH, seconds):
            partition, offset, error = message.partition() or 0, message.offset() or 0, message.error()
            if error is None:
                found += self._heard(message, partition, offset)
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                continue
            if offset + (error is None) >= self._ahead.get(partition, 0):
                self._ahead.pop(partition, None)
        return found

    def close(self) -> None:
        """End reading."""
        self._consumer.close()

    def _begin(self) -> dict[int, int]:
        count = self._kafka.partitions(MARKET_EVENTS.name)
        places = [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in range(count)]
        try:
            ends = {place.partition: self._consumer.get_watermark_offsets(place, timeout=_LIMIT) for place in places}
            self._consumer.assign(places)
        except KafkaException as error:
            raise RetryableError(f"{self._topic} can't be read: {error}") from error
        return {number: high for number, (low, high) in ends.items() if high > low}

    def _heard(self, message: Message, partition: int, offset: int) -> list[Heard]:
        try:
            event = self._codec.decode(message.value())
        except BadRecordError as bad:
            _LOG.warning("event_left_out", partition=partition, offset=offset, reason=str(bad))
            return []
        return [Heard(event, partition, offset)] if matters(event) else []
