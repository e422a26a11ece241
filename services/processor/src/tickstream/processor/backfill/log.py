"""One partition's records up to where they ended at the start, and the marks beside its trades."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

import numpy as np

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs
from tickstream.core.columns import Ints
from tickstream.core.errors import BadRecordError, FatalError, RetryableError
from tickstream.core.kafka import OFFSET_BEGINNING, Kafka, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.model import Progress
from tickstream.core.topics import PROGRESS, STOCK_TICKS

_LOG = logger(__name__)
_LIMIT: Final = 30.0
_MARKS: Final = 1_000


def bounds(kafka: Kafka, name: str, partition: int) -> tuple[int, int]:
    """The first offset of a partition of a declared topic, and its end.

    Raises:
        RetryableError: Kafka doesn't answer.
    """
    topic = kafka.topic(name)
    try:
        with closing(kafka.reader()) as reader:
            low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=_LIMIT)
    except KafkaException as error:
        raise RetryableError(f"{topic}'s ends can't be had: {error}") from error
    return int(low), int(high)


def read(kafka: Kafka, name: str, partition: int, end: int, most: int, clock: Clock) -> Iterator[list[Message]]:
    """The committed records of a partition that lie before `end`, at most so many at a time.

    Raises:
        FatalError: Kafka can't go on.
        RetryableError: nothing more comes.
    """
    topic, reached = kafka.topic(name), 0
    with closing(kafka.reader()) as reader:
        reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        deadline = clock.monotonic() + _LIMIT
        while reached < end:
            found = reader.consume(most, 0.2)
            records: list[Message] = []
            for message in found:
                error, offset = message.error(), message.offset() or 0
                if error is None:
                    reached = offset + 1
                    records += [message] if offset < end else []
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                    reached = max(reached, offset)
                elif error.fatal():
                    raise FatalError(f"Kafka can't go on: {error}")
            if found:
                deadline = clock.monotonic() + _LIMIT
            elif clock.monotonic() > deadline:
                raise RetryableError(f"{topic} must be readable up to {end}, partition {partition} ended at {reached}")
            if records:
                yield records


class Log:
    """The trades and marks of a partition.

    Args:
        kafka: the cluster.
        codecs: decode the marks.
        partition: which.
        most: trades at a time.
        clock: for limits.
    """

    def __init__(self, kafka: Kafka, codecs: Codecs, partition: int, most: int, clock: Clock) -> None:
        self._codec = codecs.of(Progress)
        self.begin, self.end = bounds(kafka, STOCK_TICKS.name, partition)
        marks_end = bounds(kafka, PROGRESS.name, partition)[1]
        self._ticks = read(kafka, STOCK_TICKS.name, partition, self.end, most, clock)
        self._marks = read(kafka, PROGRESS.name, partition, marks_end, _MARKS, clock)

    def steps(self) -> Iterator[tuple[list[Message], list[Progress]]]:
        """Trades, and the marks whose offsets have been reached with them.

        Raises:
            FatalError: as `read`.
            RetryableError: as `read`.
        """
        pending: deque[Progress] = deque()
        for messages in self._ticks:
            reached = (messages[-1].offset() or 0) + 1
            yield messages, self._due(pending, reached)
        yield [], self._due(pending, self.end)

    def _due(self, pending: deque[Progress], reached: int) -> list[Progress]:
        while not pending or pending[-1].offset <= reached:
            more = next(self._marks, None)
            if more is None:
                break
            pending.extend(self._decoded(more))
        due = [mark for mark in pending if mark.offset <= reached]
        waiting = [mark for mark in pending if mark.offset > reached]
        pending.clear()
        pending.extend(waiting)
        return due

    def _decoded(self, messages: list[Message]) -> Iterator[Progress]:
        for message in messages:
            try:
                yield self._codec.decode(message.value())
            except BadRecordError as bad:
                _LOG.warning("mark_left_out", offset=message.offset(), reason=str(bad))


def cut(offsets: Ints, ts: Ints, marks: Sequence[Progress]) -> Iterator[tuple[slice, list[Progress]]]:
    """Cut a batch before trades that marks before them may make late: (trades, the marks after them).

    Args:
        offsets: of the trades.
        ts: their event times.
        marks: those whose offsets have been reached with the batch.
    """
    marks = sorted(marks, key=lambda mark: mark.offset)
    rows = np.searchsorted(offsets, [mark.offset for mark in marks])
    within = rows < len(ts)
    told = np.full(len(ts), np.iinfo(np.int64).min)
    np.maximum.at(told, rows[within], np.array([mark.ts_event for mark in marks], dtype=np.int64)[within])
    late = np.flatnonzero(ts < np.maximum.accumulate(told))
    counts, firsts = np.unique(np.searchsorted(rows, late, side="right"), return_index=True)
    begin = done = 0
    for count, row in zip(counts.tolist(), late[firsts].tolist(), strict=True):
        yield slice(begin, row), marks[done:count]
        begin, done = row, count
    yield slice(begin, len(ts)), marks[done:]
