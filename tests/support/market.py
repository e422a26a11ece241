"""Trades and bars for tests of what reads the topics, published as the platform would."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from tests.support.topics import kafka_of
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Message, Publisher
from tickstream.core.model import Bar, Record, State, Tick
from tickstream.core.topics import TOPICS

MINUTE = 60_000_000_000


def tick(symbol: str, seq: int, price: float = 100.0) -> Tick:
    """A trade of now."""
    now = time.time_ns()
    return Tick(symbol, price, 10.0, now, now, seq, "test", "Q", None, None, 0)


def bar(symbol: str, number: int, state: State = "closed", close: float = 100.0, revision: int = 0) -> Bar:
    """The bar of a symbol's minute `number`."""
    start = number * MINUTE
    return Bar(
        symbol, "1m", start, start + MINUTE, 100, 101, 99, close, 10, 100, 1, state, revision, "traded", "regular"
    )


def key_of(record: Record) -> str:
    """What the record's topic is keyed by."""
    return str(getattr(record, "symbol", None) or getattr(record, "scope", "market"))


def message(record: Record, offset: int, partition: int = 0, key: bytes | None = b"") -> Message:
    """A record as Kafka's client gives it; with its own key unless another one is given."""
    own = key_of(record).encode() if key == b"" else key
    value = Codecs().of(type(record)).encode(record)
    return Message(topic="test", partition=partition, offset=offset, key=own, value=value, timestamp=(1, 0))


class Market:
    """Publishes records of any kind."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._kafka = kafka_of(env)
        self._kafka.ensure_topics()
        self._codecs = Codecs()
        self._publisher = Publisher(self._kafka.producer("test", linger_ms=1))

    def publish(self, records: Sequence[Record]) -> None:
        """Publish and wait until all have arrived."""
        self.send(records)
        self._publisher.flush()

    def send(self, records: Sequence[Record]) -> None:
        """Publish without waiting."""
        for record in records:
            topic = next(topic.name for topic in TOPICS.values() if topic.record is type(record))
            value = self._codecs.of(type(record)).encode(record)
            self._publisher.publish(self._kafka.topic(topic), key_of(record).encode(), value)
