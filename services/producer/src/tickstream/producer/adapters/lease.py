"""The right to publish, held by one of several producers: the others stand by.

It is the one partition of a small topic, as a consumer group hands it out: when its holder dies,
Kafka gives it to another within a few seconds. The holder leaves the name of its source with it,
so that the next one can say for the dead that nothing more will come.
"""

from __future__ import annotations

from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.errors import RetryableError
from tickstream.core.kafka import Consumer, Kafka, KafkaException, TopicPartition
from tickstream.core.topics import SYSTEM_METRICS

_TIMEOUT_MS: Final = 6_000
_LONGEST_SILENCE: Final = _TIMEOUT_MS / 1000 / 2
_CHECK_EVERY: Final = 0.1
_REQUEST_LIMIT: Final = 10.0


class Lease:
    """Membership in the group of those who may publish.

    Args:
        kafka: makes the group's consumer.
        name: producers with the same name take turns.
        clock: watches for pauses of the process, in which the lease may have gone.
    """

    def __init__(self, kafka: Kafka, name: str, clock: Clock) -> None:
        self._where = TopicPartition(kafka.topic(SYSTEM_METRICS.name), 0)
        self._clock = clock
        self._checked = clock.monotonic()
        self._held = False
        self._consumer: Consumer = kafka.consumer(
            f"producer-{name}", session_timeout_ms=_TIMEOUT_MS, heartbeat_interval_ms=_TIMEOUT_MS // 6
        )
        self._consumer.subscribe(
            [self._where.topic], on_assign=self._on_assign, on_revoke=self._on_gone, on_lost=self._on_gone
        )

    def held(self) -> bool:
        """Whether this process may publish now; to be asked often."""
        now = self._clock.monotonic()
        silence = now - self._checked
        if silence < _CHECK_EVERY:
            return self._held
        self._checked = now
        self._consumer.poll(0)
        if silence > _LONGEST_SILENCE:
            self._held = False
        return self._held

    def wait(self, seconds: float) -> bool:
        """Wait for the lease for a while; says whether it is held."""
        self._consumer.poll(seconds)
        self._checked = self._clock.monotonic()
        return self._held

    def source(self) -> str | None:
        """The name of the source that the last holder left here.

        Raises:
            RetryableError: Kafka doesn't answer.
        """
        try:
            (found,) = self._consumer.committed([self._where], timeout=_REQUEST_LIMIT)
        except KafkaException as error:
            raise RetryableError(f"the lease can't be read: {error}") from error
        return found.metadata or None

    def leave(self, source: str) -> None:
        """Leave the name of our source with the lease; an empty one once it has ended well.

        Raises:
            RetryableError: Kafka doesn't take it, or the lease is no longer ours.
        """
        where = TopicPartition(self._where.topic, self._where.partition, 0, source)
        try:
            self._consumer.commit(offsets=[where], asynchronous=False)
        except KafkaException as error:
            raise RetryableError(f"the lease can't be written: {error}") from error

    def close(self) -> None:
        """Give the lease back."""
        self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        consumer.pause(partitions)
        self._held = self._held or bool(partitions)

    def _on_gone(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_unassign(partitions)
        if partitions:
            self._held = False


def log_ends(kafka: Kafka, topic: str, partitions: int) -> list[int]:
    """The offset behind the last record of each partition.

    Raises:
        RetryableError: Kafka doesn't answer.
    """
    reader = kafka.reader()
    try:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        return [reader.get_watermark_offsets(place, timeout=_REQUEST_LIMIT)[1] for place in places]
    except KafkaException as error:
        raise RetryableError(f"the ends of {topic} can't be read: {error}") from error
    finally:
        reader.close()
