"""From the topics to the store.

Order of effects, for each batch:

1. everything that can be stored is stored,
2. what can't be goes to the DLQ, and has arrived there; but an unreadable trade is only counted,
   for the bars' role sends it there, and one record is set aside once,
3. (the runner) the offsets are committed.

A retry begins again at 1: storing twice changes nothing, and nothing reaches the DLQ while the
store is away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tickstream.core.codec import Codecs, RecordCodec, TickInterners
from tickstream.core.errors import RetryableError
from tickstream.core.kafka import DeadLetters, Kafka, Message, Publisher
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet, Tick
from tickstream.core.partition import Partition
from tickstream.core.topics import ANALYTICS, BARS, INDICATORS, STOCK_TICKS
from tickstream.processor.sink.figures import Figures
from tickstream.processor.sink.series import Refused, TimeSeries

STORED_TOPICS = (STOCK_TICKS.name, BARS.name, INDICATORS.name, ANALYTICS.name)

_R = TypeVar("_R", Bar, IndicatorSet, AnalyticsFigure)
_Values = Sequence[bytes | None]
_Rejected = list[tuple[int, str]]


class Sink:
    """Stores batches of the four topics, whichever records they hold."""

    def __init__(
        self, store: TimeSeries, codecs: Codecs, kafka: Kafka, publisher: Publisher, dead: DeadLetters, figures: Figures
    ) -> None:
        self._store = store
        self._codecs = codecs
        self._publisher = publisher
        self._dead = dead
        self._figures = figures
        self._kafka = kafka
        self._names = TickInterners()
        self._parts: Mapping[str, Callable[[_Values], _Rejected]] = {
            kafka.topic(STOCK_TICKS.name): self._trades,
            kafka.topic(BARS.name): self._bars,
            kafka.topic(INDICATORS.name): self._indicators,
            kafka.topic(ANALYTICS.name): self._analytics,
        }

    def handle(self, batch: Sequence[Message]) -> None:
        """Store the batch.

        Raises:
            RetryableError: the store or the DLQ is away.
        """
        by_topic: dict[str, list[Message]] = {}
        for message in batch:
            by_topic.setdefault(message.topic() or "", []).append(message)
        try:
            rejected = [
                (messages[row], reason)
                for topic, messages in by_topic.items()
                for row, reason in self._parts[topic]([message.value() for message in messages])
            ]
            self._reject(rejected)
        except RetryableError:
            self._figures.retries.inc()
            raise
        self._figures.batches.inc()

    def idle(self) -> None:
        """Nothing waits for a quiet moment."""

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """No state is kept by partition."""

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """No state is kept by partition."""

    def _reject(self, rejected: Sequence[tuple[Message, str]]) -> None:
        if not rejected:
            return
        for message, reason in rejected:
            self._dead.reject(message, reason)
        self._publisher.flush()
        for message, _reason in rejected:
            self._figures.rejected.labels(self._kafka.declared(message.topic() or "")).inc()

    def _trades(self, values: _Values) -> _Rejected:
        decoded = self._codecs.of(Tick).decode_columns(values, self._names)
        refused = self._store.write_trades(decoded.columns)
        self._count("trades", len(decoded.columns) - len(refused))
        self._figures.unreadable.inc(len(decoded.rejected))
        return [(int(decoded.rows[row]), reason) for row, reason in refused]

    def _bars(self, values: _Values) -> _Rejected:
        return self._records("bars", self._codecs.of(Bar), values, _is_closed, self._store.write_bars)

    def _indicators(self, values: _Values) -> _Rejected:
        return self._records(
            "indicators", self._codecs.of(IndicatorSet), values, _is_closed, self._store.write_indicators
        )

    def _analytics(self, values: _Values) -> _Rejected:
        return self._records(
            "analytics", self._codecs.of(AnalyticsFigure), values, _is_any, self._store.write_analytics
        )

    def _records(
        self,
        measurement: str,
        codec: RecordCodec[_R],
        values: _Values,
        wanted: Callable[[_R], bool],
        write: Callable[[Sequence[_R]], list[Refused]],
    ) -> _Rejected:
        decoded = codec.decode_many(values)
        rejected, rows, records = list(decoded.rejected), [], []
        for row, record in zip(decoded.rows, decoded.records, strict=True):
            problem = _not_finite(record)
            if problem:
                rejected.append((row, problem))
            elif wanted(record):
                rows.append(row)
                records.append(record)
        refused = write(records) if records else []
        self._count(measurement, len(records) - len(refused))
        return rejected + [(rows[at], reason) for at, reason in refused]

    def _count(self, measurement: str, points: int) -> None:
        self._figures.points.labels(measurement).inc(points)


def _is_closed(record: Bar | IndicatorSet) -> bool:
    return record.state == "closed"


def _is_any(_record: AnalyticsFigure) -> bool:
    return True


def _not_finite(record: Bar | IndicatorSet | AnalyticsFigure) -> str:
    """What is not a number in a map of values; empty when all are."""
    values = {} if isinstance(record, Bar) else record.values
    for name, value in values.items():
        if not math.isfinite(value):
            return f"values: {name} must be finite, was {value}"
    return ""
