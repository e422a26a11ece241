"""Reads a topic from where a tail begins to where it ends."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from tickstream.cli.tail.options import Beginning, End, Last, Since, TailOptions
from tickstream.cli.tail.rows import Row, dead_letter_row, event_time_of, row_of, symbol_of
from tickstream.core.clock import NANOS_PER_MILLI, Clock
from tickstream.core.codec import Codecs
from tickstream.core.errors import BadRecordError, FatalError
from tickstream.core.kafka import Consumer, Kafka, KafkaError, Message, TopicPartition
from tickstream.core.topics import TOPICS

_LIMIT = 30.0
_BATCH = 5000
_SKEW_MS = 60_000  # a venue's clock may be ahead of the broker's by this much

Offsets = dict[int, int]


class TopicReader:
    """The records of one topic that a tail asks for, in the order of each partition.

    Args:
        in_demand: whether anybody still waits for what is to come.
    """

    def __init__(
        self, kafka: Kafka, codecs: Codecs, options: TailOptions, clock: Clock, in_demand: Callable[[], bool]
    ) -> None:
        self._consumer: Consumer = kafka.reader()
        self._full = kafka.topic(options.topic)
        self._partitions = range(kafka.partitions(options.topic))
        self._options = options
        self._clock = clock
        self._in_demand = in_demand
        record = TOPICS[options.topic].record
        self._decode: Callable[[Message], Row]
        if record is None:
            self._decode = dead_letter_row
        else:
            codec = codecs.of(record)
            self._decode = lambda message: row_of(codec.decode(message.value()))

    def rows(self) -> Iterator[Row]:
        """Every matching row, as it is read; ends as the options say."""
        lows, highs = self._bounds()
        match self._options.start:
            case Last(count):
                yield from self._last(count, lows, highs)
                starts = highs
            case Beginning():
                starts = lows
            case End():
                starts = highs
            case Since(ts):
                starts = self._offsets_at(ts, highs)
        yield from self._matching(self._read(starts, highs if self._options.exit_at_end else None))

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _bounds(self) -> tuple[Offsets, Offsets]:
        lows, highs = {}, {}
        for partition in self._partitions:
            where = TopicPartition(self._full, partition)
            lows[partition], highs[partition] = self._consumer.get_watermark_offsets(where, timeout=_LIMIT)
        return lows, highs

    def _offsets_at(self, ts: int, highs: Offsets) -> Offsets:
        # A record is published after its event, so nothing before this offset can be meant.
        stamp = max(0, ts // NANOS_PER_MILLI - _SKEW_MS)
        asked = [TopicPartition(self._full, partition, stamp) for partition in self._partitions]
        found = self._consumer.offsets_for_times(asked, timeout=_LIMIT)
        return {each.partition: each.offset if each.offset >= 0 else highs[each.partition] for each in found}

    def _last(self, count: int, lows: Offsets, highs: Offsets) -> Iterator[Row]:
        """The last `count` matching rows, by time of publishing; looks further back until there are enough."""
        reach = max(2 * count, 100)
        while True:
            starts = {p: max(lows[p], highs[p] - reach) for p in self._partitions}
            kept: deque[tuple[int, Row]] = deque(maxlen=max(1, count) * len(self._partitions))
            for message in self._read(starts, highs):
                for row in self._matching([message]):
                    kept.append((message.timestamp()[1], row))
            if len(kept) >= count or starts == lows:
                ordered = sorted(kept, key=lambda stamped: stamped[0])
                yield from (row for _, row in ordered[len(ordered) - min(count, len(ordered)) :])
                return
            reach *= 8

    def _read(self, starts: Offsets, ends: Offsets | None) -> Iterator[Message]:
        """Messages from `starts`, up to `ends` or for ever (then until the end's time has come)."""
        waiting = {p for p in self._partitions if ends is None or starts[p] < ends[p]}
        at_end: set[int] = set()
        self._consumer.assign([TopicPartition(self._full, p, starts[p]) for p in sorted(waiting)])
        while waiting:
            for message in self._consumer.consume(_BATCH, 0.2):
                partition, error = message.partition() or 0, message.error()
                offset = message.offset() or 0
                if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its own name
                    self._complain(error)
                    continue
                if error is None:
                    at_end.discard(partition)
                    if ends is None or offset < ends[partition]:
                        yield message
                else:
                    at_end.add(partition)
                if ends is not None and offset + (error is None) >= ends[partition]:
                    waiting.discard(partition)
            if ends is None and len(at_end) == len(self._partitions) and self._over():
                return

    def _over(self) -> bool:
        timed_out = self._options.until is not None and self._clock.now_ns() >= self._options.until
        return timed_out or not self._in_demand()

    def _matching(self, messages: Iterable[Message]) -> Iterator[Row]:
        for message in messages:
            try:
                row = self._decode(message)
            except BadRecordError as error:
                place = f"{message.topic()}[{message.partition()}]@{message.offset()}"
                sys.stderr.write(f"skipped {place}: {error}\n")
                continue
            if self._wanted(row):
                yield row

    def _wanted(self, row: Row) -> bool:
        options, ts = self._options, event_time_of(row)
        if options.symbols and symbol_of(row) not in options.symbols:
            return False
        if ts is None:
            return True
        early = isinstance(options.start, Since) and ts < options.start.ts
        return not early and (options.until is None or ts < options.until)

    @staticmethod
    def _complain(error: KafkaError) -> None:
        if error.fatal() or error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED):
            raise FatalError(f"Kafka can't go on: {error}")
        sys.stderr.write(f"{error}\n")
