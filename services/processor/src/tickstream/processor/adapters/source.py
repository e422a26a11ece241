"""The input: trades of the partitions that the group gives us, and beside them the marks of the same partitions.

The consumer group shares out `stock_ticks` alone. The marks of partition p are read by a second consumer that is
assigned `progress[p]` by hand whenever the group hands out `stock_ticks[p]`, so the two can't come apart, with any
assignment strategy. Where reading begins is what the state says, not what the group has committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec import Codecs
from tickstream.core.errors import BadRecordError, FatalError, RetryableError
from tickstream.core.kafka import OFFSET_BEGINNING, Consumer, Kafka, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.model import Progress
from tickstream.core.topics import PROGRESS, STOCK_TICKS
from tickstream.processor.domain.state import FROM_THE_BEGINNING, Offsets

_LOG = logger(__name__)
_MARKS: Final = 5_000
_LIMIT: Final = 30.0
_SESSION_MS: Final = 6_000
"""What brokers allow at least: a group that has lost a member, or its broker, waits for so long before it goes on."""

Assigned = Callable[[Sequence[int]], Mapping[int, Offsets]]
Revoked = Callable[[Sequence[int], bool], None]
Patiently = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Trades as they were read, and which partition each is of."""

    messages: Sequence[Message]
    partitions: NDArray[np.int64]


@dataclass(slots=True)
class _Partition:
    """How far a partition was read; `pending` are marks whose offset wasn't reached yet, with their own."""

    ticks: int
    marks: int
    ticks_end: int
    marks_end: int
    pending: deque[tuple[int, Progress]] = field(default_factory=deque)


