"""Reads and writes topics without the project's codec: fastavro and the schemas' files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import fastavro

from tickstream.core.kafka import Consumer, Kafka, KafkaError, Message, Publisher, TopicPartition
from tickstream.core.settings import KafkaSettings, load

SCHEMAS = Path(__file__).parents[2] / "schemas"

Row = dict[str, Any]


def kafka_of(env: Mapping[str, str]) -> Kafka:
    """Clients for the cluster, and the topic prefix, of the environment."""
    return Kafka(load(KafkaSettings, "TEST", [], env))


@cache
def schema_of(topic: str) -> Any:
    """The topic's schema, as fastavro wants it."""
    return fastavro.parse_schema(json.loads((SCHEMAS / f"{topic}.avsc").read_text()))


def decode(topic: str, value: bytes) -> Row:
    """One Avro record in Confluent's wire format."""
    decoded: Row = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema_of(topic))  # type: ignore[assignment] # a record
    return decoded


def read_messages(env: Mapping[str, str], topic: str) -> list[Message]:
    """Everything committed on a topic up to its present end, partition by partition."""
    kafka = kafka_of(env)
    full = kafka.topic(topic)
    found: dict[int, list[Message]] = {number: [] for number in range(kafka.partitions(topic))}
    unread = set(found)
    consumer: Consumer = kafka.reader()
    try:
        consumer.assign([TopicPartition(full, number, 0) for number in found])
        while unread:
            for message in consumer.consume(10_000, 0.05):
                error = message.error()
                if error is None:
                    found[message.partition() or 0].append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition() or 0)
                else:
                    raise AssertionError(str(error))
    finally:
        consumer.close()
    return [message for messages in found.values() for message in messages]


def read_rows(env: Mapping[str, str], topic: str) -> list[Row]:
    """Every committed record of a topic."""
    return [decode(topic, message.value() or b"") for message in read_messages(env, topic)]


def publish(env: Mapping[str, str], topic: str, values: list[tuple[str, bytes]]) -> None:
    """Publish raw values under their keys."""
    kafka = kafka_of(env)
    publisher = Publisher(kafka.producer("test"))
    for key, value in values:
        publisher.publish(kafka.topic(topic), key.encode(), value)
    publisher.flush()


def avro(topic: str, record: Row) -> bytes:
    """A record in Confluent's wire format, with the fixed id of its schema."""
    ids = json.loads((SCHEMAS / "ids.json").read_text())
    out = io.BytesIO()
    out.write(b"\x00" + int(ids[topic]).to_bytes(4, "big"))
    fastavro.schemaless_writer(out, schema_of(topic), record)
    return out.getvalue()
