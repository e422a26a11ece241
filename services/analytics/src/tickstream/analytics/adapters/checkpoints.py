"""Where a restart has to begin, kept as a group's committed offsets with a word beside each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tickstream.core.errors import RetryableError
from tickstream.core.kafka import Kafka, KafkaException, TopicPartition
from tickstream.core.partition import Partition

_GROUP: Final = "analytics-checkpoints"
_ANSWER_LIMIT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a partition has come.

    Attributes:
        begin: the offset from which the kept days can be rebuilt.
        counted: the offset before which all records have had their part in published figures.
    """

    begin: int
    counted: int


class Checkpoints:
    """Of a group that nobody is a member of."""

    def __init__(self, kafka: Kafka) -> None:
        self._consumer = kafka.consumer(_GROUP)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def load(self, partitions: Sequence[Partition]) -> Mapping[Partition, Checkpoint]:
        """The checkpoints of those partitions that have one.

        Raises:
            RetryableError: Kafka doesn't answer.
        """
        wanted = [TopicPartition(topic, number) for topic, number in partitions]
        try:
            found = self._consumer.committed(wanted, timeout=_ANSWER_LIMIT)
        except KafkaException as error:
            raise RetryableError(f"Kafka doesn't give the checkpoints: {error}") from error
        return {
            (each.topic, each.partition): Checkpoint(each.offset, int(each.metadata or each.offset))
            for each in found
            if each.offset >= 0
        }

    def save(self, checkpoints: Mapping[Partition, Checkpoint]) -> None:
        """Write checkpoints.

        Raises:
            RetryableError: Kafka doesn't answer.
        """
        offsets = [
            TopicPartition(topic, number, checkpoint.begin, str(checkpoint.counted))
            for (topic, number), checkpoint in checkpoints.items()
        ]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise RetryableError(f"Kafka doesn't take the checkpoints: {error}") from error
