"""Reads and writes topics without the project's codec: fastavro and the schemas' files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
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


def decode(topic: str, value: bytes) -> Row:
    """One Avro record in Confluent's wire format."""
    schema = fastavro.parse_schema(json.loads((SCHEMAS / f"{topic}.avsc").read_text()))
    decoded: Row = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema)  # type: ignore[assignment] # a record
    return decoded


def read_messages(env: Mapping[str, str], topic: str) -> list[Message]:
    """Everything committed on a topic up to its present end, partition by partition."""
    kafka = kafka_of(env)
    full = kafka.topic(topic)
    messages: list[Message] = []
    consumer: Consumer = kafka.reader()
    try:
        for partition in range(kafka.partitions(topic)):
            consumer.assign([TopicPartition(full, partition, 0)])
            at_end = False
            while not at_end:
                for message in consumer.consume(10_000, 1.0):
                    error = message.error()
                    if error is None:
                        messages.append(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        at_end = True
                    else:
                        raise AssertionError(str(error))
    finally:
        consumer.close()
    return messages


def read_rows(env: Mapping[str, str], topic: str) -> list[Row]:
    """Every committed record of a topic."""
    schema = fastavro.parse_schema(json.loads((SCHEMAS / f"{topic}.avsc").read_text()))
    rows: list[Row] = []
    for message in read_messages(env, topic):
        value = message.value() or b""
        rows.append(fastavro.schemaless_reader(io.BytesIO(value[5:]), schema))  # type: ignore[arg-type] # a record
    return rows


def publish(env: Mapping[str, str], topic: str, values: list[tuple[str, bytes]]) -> None:
    """Publish raw values under their keys."""
    kafka = kafka_of(env)
    publisher = Publisher(kafka.producer("test"))
    for key, value in values:
        publisher.publish(kafka.topic(topic), key.encode(), value)
    publisher.flush()


def avro(topic: str, record: Row) -> bytes:
    """A record in Confluent's wire format, with the fixed id of its schema."""
    schema = fastavro.parse_schema(json.loads((SCHEMAS / f"{topic}.avsc").read_text()))
    ids = json.loads((SCHEMAS / "ids.json").read_text())
    out = io.BytesIO()
    out.write(b"\x00" + int(ids[topic]).to_bytes(4, "big"))
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()
