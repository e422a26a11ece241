"""The loop of a service that reads topics: poll, handle, commit, shut down.

Order of effects, for each batch:

1. the handler does everything the batch asks for and returns once it is durable,
2. the offsets after the batch are committed.

A crash between the two repeats the batch, so handlers are idempotent. When a handler raises
`RetryableError`, the partitions are paused, the group membership is kept alive, and the same
batch is handled again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tickstream.core.clock import Clock
from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.partition import Partition
from tickstream.core.service import Stop

_LOG = logger(__name__)
_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 5.0
_LONGEST_ASKED_WAIT: Final = 60.0
_ANSWER_LIMIT: Final = 5.0
_LOOK_EVERY: Final = 1.0
_ASK_AFTER: Final = 5.0


def by_partition(batch: Iterable[Message]) -> dict[Partition, list[Message]]:
    """The messages of each partition, in their order."""
    found: dict[Partition, list[Message]] = {}
    for message in batch:
        found.setdefault((message.topic() or "", message.partition() or 0), []).append(message)
    return found


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a batch.

    Attributes:
        first: for its first record; then the handler is told that there is nothing.
        more: once there is one, for others.
    """

    first: float = 0.05
    more: float = 0.05


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


class Progress:
    """How far each of our partitions was read, and how far there was to read at the start."""

    def __init__(self) -> None:
        self._next: dict[Partition, int] = {}
        self._ends: dict[Partition, int | None] = {}
        self._assigned = False

    def start(self, partitions: Iterable[Partition]) -> None:
        """Begin to follow newly assigned partitions; their logs' ends are not known yet."""
        self._assigned = True
        self._ends |= dict.fromkeys(partitions)

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget partitions that went to someone else."""
        for partition in partitions:
            self._ends.pop(partition, None)
            self._next.pop(partition, None)

    def reached(self, partition: Partition, next_offset: int) -> None:
        """Everything before `next_offset` was read; an earlier word of a later offset stands.

        A log's end, when it is told along with the last records, lies after the markers of
        transactions that follow them.
        """
        self._next[partition] = max(next_offset, self._next.get(partition, 0))

    def position(self, partition: Partition) -> int:
        """Up to where a partition was read, 0 when nothing of it was yet."""
        return self._next.get(partition, 0)

    def learn_ends(self, consumer: Consumer) -> None:
        """Ask for the log ends that aren't known yet; the rest is asked for next time."""
        try:
            for (topic, number), end in self._ends.items():
                if end is None:
                    where = TopicPartition(topic, number)
                    self._ends[topic, number] = consumer.get_watermark_offsets(where, timeout=_ANSWER_LIMIT)[1]
        except KafkaException as error:
            _LOG.info("log_ends_unknown", reason=str(error))

    def caught_up(self) -> bool:
        """Whether the log ends of the start were reached."""
        return self._assigned and all(
            end is not None and self._next.get(partition, -1) >= end for partition, end in self._ends.items()
        )

    def lag(self, consumer: Consumer) -> int:
        """Records between what was read and the log ends, as far as the consumer has heard of them."""
        behind = 0
        for (topic, number), next_offset in self._next.items():
            high = consumer.get_watermark_offsets(TopicPartition(topic, number), cached=True)[1]
            behind += max(0, high - next_offset)
        return behind


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
        patience: how long to wait for records.
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
        patience: Patience = Patience(),
    ) -> None:
        self._consumer = consumer
        self._topics = list(topics)
        self._handler = handler
        self._stop = stop
        self._clock = clock
        self._max_batch = max_batch
        self._until_caught_up = until_caught_up
        self._patience = patience
        self._progress = Progress()
        self._pending: list[Message] = []
        self._heard = self._looked = clock.monotonic()
        self.waiting_for = ""
        self.lag = 0
        self.at_end: set[Partition] = set()
        """Partitions whose log ended with the last record that was read of them."""

    def position(self, partition: Partition) -> int:
        """Up to where a partition was read: markers of transactions at its log's end count as read."""
        return self._progress.position(partition)

    def run(self) -> None:
        """Read, handle and commit until the end; leaves the group when done.

        Raises:
            FatalError: Kafka or the handler can't go on.
        """
        self._consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )
        try:
            while not (self._stop or self._is_done()):
                self._turn()
        finally:
            self._consumer.close()

    def _is_done(self) -> bool:
        if not self._until_caught_up:
            return False
        self._progress.learn_ends(self._consumer)
        return self._progress.caught_up()

    def _turn(self) -> None:
        first = self._consumer.poll(self._patience.first)
        if first is not None:
            self._take([first])
            self._take(self._consumer.consume(self._max_batch - 1, self._patience.more))
        if self._pending:
            self._handle_until_done()
            self._commit()
            self._pending = []
        else:
            self._handler.idle()
        self._look()

    def _look(self) -> None:
        """See, now and then, how far behind we are, and whether a silent Kafka is still there."""
        now = self._clock.monotonic()
        if now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        self.lag = self._progress.lag(self._consumer)
        if now - self._heard < _ASK_AFTER:
            return
        try:
            self._consumer.list_topics(self._topics[0], timeout=_ANSWER_LIMIT)
        except KafkaException as error:
            self._wait_for(f"Kafka doesn't answer: {error}")
        else:
            self._heard = now
            self._go_on()

    def _wait_for(self, reason: str) -> None:
        if not self.waiting_for:
            _LOG.warning("waiting", reason=reason, records=len(self._pending))
        self.waiting_for = reason

    def _go_on(self) -> None:
        if self.waiting_for:
            self.waiting_for = ""
            _LOG.info("resumed")

    def _take(self, read: Sequence[Message]) -> None:
        """Add what was read; the same call may have served a rebalance that took some of the others away."""
        self._pending = [*self._pending, *self._sort(read)]

    def _sort(self, read: Sequence[Message]) -> list[Message]:
        records = []
        for message in read:
            error = message.error()
            if error is None:
                records.append(message)
                self.at_end.discard(_partition(message))
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                self.at_end.add(_partition(message))
                self._progress.reached(_partition(message), message.offset() or 0)
            elif error.fatal():
                raise FatalError(f"Kafka can't go on: {error}")
            else:
                _LOG.warning("kafka_error", error=str(error))
        if read:
            self._heard = self._clock.monotonic()
        return records

    def _handle_until_done(self) -> None:
        """Have the batch handled, as often as it takes; it is empty if the end came first."""
        wait = _FIRST_WAIT
        paused = False
        while self._pending:
            try:
                self._handler.handle(self._pending)
            except RetryableError as error:
                self._wait_for(str(error))
                paused = True
                self._keep_alive(max(wait, min(error.retry_after, _LONGEST_ASKED_WAIT)))
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                break
            if self._stop:
                self._pending = []
        if paused:
            self._consumer.resume(self._consumer.assignment())
        self._go_on()

    def _keep_alive(self, seconds: float) -> None:
        """Stay in the group for a while without taking more records."""
        until = self._clock.monotonic() + seconds
        while not self._stop and self._clock.monotonic() < until:
            self._consumer.pause(self._consumer.assignment())
            self._take(self._consumer.consume(1, min(0.2, seconds)))

    def _commit(self) -> None:
        ends = {_partition(message): (message.offset() or 0) + 1 for message in self._pending}
        if not ends:
            return
        for partition, offset in ends.items():
            self._progress.reached(partition, offset)
        offsets = [TopicPartition(topic, number, offset) for (topic, number), offset in ends.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            _LOG.warning("commit_failed", error=str(error))

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        starts = self._handler.assigned([(partition.topic, partition.partition) for partition in partitions]) or {}
        for partition in partitions:
            partition.offset = starts.get((partition.topic, partition.partition), partition.offset)
        consumer.incremental_assign(partitions)
        self._progress.start((partition.topic, partition.partition) for partition in partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(partition.topic, partition.partition) for partition in partitions}
        self._pending = [message for message in self._pending if _partition(message) not in gone]
        self._progress.drop(gone)
        self.at_end -= gone
        self._handler.revoked(sorted(gone))
        consumer.incremental_unassign(partitions)


def _partition(message: Message) -> Partition:
    return message.topic() or "", message.partition() or 0
