"""The loop that one writes first: consume, decode, a dict of bars, produce. No guarantee at all."""

# ruff: noqa: TID251 - a peer, not a part of Tickstream

from __future__ import annotations

import io
import os
import struct
import sys
from pathlib import Path
from typing import Any

import fastavro
import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

MINUTE = 60_000_000_000
SCHEMA = fastavro.parse_schema(orjson.loads((Path(__file__).parents[3] / "schemas" / "stock_ticks.avsc").read_bytes()))


def create(topic: str, partitions: int, servers: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers})
    if topic not in admin.list_topics(timeout=30).topics:
        admin.create_topics([NewTopic(topic, partitions)])[topic].result()


def main(wanted: int) -> None:
    prefix = os.environ["KAFKA_TOPIC_PREFIX"]
    servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    consumer = Consumer({"bootstrap.servers": servers, "group.id": f"{prefix}plain", "enable.auto.commit": False})
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20})
    topic = prefix + "stock_ticks"
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    create(prefix + "plain", len(partitions), servers)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    bars: dict[str, list[float]] = {}
    seen = 0
    while seen < wanted:
        for message in consumer.consume(10_000, 0.2):
            if message.error() is not None:
                continue
            seen += 1
            tick: Any = fastavro.schemaless_reader(io.BytesIO((message.value() or b"")[5:]), SCHEMA)
            minute = tick["ts_event"] // MINUTE
            price, volume, symbol = tick["price"], tick["volume"], tick["symbol"]
            bar = bars.get(symbol)
            if bar is None or bar[0] != minute:
                if bar is not None:
                    producer.produce(prefix + "plain", key=symbol, value=struct.pack("<8d", *bar))
                    producer.poll(0)
                bars[symbol] = [minute, price, price, price, price, volume, price * volume, 1]
                continue
            bar[2] = max(bar[2], price)
            bar[3] = min(bar[3], price)
            bar[4] = price
            bar[5] += volume
            bar[6] += price * volume
            bar[7] += 1
    for symbol, bar in bars.items():
        producer.produce(prefix + "plain", key=symbol, value=struct.pack("<8d", *bar))
    producer.flush()
    consumer.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
