"""Kafka transactions of which none is ever in doubt.

librdkafka doesn't number transactions as brokers since KIP-890 can: after a commit that timed out,
the late request could end the next transaction. So a producer with which anything went wrong is
not used again: a new one takes its transactional id, which fences the old one. That makes it safe to
give up early: a call has a small part of the transaction's timeout, by default 3 of 20 s, and after each failure
twice as long, up to three quarters of it, until a commit succeeds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Final

from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import Consumer, Kafka, KafkaError, KafkaException, Producer, TopicPartition

_TIMEOUT: Final = 20.0
_SHORTEST: Final = 0.15
_LONGEST: Final = 0.75
_SLACK: Final = 1.0
_REQUESTS_IN_FLIGHT: Final = 5
"""A batch goes to many partitions; those of a transaction brokers don't take out of turn (KIP-890)."""


class Transactions:
    """Sends records and offsets in transactions.

    Args:
        kafka: the cluster.
        instance: the transactional id, its own for each process that runs.
        timeout: seconds after which the brokers abort a transaction that has not ended.
    """

    def __init__(self, kafka: Kafka, instance: str, timeout: float = _TIMEOUT) -> None:
        self._kafka = kafka
        self._instance = instance
        self._timeout = timeout
        self._producer: Producer | None = None
        self._limit = timeout * _SHORTEST
        self.is_open = False

    @property
    def are_over(self) -> bool:
        """Whether no transaction of this name is open: neither one of ours, nor one of who had the name before."""
        return self._producer is not None and not self.is_open

    def renew(self) -> None:
        """Put a new producer in the place of the last one; whatever that one had open is aborted.

        Raises:
            RetryableError: Kafka doesn't answer.
        """
        self._producer = None
        self.is_open = False
        limit, self._limit = self._limit, min(2 * self._limit, self._timeout * _LONGEST)
        producer = self._kafka.producer(
            self._instance,
            transactional_id=self._instance,
            max_in_flight=_REQUESTS_IN_FLIGHT,
            transaction_timeout_ms=int(self._timeout * 1000),
            delivery_timeout_ms=int(self._timeout * 1000),
        )
        try:
            producer.init_transactions(limit)
        except KafkaException as error:
            raise RetryableError(f"transactions can't begin: {error}") from error
        self._producer = producer

    def send(
        self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None], partition: int = -1
    ) -> None:
        """Queue records in the open transaction, or a new one.

        Raises:
            RetryableError: they can't be sent; the producer must be renewed.
        """
        producer = self._begun()
        produce = producer.produce
        for key, value in zip(keys, values, strict=True):
            try:
                produce(topic, value, key, partition)
            except BufferError:
                self._send_slowly(topic, key, value, partition, None)
            except KafkaException as error:
                raise _retryable(error) from error

    def send_one(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        """Queue one record, with headers.

        Raises:
            RetryableError: as `send`.
        """
        self._begun()
        self._send_slowly(topic, key, value, -1, headers)

    def commit(self, offsets: Sequence[TopicPartition] = (), consumer: Consumer | None = None) -> None:
        """End the transaction, with the consumer's offsets in it, if there are any.

        Raises:
            RetryableError: it may or may not have been committed; the producer must be renewed.
        """
        producer = self._begun()
        try:
            if offsets and consumer is not None:
                group = consumer.consumer_group_metadata()
                _within(
                    self._limit + _SLACK,
                    lambda: producer.send_offsets_to_transaction(list(offsets), group, self._limit),
                )
            producer.commit_transaction(self._limit)
        except KafkaException as error:
            raise _retryable(error) from error
        self.is_open = False
        self._limit = self._timeout * _SHORTEST

    def _begun(self) -> Producer:
        producer = self._producer
        if producer is None:
            raise RetryableError("the producer must be renewed first")
        if not self.is_open:
            try:
                producer.begin_transaction()
            except KafkaException as error:
                raise _retryable(error) from error
            self.is_open = True
        return producer

    def _send_slowly(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int, headers: Mapping[str, bytes] | None
    ) -> None:
        options: dict[str, Any] = {"headers": dict(headers)} if headers else {}
        producer = self._begun()
        while True:
            try:
                producer.produce(topic, value, key, partition, **options)
            except BufferError:
                producer.poll(0.05)
            except KafkaException as error:
                raise _retryable(error) from error
            else:
                return


def _within(seconds: float, call: Callable[[], object]) -> None:
    """Make a call that may never come back; the thread that is then stuck keeps its producer, which is replaced.

    librdkafka's send_offsets_to_transaction doesn't keep its own limit while the group's coordinator is away
    (its issues 5456 and 5511).

    Raises:
        RetryableError: it didn't come back in time.
    """
    outcome: SimpleQueue[Exception | None] = SimpleQueue()

    def attempt() -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the thread that waits
            outcome.put(error)
        else:
            outcome.put(None)

    threading.Thread(target=attempt, name="offsets", daemon=True).start()
    try:
        error = outcome.get(timeout=seconds)
    except Empty:
        raise RetryableError(f"the group's coordinator must take the offsets within {seconds:.0f} s") from None
    if error is not None:
        raise error


def _retryable(error: KafkaException) -> RetryableError | FatalError:
    """A zombie ends; everything else starts over from the last committed state."""
    reason = error.args[0]
    if reason.code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH):  # noqa: SLF001 - librdkafka's own names
        return FatalError(f"another instance has taken this one's place: {reason}")
    return RetryableError(f"the transaction can't be ended: {reason}")
