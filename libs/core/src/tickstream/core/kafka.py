"""The way to Kafka: with `clients`, the only importer of its library.

`Kafka` makes clients for one cluster and knows the topics' full names; `Publisher` sends and
accounts for what it sent; `DeadLetters` sets aside what can't be read.
"""

# ruff: noqa: TID251 - this module is where the Kafka clients are let in

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import ClusterMetadata
from confluent_kafka.cimpl import NewTopic

from tickstream.core.clients import HomingConsumer, HomingProducer
from tickstream.core.clock import Clock
from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.logging import logger
from tickstream.core.partition import Partition
from tickstream.core.service import Stop
from tickstream.core.settings import KafkaSettings
from tickstream.core.topics import LARGEST_RECORD, TOPICS, Topic, dlq_of

__all__ = [
    "OFFSET_BEGINNING",
    "OFFSET_END",
    "AdminClient",
    "Consumer",
    "DeadLetters",
    "Kafka",
    "KafkaError",
    "KafkaException",
    "Message",
    "Producer",
    "Publisher",
    "TopicPartition",
]

_REQUEST_LIMIT: Final = 10.0
_ANY_PARTITION: Final = -1
_COMPLAIN_EVERY: Final = 10.0
_COMPLAINED: Final[dict[int, float]] = {}
_LOG: Final = logger(__name__)

Option = str | int | float | bool


class Kafka:
    """Makes clients for one cluster, with its security and its topic prefix."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def topic(self, name: str) -> str:
        """The full name of a declared topic, prefix included."""
        return self._settings.kafka_topic_prefix + name

    def declared(self, full_name: str) -> str:
        """The declared name behind a full one."""
        return full_name.removeprefix(self._settings.kafka_topic_prefix)

    def group(self, name: str) -> str:
        """The full name of a consumer group or a transactional id."""
        return f"{self._settings.kafka_topic_prefix}tickstream-{name}"

    def common(self) -> dict[str, Option]:
        """The settings that every client shares, by librdkafka's names."""
        settings = self._settings
        password = settings.kafka_sasl_password
        named: dict[str, Option | None] = {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "security.protocol": settings.kafka_security_protocol,
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_sasl_username,
            "sasl.password": password.get_secret_value() if password else None,
            "ssl.ca.location": settings.kafka_ssl_ca_location,
            "ssl.certificate.location": settings.kafka_ssl_certificate_location,
            "ssl.key.location": settings.kafka_ssl_key_location,
            "reconnect.backoff.max.ms": 2000,
            "topic.metadata.refresh.interval.ms": 30_000,
            "log_level": 2,  # librdkafka writes to stderr past our log; what matters comes by error_cb
        }
        return {name: value for name, value in named.items() if value is not None}

    def producer(self, client_id: str, **overrides: Option) -> Producer:
        """An idempotent producer that waits for all replicas.

        It has one request on its way at a time. With more, records that a partition refused at first could count as
        arrived: a broker takes any batch of a producer that it doesn't know yet, whatever its number, and librdkafka
        takes that for proof of all before it (issue 921 of confluent-kafka-go).

        Args:
            client_id: shown in the broker's logs.
            overrides: librdkafka's settings, dots written as underscores.
        """
        config = self.common() | {
            "client.id": client_id,
            "enable.idempotence": True,
            "acks": "all",
            "max.in.flight": 1,
            "compression.type": "lz4",
            "linger.ms": 5,
            "partitioner": "murmur2_random",
            "message.max.bytes": 2 * LARGEST_RECORD,
            "delivery.timeout.ms": 120_000,
            "queue.buffering.max.messages": 200_000,
            "queue.buffering.max.kbytes": 131_072,
        }
        return HomingProducer(config | _dotted(overrides) | _CALLBACKS)

    def consumer(self, group: str, **overrides: Option) -> Consumer:
        """A consumer of committed records that starts at the beginning and commits when told to."""
        config = self.common() | {
            "group.id": self.group(group),
            "client.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "partition.assignment.strategy": "cooperative-sticky",
            "enable.partition.eof": True,
            "session.timeout.ms": 10_000,
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": 65_536,
            "fetch.queue.backoff.ms": 5,  # by default a partition that is read ahead far enough rests for a second
        }
        return HomingConsumer(config | _dotted(overrides) | _CALLBACKS)

    def reader(self, **overrides: Option) -> Consumer:
        """A consumer outside of any group's life: it is assigned partitions and never commits."""
        return self.consumer(f"reader-{uuid.uuid4().hex[:12]}", **overrides)

    def admin(self) -> AdminClient:
        """A client for topics and groups."""
        return AdminClient(self.common())

    def partitions(self, name: str) -> int:
        """How many partitions a declared topic has on the cluster.

        Raises:
            RetryableError: the cluster doesn't answer, or has no such topic yet.
        """
        full = self.topic(name)
        try:
            found = self.admin().list_topics(full, timeout=_REQUEST_LIMIT).topics[full]
        except KafkaException as error:
            raise RetryableError(
                f"Kafka at {self._settings.kafka_bootstrap_servers} doesn't answer: {error}"
            ) from error
        if found.error is not None:
            raise RetryableError(f"topic {full} can't be described: {found.error}")
        return len(found.partitions)

    def topic_id(self, name: str) -> str:
        """The id that the cluster gave a declared topic when it was created: another one if it is created again.

        Raises:
            RetryableError: the cluster doesn't answer, or has no such topic yet.
        """
        full = self.topic(name)
        admin = self.admin()  # it must live until the answer is in
        try:
            described = admin.describe_topics(TopicCollection([full]), request_timeout=_REQUEST_LIMIT)[full].result()
        except KafkaException as error:
            raise RetryableError(f"topic {full} can't be described: {error}") from error
        return str(described.topic_id)

    def cluster_id(self) -> str:
        """The id that the cluster gave itself.

        Raises:
            RetryableError: the cluster doesn't answer in time.
        """
        return str(self._metadata().cluster_id)

    def existing(self) -> dict[str, int]:
        """The partition counts of all topics on the cluster, by their full names.

        Raises:
            RetryableError: the cluster doesn't answer in time.
        """
        return {name: len(topic.partitions) for name, topic in self._metadata().topics.items()}

    def ensure_topics(self, names: Iterable[str] = tuple(TOPICS)) -> None:
        """Create those of the declared topics that don't exist yet.

        Raises:
            RetryableError: the cluster doesn't answer in time.
            FatalError: the cluster refuses.
        """
        metadata = self._metadata()
        missing = [TOPICS[name] for name in names if self.topic(name) not in metadata.topics]
        if not missing:
            return
        replicas = min(3, len(metadata.brokers))
        wanted = [self._new_topic(topic, replicas) for topic in missing]
        admin = self.admin()  # it must live until the answers are in
        for full, future in admin.create_topics(wanted, operation_timeout=_REQUEST_LIMIT).items():
            try:
                future.result()
            except KafkaException as error:
                reason = error.args[0]
                if reason.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                    continue
                kind = RetryableError if reason.retriable() else FatalError
                raise kind(f"topic {full} can't be created: {reason}") from error

    def _metadata(self) -> ClusterMetadata:
        try:
            return self.admin().list_topics(timeout=_REQUEST_LIMIT)
        except KafkaException as error:
            servers = self._settings.kafka_bootstrap_servers
            raise RetryableError(f"Kafka at {servers} doesn't answer: {error}") from error

    def _new_topic(self, topic: Topic, replicas: int) -> NewTopic:
        partitions = topic.partitions or self._settings.kafka_topic_partitions
        return NewTopic(
            self.topic(topic.name),
            num_partitions=partitions,
            replication_factor=replicas,
            config=topic.config() | {"min.insync.replicas": str(max(1, replicas - 1))},
        )


