"""A client that knows none of its cluster's brokers any more finds back.

Whether librdkafka ends up so when a broker goes is a matter of chance. A client that was made with a server that isn't
there knows no more of the cluster than one that has forgotten all brokers.
"""

from __future__ import annotations

import time

import pytest

from tests.support.ports import spare_port
from tests.support.programs import until
from tests.support.topics import kafka_of, read_messages
from tickstream.core.clients import HomingConsumer, HomingProducer
from tickstream.core.kafka import OFFSET_BEGINNING, Message, TopicPartition

pytestmark = pytest.mark.integration


@pytest.fixture
def topic(isolated_env: dict[str, str]) -> str:
    kafka = kafka_of(isolated_env)
    kafka.ensure_topics(["market_events"])
    return kafka.topic("market_events")


@pytest.fixture
def nowhere() -> dict[str, str | int]:
    return {"bootstrap.servers": f"127.0.0.1:{spare_port()}", "log_level": 0}


def test_a_consumer_that_has_lost_all_brokers_reads_on(
    isolated_env: dict[str, str], topic: str, nowhere: dict[str, str | int]
) -> None:
    producer = kafka_of(isolated_env).producer("test")
    producer.produce(topic, b"one")
    assert producer.flush(30) == 0
    consumer = HomingConsumer(nowhere | {"group.id": topic})
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(6)])
    try:
        assert consumer.consume(1, 0.5) == []

        consumer.home = isolated_env["KAFKA_BOOTSTRAP_SERVERS"]

        found: list[Message] = []

        def read() -> bool:
            found.extend(consumer.consume(1, 0.5))
            return bool(found)

        until(read, "nothing was read")
        assert [message.value() for message in found] == [b"one"]
    finally:
        consumer.close()


def test_a_producer_that_has_lost_all_brokers_sends_on(
    isolated_env: dict[str, str], topic: str, nowhere: dict[str, str | int]
) -> None:
    producer = HomingProducer(nowhere)
    producer.produce(topic, b"one")
    assert producer.flush(0.5) == 1

    producer.home = isolated_env["KAFKA_BOOTSTRAP_SERVERS"]

    assert producer.flush(60) == 0
    assert [message.value() for message in read_messages(isolated_env, "market_events")] == [b"one"]


def test_a_closed_client_is_left_alone(nowhere: dict[str, str | int]) -> None:
    consumer = HomingConsumer(nowhere | {"group.id": "closed"})
    consumer.close()
    for _ in range(30):
        with pytest.raises(RuntimeError, match="closed"):
            consumer.poll(0)
        time.sleep(0.1)


def test_the_ends_of_topics_that_are_new_are_told_as_soon_as_they_have_leaders(isolated_env: dict[str, str]) -> None:
    kafka = kafka_of(isolated_env)
    consumer = kafka.consumer("test")
    try:
        kafka.ensure_topics()
        places = [
            TopicPartition(kafka.topic(name), number)
            for name in ("bars", "market_events", "stock_ticks")
            for number in range(kafka.partitions(name))
        ]
        assert [consumer.get_watermark_offsets(place, timeout=30) for place in places] == [(0, 0)] * len(places)
    finally:
        consumer.close()
