"""One active instance, the others standing by; and where the next one has to begin.

Figures of the whole market need every partition, so one instance reads them all. Which one is
settled by a consumer group on a topic of one partition: whoever holds it is active. The same
group keeps the checkpoints, as offsets with a word beside each, so that an instance that has
lost the lease can't write one.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import Consumer, Kafka, KafkaException, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.runner import Partition
from tickstream.core.service import Stop
from tickstream.core.topics import SYSTEM_METRICS

_LOG = logger(__name__)
_GROUP: Final = "analytics-lease"
_POLL: Final = 0.2
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


class Lease:
    """Held by the active instance.

    Args:
        kafka: the cluster.
        stop: set when the lease is lost.
    """

    def __init__(self, kafka: Kafka, stop: Stop) -> None:
        self._consumer: Consumer = kafka.consumer(_GROUP)
        self._topic = kafka.topic(SYSTEM_METRICS.name)
        self._stop = stop
        self._held = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="lease", daemon=True)
        self.lost = False

    def wait(self, stop: Stop) -> bool:
        """Stand by until the lease is ours; says whether it is, or the service is to end."""
        while not stop:
            if self._held.wait(_POLL):
                return True
        return False

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
            FatalError: the lease is lost.
            RetryableError: Kafka doesn't answer.
        """
        if self.lost:
            raise FatalError("another instance is the active one now")
        offsets = [
            TopicPartition(topic, number, checkpoint.begin, str(checkpoint.counted))
            for (topic, number), checkpoint in checkpoints.items()
        ]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise RetryableError(f"Kafka doesn't take the checkpoints: {error}") from error

    def _poll(self) -> None:
        self._consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )
        while not self._ended.is_set():
            self._consumer.poll(_POLL)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        if partitions:
            consumer.pause(partitions)
            _LOG.info("active")
            self._held.set()

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_unassign(partitions)
        if partitions and not self._ended.is_set():
            _LOG.error("lease_lost")
            self.lost = True
            self._stop.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._consumer.close()
