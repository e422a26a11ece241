"""The loop of a service that reads topics: poll, handle, commit, shut down.

Order of effects, for each batch:

1. the handler does everything the batch asks for and returns once it is durable,
2. the offsets after the batch are committed.

A crash between the two repeats the batch, so handlers are idempotent. When a handler raises
`RetryableError`, the partitions are paused, the group membership is kept alive, and the same
batch is handled again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from tickstream.core.clock import Clock
from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.service import Stop

_LOG = logger(__name__)
_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 5.0

Partition = tuple[str, int]


class Handler(Protocol):
    """What a service does with the records that it reads."""

    def handle(self, batch: Sequence[Message]) -> None:
        """Take the batch into account, durably.

        The same batch may come again, after a RetryableError or a crash.

        Raises:
            RetryableError: to be given the same batch again later.
        """
        ...

    def idle(self) -> None:
        """Called when there was nothing to read for a moment."""
        ...

    def assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | None:
        """These partitions are ours from now on.

        Returns:
            where to begin, for those whose position the handler keeps itself; the others begin
            at their committed offsets.
        """
        ...

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """These partitions are no longer ours."""
        ...


class CaughtUp:
    """Knows when the log ends, as they were at the start, have been reached."""

    def __init__(self) -> None:
        self._ends: dict[Partition, int] = {}
        self._open: set[Partition] = set()
        self.assigned = False

    def start(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Note where the logs of newly assigned partitions end."""
        self.assigned = True
        for partition in partitions:
            _low, high = consumer.get_watermark_offsets(partition, timeout=30.0)
            self._ends[partition.topic, partition.partition] = high
            self._open.add((partition.topic, partition.partition))

    def drop(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget partitions that went to someone else."""
        self._open -= {(partition.topic, partition.partition) for partition in partitions}

    def reached(self, topic: str, partition: int, next_offset: int) -> None:
        """Everything before `next_offset` was read."""
        where = (topic, partition)
        if where in self._open and next_offset >= self._ends[where]:
            self._open.discard(where)

    def __bool__(self) -> bool:
        return self.assigned and not self._open


class Runner:
    """Reads topics in batches until it is told to stop, or has caught up.

    Args:
        consumer: not subscribed yet.
        topics: full names.
        handler: does the work.
        stop: says when to end.
        clock: for the waits between tries.
        max_batch: records in a batch, at most.
        until_caught_up: end once the log ends of the start are reached.
        poll_seconds: how long to wait for the first record of a batch.
    """

    def __init__(
        self,
        consumer: Consumer,
        topics: Sequence[str],
        handler: Handler,
        stop: Stop,
        clock: Clock,
        *,
        max_batch: int = 10_000,
        until_caught_up: bool = False,
        poll_seconds: float = 0.05,
    ) -> None:
        self._consumer = consumer
        self._topics = list(topics)
        self._handler = handler
        self._stop = stop
        self._clock = clock
        self._max_batch = max_batch
        self._until_caught_up = until_caught_up
        self._poll_seconds = poll_seconds
        self._caught_up = CaughtUp()
        self._pending: list[Message] = []
        self.waiting_for = ""

    def run(self) -> None:
        """Read, handle and commit until the end; leaves the group when done.

        Raises:
            FatalError: Kafka or the handler can't go on.
        """
        self._consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )
        try:
            while not self._stop and not (self._until_caught_up and self._caught_up):
                self._turn()
        finally:
            self._consumer.close()

    def _turn(self) -> None:
        read = self._consumer.consume(self._max_batch, self._poll_seconds)
        self._pending = self._sort(read)
        if not self._pending:
            self._handler.idle()
            return
        last = self._pending[-1:]
        self._handle_until_done()
        if self._pending and last:
            self._commit()
        self._pending = []

    def _sort(self, read: Sequence[Message]) -> list[Message]:
        records = []
        for message in read:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                self._caught_up.reached(message.topic() or "", message.partition() or 0, message.offset() or 0)
            elif error.fatal():
                raise FatalError(f"Kafka can't go on: {error}")
            else:
                _LOG.warning("kafka_error", error=str(error))
        return records

    def _handle_until_done(self) -> None:
        wait = _FIRST_WAIT
        while self._pending and not (self._stop and self.waiting_for):
            try:
                self._handler.handle(self._pending)
            except RetryableError as error:
                if not self.waiting_for:
                    _LOG.warning("waiting", reason=str(error), records=len(self._pending))
                self.waiting_for = str(error)
                self._keep_alive(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                break
        else:
            self._pending = []
        if self.waiting_for:
            _LOG.info("resumed")
            self.waiting_for = ""
            self._consumer.resume(self._consumer.assignment())

    def _keep_alive(self, seconds: float) -> None:
        """Stay in the group for a while without taking more records."""
        until = self._clock.monotonic() + seconds
        while not self._stop and self._clock.monotonic() < until:
            self._consumer.pause(self._consumer.assignment())
            for message in self._consumer.consume(1, min(0.2, seconds)):
                if message.error() is None:
                    self._pending.append(message)

    def _commit(self) -> None:
        ends: dict[Partition, int] = {}
        for message in self._pending:
            ends[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in ends.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            _LOG.warning("commit_failed", error=str(error))

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        starts = self._handler.assigned([(partition.topic, partition.partition) for partition in partitions]) or {}
        for partition in partitions:
            partition.offset = starts.get((partition.topic, partition.partition), partition.offset)
        consumer.incremental_assign(partitions)
        self._caught_up.start(consumer, partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(partition.topic, partition.partition) for partition in partitions}
        self._pending = [m for m in self._pending if (m.topic() or "", m.partition() or 0) not in gone]
        self._caught_up.drop(partitions)
        self._handler.revoked(sorted(gone))
        consumer.incremental_unassign(partitions)