class Publisher:
    """Sends records and knows, at each flush, that all of them arrived."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._failures: list[str] = []
        self.delivered = 0

    def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        partition: int = _ANY_PARTITION,
    ) -> None:
        """Queue one record; waits while the queue is full."""
        while True:
            try:
                self._producer.produce(
                    topic,
                    key=key,
                    value=value,
                    partition=partition,
                    headers=dict(headers) if headers else None,
                    on_delivery=self._on_delivery,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.delivered += 1
        elif len(self._failures) < 10:
            self._failures.append(f"{message.topic()}: {error}")

    def flush(self, limit: float = 130.0) -> None:
        """Wait until everything published has arrived.

        Raises:
            RetryableError: something didn't arrive within `limit` seconds.
        """
        left = self._producer.flush(limit)
        failures, self._failures = self._failures, []
        if failures or left:
            raise RetryableError(f"{left} records still waiting, failed: {'; '.join(failures) or 'none'}")


class DeadLetters:
    """Sends what can't be taken to the topic's DLQ, with the reason in the headers."""

    def __init__(self, kafka: Kafka, publisher: Publisher, service: str, clock: Clock) -> None:
        self._kafka = kafka
        self._publisher = publisher
        self._service = service
        self._clock = clock

    def reject(self, message: Message, reason: str) -> None:
        """Queue the record for the DLQ; it has arrived once the publisher was flushed."""
        topic = message.topic() or ""
        headers = dead_letter_headers(message, reason, self._kafka.declared(topic), self._service, self._clock.now_ns())
        self._publisher.publish(
            self._kafka.topic(dlq_of(self._kafka.declared(topic))), message.key(), message.value(), headers
        )


def dead_letter_headers(message: Message, reason: str, topic: str, service: str, now_ns: int) -> dict[str, bytes]:
    """The headers of a rejected record: why, by whom, from where and when (nanoseconds)."""
    texts = {
        "error": reason[:1000],
        "service": service,
        "topic": topic,
        "partition": str(message.partition()),
        "offset": str(message.offset()),
        "failed_at": str(now_ns),
    }
    return {name: text.encode() for name, text in texts.items()}


def _complain(error: KafkaError) -> None:
    """Log what a client says of its connections, each kind at most once in a while."""
    now = time.monotonic()
    if now - _COMPLAINED.get(error.code(), -math.inf) >= _COMPLAIN_EVERY:
        _COMPLAINED[error.code()] = now
        _LOG.warning("kafka", error=str(error))


_CALLBACKS: Final = {"error_cb": _complain}


def _dotted(overrides: Mapping[str, Option]) -> dict[str, Option]:
    return {name.replace("_", "."): value for name, value in overrides.items()}


def retry_forever(call: Callable[[], None], stop: Stop, say: Callable[[str], None]) -> None:
    """Repeat `call` until it raises no RetryableError, or the end has come; waits up to 2 s between."""
    wait = 0.2
    while not stop:
        try:
            call()
        except RetryableError as error:
            say(str(error))
            stop.wait(wait)
            wait = min(wait * 2, 2.0)
        else:
            return


def log_end_of(consumer: Consumer) -> Callable[[Partition], int]:
    """What asks for the end of a partition's log.

    It raises RetryableError when Kafka doesn't answer.
    """

    def log_end(partition: Partition) -> int:
        try:
            _low, high = consumer.get_watermark_offsets(TopicPartition(*partition), timeout=30.0)
        except KafkaException as error:
            raise RetryableError(f"Kafka doesn't answer: {error}") from error
        return high

    return log_end
