"""The records of a topic, as rows and trades."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Final, TypeVar

from tickstream.alerting.domain.feeds import Feeds
from tickstream.alerting.domain.lane import Lane, Row
from tickstream.alerting.rows import rows_of_bars, rows_of_figures, rows_of_indicators
from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.columns import TickColumns
from tickstream.core.errors import RetryableError
from tickstream.core.kafka import OFFSET_BEGINNING, Kafka, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet, MarketEvent, Record, Tick
from tickstream.core.topics import ANALYTICS, BARS, INDICATORS, MARKET_EVENTS, STOCK_TICKS

_LIMIT: Final = 30.0
_AT_ONCE: Final = 10_000
R = TypeVar("R", bound=Record)


class Recorded:
    """What lies on the topics of a cluster.

    Args:
        kafka: the cluster.
        codecs: decode the records.
        clock: for limits.
        calendar: of bars that aren't continuous.
    """

    def __init__(self, kafka: Kafka, codecs: Codecs, clock: Clock, calendar: str) -> None:
        self._kafka = kafka
        self._codecs = codecs
        self._clock = clock
        self._calendar = calendar

    def rows(self, lane: Lane, until: int) -> list[Row]:
        """What the rules of a lane want of everything up to `until`.

        Raises:
            RetryableError: Kafka doesn't answer.
        """
        bars, sets = lane.intervals("bars"), lane.intervals("indicators")
        found: list[Row | None] = []
        if bars:
            found += self._read(BARS.name, Bar, lambda records: rows_of_bars(records, self._calendar, bars))
        if sets:
            found += self._read(INDICATORS.name, IndicatorSet, lambda records: rows_of_indicators(records, sets))
        if lane.intervals("figures"):
            found += self._read(ANALYTICS.name, AnalyticsFigure, rows_of_figures)
        return [row for row in found if row is not None and row.end <= until]

    def ticks(self, until: int) -> list[TickColumns]:
        """The trades up to `until`, in the order of the log.

        Raises:
            RetryableError: Kafka doesn't answer.
        """
        codec, interners = self._codecs.of(Tick), TickInterners()
        batches = (
            codec.decode_columns([m.value() for m in batch], interners) for batch in self._batches(STOCK_TICKS.name)
        )
        return [found.columns.take(found.columns.ts_event <= until) for found in batches]

    def feeds(self, until: int) -> Feeds:
        """What market events up to `until` say of the trades' sources.

        Raises:
            RetryableError: Kafka doesn't answer.
        """
        feeds, codec = Feeds(), self._codecs.of(MarketEvent)
        for batch in self._batches(MARKET_EVENTS.name):
            for event in codec.decode_many([message.value() for message in batch]).records:
                if event.ts_event <= until:
                    feeds.take(event)
        return feeds

    def _read(
        self, name: str, record: type[R], rows_of: Callable[[Sequence[R]], list[Row | None]]
    ) -> Iterator[Row | None]:
        codec = self._codecs.of(record)
        for batch in self._batches(name):
            yield from rows_of(codec.decode_many([message.value() for message in batch]).records)

    def _batches(self, name: str) -> Iterator[list[Message]]:
        """Everything up to the ends of the logs."""
        topic = self._kafka.topic(name)
        try:
            unread = {(topic, number) for number in range(self._kafka.partitions(name))}
            with closing(self._kafka.reader()) as reader:
                reader.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in sorted(unread)])
                deadline = self._clock.monotonic() + _LIMIT
                while unread:
                    found = reader.consume(_AT_ONCE, 0.2)
                    for message in found:
                        error = message.error()
                        if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                            unread.discard((message.topic() or "", message.partition() or 0))
                    if found:
                        deadline = self._clock.monotonic() + _LIMIT
                        yield [message for message in found if message.error() is None]
                    elif self._clock.monotonic() > deadline:
                        raise RetryableError(f"{topic} must be readable to its end, {len(unread)} partitions weren't")
        except KafkaException as error:
            raise RetryableError(f"{topic} can't be read: {error}") from error