class Source:
    """Reads trades and marks.

    Args:
        kafka: the cluster.
        codecs: decode the marks.
        max_batch: trades in a batch, at most.
        assigned: told which partitions are ours from now on; gives where reading begins.
        revoked: told which aren't ours any more, and whether they were lost without a chance to commit.
        patiently: repeats a call while it raises RetryableError.
    """

    def __init__(
        self,
        kafka: Kafka,
        codecs: Codecs,
        max_batch: int,
        assigned: Assigned,
        revoked: Revoked,
        patiently: Patiently,
    ) -> None:
        self.consumer: Consumer = kafka.consumer(
            "processor", partition_assignment_strategy="cooperative-sticky", session_timeout_ms=_SESSION_MS
        )
        self._marks: Consumer = kafka.reader()
        self._codec = codecs.of(Progress)
        self._ticks_topic = kafka.topic(STOCK_TICKS.name)
        self._marks_topic = kafka.topic(PROGRESS.name)
        self._max_batch = max_batch
        self._assigned = assigned
        self._revoked = revoked
        self._patiently = patiently
        self._partitions: dict[int, _Partition] = {}
        self._was_assigned = False

    def subscribe(self) -> None:
        """Join the group."""
        self.consumer.subscribe(
            [self._ticks_topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def close(self) -> None:
        """Leave the group."""
        self.consumer.close()
        self._marks.close()

    @property
    def caught_up(self) -> bool:
        """Whether the ends that the logs had when the partitions were assigned have been reached."""
        return self._was_assigned and all(
            part.ticks >= part.ticks_end and part.marks >= part.marks_end for part in self._partitions.values()
        )

    @property
    def lag(self) -> int:
        """Trades that are still to be read, as far as is known."""
        total = 0
        for number, part in list(self._partitions.items()):
            _low, high = self.consumer.get_watermark_offsets(TopicPartition(self._ticks_topic, number), cached=True)
            total += max(high - part.ticks, 0)
        return total

    def read(self, seconds: float, more_seconds: float) -> Batch:
        """The next trades; takes the marks that have come, too.

        Args:
            seconds: how long to wait for a trade.
            more_seconds: how long, once there is one, to wait for more.

        Raises:
            FatalError: Kafka can't go on.
        """
        messages: Sequence[Message] = self._fetch(seconds, more_seconds)
        ends: dict[int, int] = {}
        if any(map(Message.error, messages)):
            messages, ends = _sorted_out(messages)
        partitions = _partitions(messages)
        if not self._follow(messages, partitions):
            # They were fetched before a rebalance that this very read has served.
            messages = [message for message in messages if self._is_next(message)]
            partitions = _partitions(messages)
        for number in np.unique(partitions).tolist():
            last = len(messages) - 1 - int(np.argmax(partitions[::-1] == number))
            self._partitions[number].ticks = (messages[last].offset() or 0) + 1
        for number, end in ends.items():
            if number in self._partitions:
                self._partitions[number].ticks = max(self._partitions[number].ticks, end)
        self._read_marks()
        return Batch(messages, partitions)

    def _fetch(self, seconds: float, more_seconds: float) -> list[Message]:
        first = self.consumer.poll(seconds)
        if first is None:
            return []
        number = first.partition() or 0
        part = self._partitions.get(number)
        more = self.consumer.consume(self._max_batch - 1, more_seconds)
        # A partition that was given to us anew meanwhile is read from where its state says, the first record included.
        return [first, *more] if self._partitions.get(number) is part else more

    def due_marks(self) -> list[tuple[int, Progress]]:
        """(partition, mark) of the marks whose offset has been reached; each is given once."""
        found: list[tuple[int, Progress]] = []
        for number, part in self._partitions.items():
            waiting: deque[tuple[int, Progress]] = deque()
            for offset, mark in part.pending:
                if mark.offset <= part.ticks:
                    found.append((number, mark))
                else:
                    waiting.append((offset, mark))
            part.pending = waiting
        return found

    def offsets(self, partition: int) -> Offsets:
        """Where to go on after all that was given out."""
        part = self._partitions[partition]
        return Offsets(part.ticks, part.pending[0][0] if part.pending else part.marks)

    def positions(self) -> list[TopicPartition]:
        """The same, as the group commits it."""
        return [
            TopicPartition(self._ticks_topic, number, part.ticks)
            for number, part in self._partitions.items()
            if part.ticks >= 0
        ]

    def restart(self) -> None:
        """Read on from where `assigned` says.

        Raises:
            RetryableError: Kafka doesn't answer.
        """
        numbers = list(self._partitions)
        begins = self._assigned(numbers)
        try:
            for number in numbers:
                part, begin = self._partitions[number], begins[number]
                self.consumer.seek(_at(self._ticks_topic, number, begin.ticks))
                part.ticks, part.marks = begin.ticks, begin.marks
                part.pending.clear()
            self._marks.assign([_at(self._marks_topic, number, begins[number].marks) for number in numbers])
        except KafkaException as error:
            raise RetryableError(f"{self._ticks_topic} can't be read again: {error}") from error

    def _follow(self, messages: Sequence[Message], partitions: NDArray[np.int64]) -> bool:
        """Whether all are of our partitions, and none lies before what was read already."""
        firsts = {number: int(np.argmax(partitions == number)) for number in np.unique(partitions).tolist()}
        return all(number in self._partitions and self._is_next(messages[row]) for number, row in firsts.items())

    def _is_next(self, message: Message) -> bool:
        part = self._partitions.get(message.partition() or 0)
        return part is not None and (message.offset() or 0) >= part.ticks

    def _read_marks(self) -> None:
        if not self._partitions:
            return
        for message in self._marks.consume(_MARKS, 0):
            part = self._partitions.get(message.partition() or 0)
            error, offset = message.error(), message.offset() or 0
            if part is None:
                continue
            if error is None:
                part.marks = offset + 1
                try:
                    part.pending.append((offset, self._codec.decode(message.value())))
                except BadRecordError as bad:
                    _LOG.warning("mark_left_out", partition=message.partition(), offset=offset, reason=str(bad))
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                part.marks = offset

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [partition.partition for partition in partitions]
        begins = self._assigned(numbers)
        ends: dict[int, Offsets] = {}
        self._patiently(lambda: ends.update({number: self._ends(number) for number in numbers}))
        for number in numbers:
            begin, end = begins[number], ends.get(number, FROM_THE_BEGINNING)
            self._partitions[number] = _Partition(begin.ticks, begin.marks, end.ticks, end.marks)
        consumer.incremental_assign([_at(self._ticks_topic, number, begins[number].ticks) for number in numbers])
        self._marks.incremental_assign([_at(self._marks_topic, number, begins[number].marks) for number in numbers])
        self._was_assigned = True

    def _ends(self, partition: int) -> Offsets:
        topics = (self._ticks_topic, self._marks_topic)
        try:
            ticks, marks = (
                self.consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_LIMIT)[1]
                for topic in topics
            )
        except KafkaException as error:
            raise RetryableError(f"the ends of {' and '.join(topics)} can't be had: {error}") from error
        return Offsets(int(ticks), int(marks))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._give_up(consumer, partitions, lost=False)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._give_up(consumer, partitions, lost=True)

    def _give_up(self, consumer: Consumer, partitions: list[TopicPartition], *, lost: bool) -> None:
        numbers = [partition.partition for partition in partitions]
        self._revoked(numbers, lost)
        for number in numbers:
            self._partitions.pop(number, None)
        consumer.incremental_unassign(partitions)
        self._marks.incremental_unassign([TopicPartition(self._marks_topic, number) for number in numbers])


def _at(topic: str, partition: int, offset: int) -> TopicPartition:
    return TopicPartition(topic, partition, OFFSET_BEGINNING if offset < 0 else offset)


def _partitions(messages: Sequence[Message]) -> NDArray[np.int64]:
    return np.fromiter(map(Message.partition, messages), dtype=np.int64, count=len(messages))


def _sorted_out(messages: Sequence[Message]) -> tuple[list[Message], dict[int, int]]:
    """The records, and where the partitions end whose end was met.

    Raises:
        FatalError: Kafka can't go on.
    """
    records, ends = [], {}
    for message in messages:
        error = message.error()
        if error is None:
            records.append(message)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
            ends[message.partition() or 0] = message.offset() or 0
        elif error.fatal():
            raise FatalError(f"Kafka can't go on: {error}")
        else:
            _LOG.warning("kafka_error", error=str(error))
    return records, ends
