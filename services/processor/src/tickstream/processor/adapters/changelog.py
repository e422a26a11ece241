"""State read back from the changelog, a compacted topic that is partitioned like the trades."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.errors import RetryableError
from tickstream.core.kafka import OFFSET_BEGINNING, Consumer, Kafka, KafkaError, KafkaException, TopicPartition
from tickstream.core.topics import PROCESSOR_STATE
from tickstream.processor.domain.state import Loaded

_BATCH: Final = 20_000
_LIMIT: Final = 30.0


def load(kafka: Kafka, partitions: Sequence[int], clock: Clock) -> dict[int, Loaded]:
    """Everything committed to the changelog's partitions.

    Records of a transaction that is still open, say of an instance that was killed, are waited for:
    it may yet be committed.

    Raises:
        RetryableError: Kafka doesn't answer, or a transaction stays open.
    """
    topic = kafka.topic(PROCESSOR_STATE.name)
    loaded = {partition: Loaded() for partition in partitions}
    try:
        with closing(kafka.reader()) as reader, closing(kafka.reader(isolation_level="read_uncommitted")) as peeker:
            ends = {partition: _end(peeker, topic, partition) for partition in partitions}
            waited_for = {partition for partition, end in ends.items() if end > 0}
            reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in waited_for])
            deadline = clock.monotonic() + _LIMIT
            while waited_for:
                if _read(reader, loaded, ends, waited_for):
                    deadline = clock.monotonic() + _LIMIT
                elif clock.monotonic() > deadline:
                    raise RetryableError(f"{topic} must be readable to its end, but {sorted(waited_for)} are not yet")
    except KafkaException as error:
        raise RetryableError(f"{topic} can't be read: {error}") from error
    return loaded


def _end(reader: Consumer, topic: str, partition: int) -> int:
    _low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=_LIMIT)
    return int(high)


def _read(reader: Consumer, loaded: dict[int, Loaded], ends: dict[int, int], waited_for: set[int]) -> bool:
    """Read some records; says whether there were any."""
    messages = reader.consume(_BATCH, 0.2)
    for message in messages:
        partition, error = message.partition() or 0, message.error()
        if error is None:
            loaded[partition].take(message.key() or b"", message.value())
            reached = (message.offset() or 0) + 1
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
            reached = message.offset() or 0
        else:
            continue
        if reached >= ends[partition]:
            waited_for.discard(partition)
    return bool(messages)
